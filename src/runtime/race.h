// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "tern/engine.h"
#include "tern/golden.h"

namespace tern {

struct RaceResult {
  std::vector<double> ms;  ///< median of one inference, for each engine
  int runs = 0;            ///< measured for each
};

/// Times engines of one model on golden frames. They take turns, a few runs each (the first of which does not count: the other engine
/// had the caches), until the medians are steady, for about a second; a slow model gets fewer turns. Cancelled on a stop.
[[nodiscard]] Result<RaceResult> race(std::span<Engine* const> engines, const std::vector<GoldenFrame>& frames,
                                      const std::stop_token& stop);

/// Index of the fastest; of those within 2 % of it, which another measurement might order otherwise, the first.
[[nodiscard]] std::size_t winner(const std::vector<double>& ms);

}  // namespace tern
