// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cpu/kernels.h"

// clang-format off: foreach_target.h must come before highway.h
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "preprocess/cpu/store.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "preprocess/cpu/color_inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace tern::HWY_NAMESPACE {

/// half_from_float() of finite values, in 32-bit lanes. (Highway's own conversion truncates where F16C is missing.)
template <class D, class V>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> half_bits(D d, V v) {
  const hn::RebindToUnsigned<D> du;
  const hn::RebindToSigned<D> di;
  const auto bits = hn::BitCast(du, v);
  const auto sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 0x8000U));
  const auto magnitude = hn::And(bits, hn::Set(du, 0x7FFFFFFFU));
  const auto odd = hn::And(hn::ShiftRight<13>(magnitude), hn::Set(du, 1U));
  const auto rebased = hn::Sub(magnitude, hn::Set(du, 0x38000000U - 0xFFFU));
  const auto normal = hn::ShiftRight<13>(hn::Add(rebased, odd));
  const auto shifted = hn::Add(hn::BitCast(d, magnitude), hn::Set(d, 0.5F));
  const auto subnormal = hn::Sub(hn::BitCast(du, shifted), hn::Set(du, 0x3F000000U));
  const auto small = hn::Lt(hn::BitCast(di, magnitude), hn::Set(di, 0x38800000));
  const auto half = hn::IfThenElse(hn::RebindMask(du, small), subnormal, normal);
  return hn::BitCast(di, hn::Or(half, sign));
}

void halves_dispatch(const float* in, std::size_t count, std::uint16_t* halves) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<std::uint16_t, decltype(d)> d16;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d))
    store_first(hn::DemoteTo(d16, half_bits(d, hn::LoadU(d, in + i))), d16, count - i, halves + i);
}

void bytes_dispatch(const float* in, std::size_t count, std::uint8_t* bytes) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto v = hn::Min(hn::Max(hn::LoadU(d, in + i), hn::Zero(d)), hn::Set(d, 255.0F));
    store_first(hn::DemoteTo(d8, hn::NearestInt(v)), d8, count - i, bytes + i);
  }
}

template <typename T>
HWY_NOINLINE void interleave(const std::array<const T*, 4>& planes, std::size_t channels, std::size_t count, T* out) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto load = [&](std::size_t c, std::size_t i) HWY_ATTR { return hn::LoadU(d, planes[c] + i); };
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    T* to = out + i * channels;
    if (channels == 1) {
      hn::StoreU(load(0, i), d, to);
    } else if (channels == 2) {
      hn::StoreInterleaved2(load(0, i), load(1, i), d, to);
    } else if (channels == 3) {
      hn::StoreInterleaved3(load(0, i), load(1, i), load(2, i), d, to);
    } else {
      hn::StoreInterleaved4(load(0, i), load(1, i), load(2, i), load(3, i), d, to);
    }
  }
  for (; i < count; ++i) {
    for (std::size_t c = 0; c < channels; ++c)
      out[i * channels + c] = planes[c][i];
  }
}

void interleave_floats(const std::array<const float*, 4>& planes, std::size_t channels, std::size_t count, float* out) {
  interleave(planes, channels, count, out);
}
void interleave_halves(const std::array<const std::uint16_t*, 4>& planes, std::size_t channels, std::size_t count,
                       std::uint16_t* out) {
  interleave(planes, channels, count, out);
}
void interleave_bytes(const std::array<const std::uint8_t*, 4>& planes, std::size_t channels, std::size_t count,
                      std::uint8_t* out) {
  interleave(planes, channels, count, out);
}

}  // namespace tern::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tern {

HWY_EXPORT(halves_dispatch);
HWY_EXPORT(bytes_dispatch);
HWY_EXPORT(interleave_floats);
HWY_EXPORT(interleave_halves);
HWY_EXPORT(interleave_bytes);

void convert_row(const float* in, std::size_t count, std::uint16_t* halves) noexcept {
  HWY_DYNAMIC_DISPATCH(halves_dispatch)(in, count, halves);
}

void convert_row(const float* in, std::size_t count, std::uint8_t* bytes) noexcept {
  HWY_DYNAMIC_DISPATCH(bytes_dispatch)(in, count, bytes);
}

void interleave_row(const std::array<const float*, 4>& planes, std::size_t channels, std::size_t count,
                    float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(interleave_floats)(planes, channels, count, out);
}

void interleave_row(const std::array<const std::uint16_t*, 4>& planes, std::size_t channels, std::size_t count,
                    std::uint16_t* out) noexcept {
  HWY_DYNAMIC_DISPATCH(interleave_halves)(planes, channels, count, out);
}

void interleave_row(const std::array<const std::uint8_t*, 4>& planes, std::size_t channels, std::size_t count,
                    std::uint8_t* out) noexcept {
  HWY_DYNAMIC_DISPATCH(interleave_bytes)(planes, channels, count, out);
}

}  // namespace tern
#endif
