// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// The end of every vector loop: source channels to normalised output channels. Compiled once for each instruction set.
#if defined(TERN_PREPROCESS_COLOR_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TERN_PREPROCESS_COLOR_INL_H
#undef TERN_PREPROCESS_COLOR_INL_H
#else
#define TERN_PREPROCESS_COLOR_INL_H
#endif

#include <array>
#include <cstddef>
#include <cstring>

#include <hwy/highway.h>

#include "preprocess/cpu/color.h"

HWY_BEFORE_NAMESPACE();
namespace tern::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Stores the first min(left, lanes) lanes.
template <class D, class V>
HWY_INLINE void store_first(V v, D d, std::size_t left, hn::TFromD<D>* out) {
  if (left >= hn::Lanes(d)) {
    hn::StoreU(v, d, out);
    return;
  }
  HWY_ALIGN hn::TFromD<D> lanes[hn::MaxLanes(d)];
  hn::Store(v, d, lanes);
  std::memcpy(out, lanes, left * sizeof(hn::TFromD<D>));
}

/// row[0] * y + row[1] * u + row[2] * v + row[3], clamped to 0..255.
template <class D, class V>
HWY_INLINE V matrix_row(D d, const std::array<float, 4>& row, V y, V u, V v) {
  V sum = hn::MulAdd(y, hn::Set(d, row[0]), hn::Set(d, row[3]));
  sum = hn::MulAdd(u, hn::Set(d, row[1]), sum);
  sum = hn::MulAdd(v, hn::Set(d, row[2]), sum);
  return hn::Min(hn::Max(sum, hn::Zero(d)), hn::Set(d, 255.0F));
}

template <class D, class V>
HWY_INLINE void store_normalised(D d, const ColorTransform& t, std::size_t c, V v, std::size_t i, std::size_t left,
                                 float* out) {
  store_first(hn::MulAdd(v, hn::Set(d, t.mul[c]), hn::Set(d, t.add[c])), d, left, out + i);
}

/// Pixels i, i + 1, ... (`left` of them exist): channels in source order, c1 and c2 unused for a gray source. `out` is
/// in the order of the output channels.
template <ColorTransform::Source kSource, bool kToGray, class D, class V>
HWY_INLINE void store_colors(D d, const ColorTransform& t, V c0, V c1, V c2, std::size_t i, std::size_t left,
                             const std::array<float*, 3>& out) {
  if constexpr (kSource == ColorTransform::Source::kYuv) {
    const V y = c0;
    const V u = c1;
    const V v = c2;
    c0 = matrix_row(d, t.red, y, u, v);
    c1 = matrix_row(d, t.green, y, u, v);
    c2 = matrix_row(d, t.blue, y, u, v);
  }
  if constexpr (kToGray) {
    if constexpr (kSource != ColorTransform::Source::kGray) {
      c0 = hn::Mul(c0, hn::Set(d, t.luma[0]));
      c0 = hn::MulAdd(c1, hn::Set(d, t.luma[1]), c0);
      c0 = hn::MulAdd(c2, hn::Set(d, t.luma[2]), c0);
    }
    store_normalised(d, t, 0, c0, i, left, out[0]);
  } else {
    constexpr bool kReplicate = kSource == ColorTransform::Source::kGray;
    store_normalised(d, t, 0, c0, i, left, out[t.plane[0]]);
    store_normalised(d, t, 1, kReplicate ? c0 : c1, i, left, out[t.plane[1]]);
    store_normalised(d, t, 2, kReplicate ? c0 : c2, i, left, out[t.plane[2]]);
  }
}

}  // namespace tern::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
