// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tern {

/// Scores and probabilities lie in 0..1; this much beyond is rounding in a low precision, and is brought back.
inline constexpr float kProbabilityMargin = 0.001F;
/// A score above is an error.
inline constexpr float kLargestScore = 1 + kProbabilityMargin;

}  // namespace tern
