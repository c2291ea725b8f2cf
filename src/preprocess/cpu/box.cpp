// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cpu/kernels.h"

// clang-format off: foreach_target.h must come before highway.h
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "preprocess/cpu/box.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "preprocess/cpu/color_inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace tern::HWY_NAMESPACE {

template <bool kAdd>
HWY_NOINLINE void accumulate(const std::uint8_t* bytes, std::size_t count, float weight, float* sums) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  const auto w = hn::Set(d, weight);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    const auto v = hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, bytes + i)));
    hn::StoreU(kAdd ? hn::MulAdd(v, w, hn::LoadU(d, sums + i)) : hn::Mul(v, w), d, sums + i);
  }
  for (; i < count; ++i)
    sums[i] = (kAdd ? sums[i] : 0.0F) + weight * static_cast<float>(bytes[i]);
}

void set_weighted_dispatch(const std::uint8_t* bytes, std::size_t count, float weight, float* sums) {
  accumulate<false>(bytes, count, weight, sums);
}

void add_weighted_dispatch(const std::uint8_t* bytes, std::size_t count, float weight, float* sums) {
  accumulate<true>(bytes, count, weight, sums);
}

/// One output pixel in each lane; lanes whose box is shorter add zeros.
void box_dispatch(const AxisPlan& x, const BoxRow& row, float* out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto step = hn::Set(di, row.step);
  const float* sums = row.sums;
  const int shift = row.shift;
  const auto gather = [&](auto column) HWY_ATTR {
    return hn::GatherIndex(d, sums, hn::Mul(hn::ShiftRightSame(column, shift), step));
  };
  const auto norm = hn::Set(d, row.norm);
  const auto one = hn::Set(di, 1);
  for (std::size_t i = 0; i < x.count; i += hn::Lanes(d)) {
    const auto first = hn::LoadU(di, x.first.data() + i);
    const auto last = hn::LoadU(di, x.last.data() + i);
    auto column = hn::Add(first, one);
    auto sum = hn::Zero(d);
    for (int tap = 2; tap < x.most_taps; ++tap) {
      const auto inside = hn::RebindMask(d, hn::Lt(column, last));
      sum = hn::Add(sum, hn::IfThenElseZero(inside, gather(hn::Min(column, last))));
      column = hn::Add(column, one);
    }
    sum = hn::MulAdd(gather(first), hn::LoadU(d, x.first_weight.data() + i), sum);
    sum = hn::MulAdd(gather(last), hn::LoadU(d, x.last_weight.data() + i), sum);
    sum = hn::Mul(sum, hn::Mul(norm, hn::LoadU(d, x.norm.data() + i)));
    store_first(sum, d, x.count - i, out + i);
  }
}

template <ColorTransform::Source kSource, bool kToGray>
HWY_NOINLINE void color(const ColorTransform& transform, const std::array<const float*, 3>& channels, std::size_t count,
                        const std::array<float*, 3>& rows) {
  constexpr bool kGray = kSource == ColorTransform::Source::kGray;
  const ColorTransform t = transform;
  const std::array<const float*, 3> in = channels;
  const std::array<float*, 3> out = rows;
  const hn::ScalableTag<float> d;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto c0 = hn::LoadU(d, in[0] + i);
    const auto c1 = kGray ? c0 : hn::LoadU(d, in[1] + i);
    const auto c2 = kGray ? c0 : hn::LoadU(d, in[2] + i);
    store_colors<kSource, kToGray>(d, t, c0, c1, c2, i, count - i, out);
  }
}

template <bool kToGray>
void color_any(const ColorTransform& transform, const std::array<const float*, 3>& channels, std::size_t count,
               const std::array<float*, 3>& out) {
  using Source = ColorTransform::Source;
  switch (transform.source) {
    case Source::kGray:
      return color<Source::kGray, kToGray>(transform, channels, count, out);
    case Source::kPacked3:
    case Source::kPacked4:
      return color<Source::kPacked3, kToGray>(transform, channels, count, out);
    case Source::kYuv:
      return color<Source::kYuv, kToGray>(transform, channels, count, out);
  }
}

void color_dispatch(const ColorTransform& transform, const std::array<const float*, 3>& channels, std::size_t count,
                    const std::array<float*, 3>& out) {
  transform.to_gray ? color_any<true>(transform, channels, count, out)
                    : color_any<false>(transform, channels, count, out);
}

}  // namespace tern::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tern {
namespace {

/// Sums of more taps than this are formed in double, so that rounding stays below Preprocessor::kTolerance.
constexpr int kMostFloatTaps = 32;

void box_row_double(const AxisPlan& x, const BoxRow& row, float* out) noexcept {
  const auto at = [&](std::int32_t column) {
    return static_cast<double>(row.sums[std::ptrdiff_t{column >> row.shift} * row.step]);
  };
  for (std::size_t i = 0; i < x.count; ++i) {
    double sum = x.first_weight[i] * at(x.first[i]) + x.last_weight[i] * at(x.last[i]);
    for (std::int32_t column = x.first[i] + 1; column < x.last[i]; ++column)
      sum += at(column);
    out[i] = static_cast<float>(sum * x.norm[i] * row.norm);
  }
}

}  // namespace

HWY_EXPORT(set_weighted_dispatch);
HWY_EXPORT(add_weighted_dispatch);
HWY_EXPORT(box_dispatch);
HWY_EXPORT(color_dispatch);

void set_weighted(const std::uint8_t* bytes, std::size_t count, float weight, float* sums) noexcept {
  HWY_DYNAMIC_DISPATCH(set_weighted_dispatch)(bytes, count, weight, sums);
}

void add_weighted(const std::uint8_t* bytes, std::size_t count, float weight, float* sums) noexcept {
  HWY_DYNAMIC_DISPATCH(add_weighted_dispatch)(bytes, count, weight, sums);
}

void box_row(const AxisPlan& x, const BoxRow& row, float* out) noexcept {
  if (x.most_taps > kMostFloatTaps) {
    box_row_double(x, row, out);
  } else {
    HWY_DYNAMIC_DISPATCH(box_dispatch)(x, row, out);
  }
}

void color_row(const ColorTransform& transform, const std::array<const float*, 3>& channels, std::size_t count,
               const std::array<float*, 3>& out) noexcept {
  HWY_DYNAMIC_DISPATCH(color_dispatch)(transform, channels, count, out);
}

}  // namespace tern
#endif
