// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "tern/status.h"

namespace tern {

struct TurnTimes {
  std::vector<double> ms;  ///< median of one inference, for each runner
  int runs = 0;            ///< measured for each
};

/// Times inferences that serve the same purpose. They take turns, a few runs each (the first of which does not count: the other one
/// had the caches), until the medians are steady, for about a second; slow ones get fewer turns. Cancelled on a stop; else the first
/// failure of a runner. REQUIRES: there is one.
[[nodiscard]] Result<TurnTimes> time_in_turns(std::span<const std::function<Status()>> runners,
                                              const std::stop_token& stop);

}  // namespace tern
