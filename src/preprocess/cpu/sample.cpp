// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cpu/kernels.h"

// clang-format off: foreach_target.h must come before highway.h
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "preprocess/cpu/sample.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "preprocess/cpu/color_inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace tern::HWY_NAMESPACE {

using Source = ColorTransform::Source;

/// Byte kByte of each 32-bit lane, as a float.
template <int kByte, class D, class V>
HWY_INLINE hn::Vec<D> byte_of(D d, V words) {
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  const auto shifted = hn::ShiftRight<8 * kByte>(words);
  return hn::ConvertTo(d, hn::BitCast(di, kByte == 3 ? shifted : hn::And(shifted, hn::Set(du, 0xFFU))));
}

template <class V>
HWY_INLINE V lerp(V a, V b, V w) {
  return hn::MulAdd(hn::Sub(b, a), w, a);
}

// The loads of words; the target of one lane has no vectors of bytes to take them through.

/// Words of four bytes, one for each lane of D.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> load_words(D /*d*/, const std::uint8_t* bytes) {
  const hn::RebindToUnsigned<D> du;
#if HWY_TARGET == HWY_SCALAR
  std::uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return hn::Set(du, word);
#else
  const hn::Repartition<std::uint8_t, D> d8;
  return hn::BitCast(du, hn::LoadU(d8, bytes));
#endif
}

/// Words of eight bytes: their lower and their upper halves.
template <class D, class VU>
HWY_INLINE void load_word_pairs(D d, const std::uint8_t* bytes, VU& lower, VU& upper) {
  const auto v0 = load_words(d, bytes);
  const auto v1 = load_words(d, bytes + 4 * hn::Lanes(d));
#if HWY_TARGET == HWY_SCALAR
  lower = v0;
  upper = v1;
#else
  const hn::RebindToUnsigned<D> du;
  lower = hn::ConcatEven(du, v1, v0);
  upper = hn::ConcatOdd(du, v1, v0);
#endif
}

/// Words of two bytes.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> load_byte_pairs(D /*d*/, const std::uint8_t* bytes) {
  const hn::RebindToUnsigned<D> du;
#if HWY_TARGET == HWY_SCALAR
  std::uint16_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return hn::Set(du, word);
#else
  const hn::Rebind<std::uint16_t, D> d16;
  const hn::Repartition<std::uint8_t, decltype(d16)> d8;
  return hn::PromoteTo(du, hn::BitCast(d16, hn::LoadU(d8, bytes)));
#endif
}

/// The channels of kPoint words of pixels i, i + 1, ...
template <Source kSource, class D, class V>
HWY_INLINE void point_pixels(D d, const std::uint8_t* words, std::size_t i, V& c0, V& c1, V& c2) {
  if constexpr (kSource == Source::kGray) {
    const hn::Rebind<std::uint8_t, D> d8;
    const hn::RebindToSigned<D> di;
    c0 = hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, words + i)));
  } else {
    const auto pixels = load_words(d, words + 4 * i);
    c0 = byte_of<0>(d, pixels);
    c1 = byte_of<1>(d, pixels);
    c2 = byte_of<2>(d, pixels);
  }
}

/// The channels of kLinear words, interpolated along x.
template <Source kSource, class D, class V>
HWY_INLINE void linear_pixels(D d, const std::uint8_t* words, std::size_t i, V w, V& c0, V& c1, V& c2) {
  if constexpr (kSource == Source::kGray) {
    const auto pairs = load_byte_pairs(d, words + 2 * i);
    c0 = lerp(byte_of<0>(d, pairs), byte_of<1>(d, pairs), w);
  } else {
    const hn::RebindToUnsigned<D> du;
    auto first = hn::Zero(du);
    auto second = first;
    load_word_pairs(d, words + 8 * i, first, second);
    if constexpr (kSource == Source::kPacked3) {
      c0 = lerp(byte_of<0>(d, first), byte_of<3>(d, first), w);
      c1 = lerp(byte_of<1>(d, first), byte_of<0>(d, second), w);
      c2 = lerp(byte_of<2>(d, first), byte_of<1>(d, second), w);
    } else {
      c0 = lerp(byte_of<0>(d, first), byte_of<0>(d, second), w);
      c1 = lerp(byte_of<1>(d, first), byte_of<1>(d, second), w);
      c2 = lerp(byte_of<2>(d, first), byte_of<2>(d, second), w);
    }
  }
}

// Both loops copy what they use of their arguments: stores of floats could otherwise change it, for all the compiler
// knows.

template <Source kSource, bool kToGray>
HWY_NOINLINE void sample_points(const ColorTransform& transform, const SampleRow& row) {
  const ColorTransform t = transform;
  const std::array<float*, 3> out = row.out;
  const std::uint8_t* words = row.top;
  const std::size_t count = row.count;
  const hn::ScalableTag<float> d;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    auto c0 = hn::Zero(d);
    auto c1 = c0;
    auto c2 = c0;
    point_pixels<kSource>(d, words, i, c0, c1, c2);
    store_colors<kSource, kToGray>(d, t, c0, c1, c2, i, count - i, out);
  }
}

template <Source kSource, bool kToGray>
HWY_NOINLINE void sample_pairs(const ColorTransform& transform, const SampleRow& row) {
  const ColorTransform t = transform;
  const std::array<float*, 3> out = row.out;
  const std::uint8_t* top = row.top;
  const std::uint8_t* bottom = row.bottom;
  const float* wx = row.wx;
  const std::size_t count = row.count;
  const hn::ScalableTag<float> d;
  const auto wy = hn::Set(d, row.wy);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto w = hn::LoadU(d, wx + i);
    auto c0 = hn::Zero(d);
    auto c1 = c0;
    auto c2 = c0;
    linear_pixels<kSource>(d, top, i, w, c0, c1, c2);
    if (bottom != top) {
      auto b0 = hn::Zero(d);
      auto b1 = b0;
      auto b2 = b0;
      linear_pixels<kSource>(d, bottom, i, w, b0, b1, b2);
      c0 = lerp(c0, b0, wy);
      c1 = lerp(c1, b1, wy);
      c2 = lerp(c2, b2, wy);
    }
    store_colors<kSource, kToGray>(d, t, c0, c1, c2, i, count - i, out);
  }
}

template <Source kSource, bool kToGray>
void sample(const ColorTransform& transform, AxisPlan::Kind kind, const SampleRow& row) {
  if (kind == AxisPlan::Kind::kPoint) {
    sample_points<kSource, kToGray>(transform, row);
  } else {
    sample_pairs<kSource, kToGray>(transform, row);
  }
}

template <bool kToGray>
void sample_any(const ColorTransform& transform, AxisPlan::Kind kind, const SampleRow& row) {
  switch (transform.source) {
    case Source::kGray:
      return sample<Source::kGray, kToGray>(transform, kind, row);
    case Source::kPacked3:
      return sample<Source::kPacked3, kToGray>(transform, kind, row);
    case Source::kPacked4:
      return sample<Source::kPacked4, kToGray>(transform, kind, row);
    case Source::kYuv:
      return sample<Source::kYuv, kToGray>(transform, kind, row);
  }
}

void sample_dispatch(const ColorTransform& transform, AxisPlan::Kind kind, const SampleRow& row) {
  transform.to_gray ? sample_any<true>(transform, kind, row) : sample_any<false>(transform, kind, row);
}

}  // namespace tern::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tern {

HWY_EXPORT(sample_dispatch);

void sample_row(const ColorTransform& transform, AxisPlan::Kind kind, const SampleRow& row) noexcept {
  HWY_DYNAMIC_DISPATCH(sample_dispatch)(transform, kind, row);
}

}  // namespace tern
#endif
