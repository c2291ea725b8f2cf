// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

#include "tern/engine.h"

namespace tern::ov_backend {

/// Median milliseconds of one inference of each of two engines.
struct RaceTimes {
  double first = 0, second = 0;
};

/// Runs two engines of one model in turns on zeros of the shapes that `config` aims at, for a second or two, and compares their times.
[[nodiscard]] Result<RaceTimes> race(Backend& backend, const EngineBlob& first, const EngineBlob& second,
                                     const BuildConfig& config, const std::stop_token& stop);

}  // namespace tern::ov_backend
