// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tern/quant.h"

namespace tern {

/// Fewest bins that a range may keep: one for each level above zero.
inline constexpr std::size_t kLevels = 128;

/// TensorRT's entropy calibration as published: for each number i of kept bins from kLevels on, P is the kept bins with all
/// clipped counts in the last one, Q the kept bins (without the clipped ones) averaged over 128 levels, where a level is spread
/// over its bins that are not empty. The first i of least KL(P || Q); a Q of 0 where P is not excludes i.
[[nodiscard]] std::size_t entropy_kept_bins(std::span<const std::uint64_t> bins);
/// The range of `kept` bins: TensorRT's tables hold (kept + 0.5) bin widths.
[[nodiscard]] float entropy_range(std::size_t kept, float histogram_range) noexcept;

/// Index of the bin whose centre, taken as the range, gives the least squared error of int8 over the histogram.
[[nodiscard]] std::size_t mse_bin(std::span<const std::uint64_t> bins);

/// The largest |w| of each slice along `axis`. REQUIRES: weights has the product of `dims` values, axis < dims.size().
[[nodiscard]] std::vector<float> channel_ranges(std::span<const float> weights, std::span<const std::int64_t> dims,
                                                std::size_t axis);

}  // namespace tern
