// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cpu/half.h"

#include <bit>
#include <cmath>

namespace tern {

//  binary32: s eeeeeeee mmmmmmmmmmmmmmmmmmmmmmm (bias 127)   binary16: s eeeee mmmmmmmmmm (bias 15)
std::uint16_t half_from_float(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  std::uint32_t half = 0;
  if (magnitude > 0x7F800000U) {
    half = 0x7E00U;  // NaN
  } else if (magnitude >= 0x47800000U) {
    half = 0x7C00U;  // 2^16 and more
  } else if (magnitude < 0x38800000U) {
    // Subnormal halves are multiples of 2^-24, which is the last place of floats in [0.5, 1): the addition rounds.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    half = std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U;
  } else {
    const std::uint32_t odd = (magnitude >> 13) & 1U;
    half = (magnitude - 0x38000000U + 0xFFFU + odd) >> 13;  // may carry into infinity, as it must
  }
  return static_cast<std::uint16_t>(half | sign);
}

float float_from_half(std::uint16_t bits) noexcept {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  float value = 0;
  if (exponent == 31) {
    value = mantissa == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    value = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  }
  return std::copysign(value, (bits & 0x8000) != 0 ? -1.0F : 1.0F);
}

}  // namespace tern
