// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/int8_weights.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "quant/calibrators.h"
#include "tern/quant.h"

namespace tern {
namespace {

/// Consecutive weights that have one scale.
std::size_t run_length(std::span<const std::int64_t> dims, int axis, std::size_t count) {
  if (axis < 0) return std::max<std::size_t>(count, 1);
  std::size_t inner = 1;
  for (std::size_t i = static_cast<std::size_t>(axis) + 1; i < dims.size(); ++i)
    inner *= static_cast<std::size_t>(dims[i]);
  return std::max<std::size_t>(inner, 1);
}

}  // namespace

Int8Weights quantize_weights(std::span<const float> weights, std::span<const std::int64_t> dims, int axis, int most) {
  Int8Weights result;
  if (axis >= 0) {
    result.scales = channel_ranges(weights, dims, static_cast<std::size_t>(axis));
  } else {
    float range = 0;
    for (const float w : weights)
      range = std::max(range, std::abs(w));
    result.scales = {range};
  }
  const auto top = static_cast<float>(most);
  std::ranges::transform(result.scales, result.scales.begin(), [&](float range) {
    return most == kWeightLevels || range == 0 ? scale_of(range) : std::max(range / top, kMinScale);
  });
  const std::size_t run = run_length(dims, axis, weights.size());
  result.levels.resize(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float level = std::nearbyint(weights[i] / result.scales[i / run % result.scales.size()]);
    result.levels[i] = static_cast<std::int8_t>(std::clamp(level, -top, top));
  }
  return result;
}

double relative_noise(const Int8Weights& quantised, std::span<const float> weights, std::span<const std::int64_t> dims,
                      int axis) {
  const std::size_t run = run_length(dims, axis, weights.size());
  double signal = 0, noise = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto value = static_cast<double>(weights[i]);
    const auto scale = static_cast<double>(quantised.scales[i / run % quantised.scales.size()]);
    const double error = value - scale * quantised.levels[i];
    signal += value * value;
    noise += error * error;
  }
  return signal > 0 ? noise / signal : 0;
}

}  // namespace tern
