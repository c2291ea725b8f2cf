// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tern/thermal.h"

namespace tern {

/// NVIDIA's library for the state of GPUs, opened once at run time; the process keeps it.
inline constexpr const char* kNvmlLibrary = "libnvidia-ml.so.1";

/// What the bits of nvmlDeviceGetCurrentClocksThrottleReasons mean, for those that slow a busy GPU down. Idle, and clocks that
/// somebody set, are no throttling.
[[nodiscard]] std::vector<std::string> throttle_reasons(unsigned long long bits);

/// A state of which nothing is known.
[[nodiscard]] ThermalState no_telemetry(std::string reason);

}  // namespace tern
