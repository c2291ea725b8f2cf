// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "postprocess/cuda/block.h"
#include "postprocess/cuda/segment_params.h"
#include "postprocess/cuda/values.h"

// What one thread does for one pixel; Postprocessor::segment() defines it.

namespace tern::cuda {

inline constexpr std::uint8_t kNoClass = 255;  // Segmentation::kBackground

/// The class of a pixel whose logits are logit(c).
template <typename Logit>
[[nodiscard]] TERN_HOST_DEVICE std::uint8_t label_of(std::int32_t classes, const SegmentImage& image,
                                                     const Logit& logit) {
  float best = logit(0), second = -INFINITY;
  std::int32_t label = 0;
  for (std::int32_t c = 1; c < classes; ++c) {
    const float v = logit(c);
    if (v > best) label = c;
    second = fmaxf(second, fminf(v, best));
    best = fmaxf(v, best);
  }
  if (best - second > image.gap) return static_cast<std::uint8_t>(label);
  float sum = 0;
  for (std::int32_t c = 0; c < classes; ++c)
    sum += expf(logit(c) - best);
  return sum < image.inverse_threshold ? static_cast<std::uint8_t>(label) : kNoClass;
}

/// The class of output pixel `pixel`; NaN and infinity go to `header`. `logits` are the image's planes.
template <typename Element>
[[nodiscard]] TERN_HOST_DEVICE std::uint8_t label_output_pixel(const SegmentPlan& plan, const SegmentImage& image,
                                                               const Element* logits, std::size_t pixel,
                                                               SegmentHeader& header) {
  const std::size_t plane = plan.pixels();
  std::uint64_t fault = 0;
  const std::uint8_t label = label_of(plan.classes, image, [&](std::int32_t c) {
    const std::size_t at = static_cast<std::size_t>(c) * plane + pixel;
    const float value = value_at(logits, at);
    if (!is_finite(value) && fault == 0) fault = Fault::of(at, value);
    return value;
  });
  if (fault != 0) raise_shared(header.bad_value, fault);
  return label;
}

/// Where a source pixel lies: between output pixels `low` and `high`, a fraction `weight` of the way.
struct SegmentPoint {
  std::int32_t low, high;
  float weight;
  bool is_seen;  ///< false: kCenterCrop cut it away
};

[[nodiscard]] TERN_HOST_DEVICE inline SegmentPoint point_of(const SegmentAxis& axis, std::int32_t source_pixel) {
  const double position = (source_pixel + 0.5) * axis.scale + axis.offset;
  const double s = position * axis.ratio - 0.5;
  const double clamped = s < axis.first ? axis.first : axis.last < s ? axis.last : s;
  SegmentPoint point{};
  point.low = static_cast<std::int32_t>(clamped);
  point.high = point.low < axis.last ? point.low + 1 : axis.last;
  point.weight = static_cast<float>(clamped - point.low);
  point.is_seen = position >= 0 && position < axis.input;
  return point;
}

/// The class of the source pixel at x and y. `labels` are those of the output's pixels.
template <typename Element>
[[nodiscard]] TERN_HOST_DEVICE std::uint8_t label_source_pixel(const SegmentPlan& plan, const SegmentImage& image,
                                                               const Element* logits, const std::uint8_t* labels,
                                                               const SegmentPoint& x, const SegmentPoint& y) {
  if (!x.is_seen || !y.is_seen) return kNoClass;
  const auto width = static_cast<std::size_t>(plan.width);
  const std::size_t upper = static_cast<std::size_t>(y.low) * width, lower = static_cast<std::size_t>(y.high) * width;
  const auto left = static_cast<std::size_t>(x.low), right = static_cast<std::size_t>(x.high);
  const std::uint8_t label = labels[upper + left];
  if (label == labels[upper + right] && label == labels[lower + left] && label == labels[lower + right]) return label;
  const float a = x.weight, b = y.weight;
  return label_of(plan.classes, image, [&](std::int32_t c) {
    const std::size_t plane = static_cast<std::size_t>(c) * plan.pixels();
    const auto at = [&](std::size_t row, std::size_t column) { return value_at(logits, plane + row + column); };
    const float on_left = at(upper, left) * (1 - b) + at(lower, left) * b;
    const float on_right = at(upper, right) * (1 - b) + at(lower, right) * b;
    return on_left * (1 - a) + on_right * a;
  });
}

}  // namespace tern::cuda
