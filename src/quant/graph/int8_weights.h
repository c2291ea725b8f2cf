// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tern {

/// Symmetric int8 weights: value = level * scale.
struct Int8Weights {
  std::vector<std::int8_t> levels;  ///< in -most..most
  std::vector<float> scales;        ///< one for each index along the axis, or one for all
};

inline constexpr int kWeightLevels = 127, kReducedWeightLevels = 63;

/// The largest |w| becomes level `most`; levels are rounded half to even. `axis` -1: one scale.
/// REQUIRES: weights are finite and have the product of `dims` values; axis < dims.size().
[[nodiscard]] Int8Weights quantize_weights(std::span<const float> weights, std::span<const std::int64_t> dims, int axis,
                                           int most);

/// sum (w - level * scale)^2 / sum w^2; 0 for weights that are all 0.
[[nodiscard]] double relative_noise(const Int8Weights& quantised, std::span<const float> weights,
                                    std::span<const std::int64_t> dims, int axis);

}  // namespace tern
