// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tern/export.h"

namespace tern {

/// How hot the device is, and whether it slows itself down.
struct ThermalState {
  bool is_telemetry_available = false;  ///< false: nothing below is known; `reasons` says why
  double temperature_c = 0;             ///< the hottest sensor
  bool throttled = false;
  std::vector<std::string>
      reasons{};  ///< why it is throttled ("sw_thermal_slowdown", "power_cap"), or why nothing is known
  double clock_mhz = 0, max_clock_mhz = 0;  ///< of the processor that runs the model; 0: not known
  std::string source{};                     ///< "nvml", "jetson", "sysfs" or "none"
};

/// Gives the state now. Called from any thread.
using ThermalPublisher = std::function<ThermalState()>;

/// Linux: thermal zones and cooling devices under `root`/class/thermal, processor sensors under `root`/class/hwmon, the fastest
/// core's clocks under `root`/devices/system/cpu. On a Jetson (known by its GPU under `root`/class/devfreq) the junction's zone,
/// else the GPU's, and the GPU's clocks. Never fails: what cannot be read is not available.
[[nodiscard]] TERN_API ThermalState read_sysfs_thermal(const std::filesystem::path& root = "/sys");
/// NVIDIA GPU `index` through libnvidia-ml.so.1, opened once at run time and kept. Without it: not available, with the reason.
[[nodiscard]] TERN_API ThermalState read_nvml_thermal(unsigned index = 0);
/// NVML where it answers, else sysfs.
[[nodiscard]] TERN_API ThermalPublisher default_thermal_publisher();

}  // namespace tern
