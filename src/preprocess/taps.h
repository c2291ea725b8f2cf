// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include "base/host_device.h"

namespace tern {

/// The source pixels of one axis that make one output pixel: step 2 of Preprocessor's definition, for the CPU's tables
/// (AxisPlan) and for the CUDA kernels, which work them out for themselves. Pixels strictly between first and last
/// weigh 1; the sum of all weights times `norm` is 1.
struct Taps {
  std::int32_t first = 0, last = 0;
  double first_weight = 1, last_weight = 0, norm = 1;
};

/// `position` is that of the output pixel's centre, in pixels of a source axis that has `source` of them.
[[nodiscard]] TERN_HOST_DEVICE inline Taps point_taps(double position, int source) noexcept {
  const double floor = std::floor(position);
  const auto pixel = static_cast<std::int32_t>(floor < 0 ? 0.0 : (floor > source - 1.0 ? source - 1.0 : floor));
  Taps taps;
  taps.first = taps.last = pixel;
  return taps;
}

[[nodiscard]] TERN_HOST_DEVICE inline Taps linear_taps(double position, int source) noexcept {
  const double before = position - 0.5;
  const double s = before < 0 ? 0.0 : (before > source - 1.0 ? source - 1.0 : before);
  const int last_but_one = source > 1 ? source - 2 : 0;
  Taps taps;
  taps.first = static_cast<std::int32_t>(s) < last_but_one ? static_cast<std::int32_t>(s) : last_but_one;
  taps.last = source > 1 ? taps.first + 1 : 0;
  taps.last_weight = s - taps.first;
  taps.first_weight = 1 - taps.last_weight;
  return taps;
}

/// The output pixel covers the source from `lo` to `hi`; what lies outside the source does not count.
[[nodiscard]] TERN_HOST_DEVICE inline Taps box_taps(double lo, double hi, int source) noexcept {
  lo = lo < 0 ? 0.0 : lo;
  hi = hi > source ? static_cast<double>(source) : hi;
  const auto end = static_cast<std::int32_t>(std::ceil(hi)) - 1;
  Taps taps;
  taps.first = static_cast<std::int32_t>(lo) < source - 1 ? static_cast<std::int32_t>(lo) : source - 1;
  taps.last = end < taps.first ? taps.first : (end > source - 1 ? source - 1 : end);
  taps.norm = 1 / (hi - lo);
  taps.first_weight = (hi < taps.first + 1.0 ? hi : taps.first + 1.0) - lo;
  taps.last_weight = taps.last == taps.first ? 0 : hi - taps.last;
  return taps;
}

}  // namespace tern
