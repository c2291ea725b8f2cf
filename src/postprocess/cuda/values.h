// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/host_device.h"

namespace tern::cuda {

TERN_HOST_DEVICE inline std::uint32_t bits_of(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

TERN_HOST_DEVICE inline float float_of(std::uint32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

TERN_HOST_DEVICE inline bool is_finite(float value) {
  return (bits_of(value) & 0x7FFFFFFFU) < 0x7F800000U;
}

/// Element `index` of an output of f32.
TERN_HOST_DEVICE inline float value_at(const float* values, std::size_t index) {
  return values[index];
}

/// Element `index` of an output of f16, exactly; the same steps as halves_to_floats().
TERN_HOST_DEVICE inline float value_at(const std::uint16_t* halves, std::size_t index) {
  const std::uint32_t half = halves[index];
  const std::uint32_t bits = bits_of(float_of((half & 0x7FFFU) << 13U) * 0x1p112F);
  const std::uint32_t special = (half & 0x7C00U) == 0x7C00U ? 0x7F800000U : 0U;
  return float_of(bits | special | (half & 0x8000U) << 16U);
}

/// The first bad value of an image: many threads raise one word, and the one with the smallest index stays. 0 is none.
///
///   63          32 31          0
///   | ~ index     | ~ bits     |
struct Fault {
  [[nodiscard]] TERN_HOST_DEVICE static std::uint64_t of(std::size_t index, float value) {
    return ~(static_cast<std::uint64_t>(index) << 32U | bits_of(value));
  }
  [[nodiscard]] static std::size_t index(std::uint64_t fault) { return static_cast<std::size_t>(~fault >> 32U); }
  [[nodiscard]] static float value(std::uint64_t fault) { return float_of(static_cast<std::uint32_t>(~fault)); }
};

}  // namespace tern::cuda
