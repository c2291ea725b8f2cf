// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "engine/turns.h"
#include "tern/engine.h"
#include "tern/golden.h"

namespace tern {

/// Times engines of one model on golden frames (time_in_turns()).
[[nodiscard]] Result<TurnTimes> race(std::span<Engine* const> engines, const std::vector<GoldenFrame>& frames,
                                     const std::stop_token& stop);

/// Index of the fastest; of those within 2 % of it, which another measurement might order otherwise, the first.
[[nodiscard]] std::size_t winner(const std::vector<double>& ms);

}  // namespace tern
