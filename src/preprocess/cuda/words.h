// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/host_device.h"

namespace tern::cuda {

// Bytes of a row, read as whole aligned 4-byte words where that stays inside the row's pixels. A pair of taps is 2 to 7
// bytes at any alignment, hence in one to three words:
//
//   row       ... | b0 b1 b2 b3 | b4 b5 b6 b7 | ...          kBytes = 6, two pixels of 3 bytes
//   wanted               ^p                                  shift = 16: first() is b2 b3 b4 b5, second() b6 b7 - -
//   words         |  word[0]    |  word[1]    |  (word[2], only where shift > 16)

/// The words around some bytes, and where in them the first byte is.
struct Words {
  std::uint32_t word[3];
  std::uint32_t shift;  ///< bits, 0 to 24
};

TERN_HOST_DEVICE inline std::uint32_t read_word(const std::uint8_t* aligned) noexcept {
#if defined(__CUDA_ARCH__)
  return __ldg(reinterpret_cast<const unsigned*>(aligned));
#else
  return std::uint32_t{aligned[0]} | std::uint32_t{aligned[1]} << 8U | std::uint32_t{aligned[2]} << 16U |
         std::uint32_t{aligned[3]} << 24U;
#endif
}

TERN_HOST_DEVICE inline std::uint32_t read_byte(const std::uint8_t* byte) noexcept {
#if defined(__CUDA_ARCH__)
  return __ldg(byte);
#else
  return *byte;
#endif
}

/// 4 bytes from bit `shift` of the pair on.
TERN_HOST_DEVICE inline std::uint32_t funnel(std::uint32_t low, std::uint32_t high, std::uint32_t shift) noexcept {
#if defined(__CUDA_ARCH__)
  return __funnelshift_r(low, high, shift);
#else
  return static_cast<std::uint32_t>((std::uint64_t{high} << 32U | low) >> shift);
#endif
}

/// True when read_words() at `offset` needs no look at single bytes, whatever the alignment.
TERN_HOST_DEVICE inline bool is_far_from_ends(int offset, int row_bytes) noexcept {
  return offset >= 3 && offset + 12 <= row_bytes;
}

/// The words around the kBytes bytes at row + offset, whatever lies in the rest of them.
/// REQUIRES: is_far_from_ends(offset, row_bytes).
template <int kBytes>
TERN_HOST_DEVICE inline Words read_words(const std::uint8_t* row, int offset) noexcept {
  const std::uint8_t* first = row + offset;
  const unsigned misalignment = static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(first)) & 3U;
  const std::uint8_t* aligned = first - misalignment;
  Words words;
  words.shift = 8 * misalignment;
  words.word[0] = read_word(aligned);
  words.word[1] = misalignment + kBytes > 4 ? read_word(aligned + 4) : 0;
  words.word[2] = misalignment + kBytes > 8 ? read_word(aligned + 8) : 0;
  return words;
}

/// The same near the ends of a row of `row_bytes` bytes: bytes outside count as 0 and are not read.
/// REQUIRES: 0 <= offset < row_bytes.
template <int kBytes>
TERN_HOST_DEVICE inline Words read_words_at_end(const std::uint8_t* row, int offset, int row_bytes) noexcept {
  Words words{};
  const int end = offset + kBytes < row_bytes ? offset + kBytes : row_bytes;
#if defined(__CUDA_ARCH__)
#pragma unroll 1
#endif
  for (int i = offset; i < end; ++i) {
    const std::uint32_t byte = read_byte(row + i) << (8U * (static_cast<unsigned>(i - offset) & 3U));
    words.word[0] |= i - offset < 4 ? byte : 0U;
    words.word[1] |= i - offset < 4 ? 0U : byte;
  }
  return words;
}

/// The first 4 of the wanted bytes, the first of them in the lowest 8 bits; and those after.
TERN_HOST_DEVICE inline std::uint32_t first_bytes(const Words& words) noexcept {
  return funnel(words.word[0], words.word[1], words.shift);
}
TERN_HOST_DEVICE inline std::uint32_t second_bytes(const Words& words) noexcept {
  return funnel(words.word[1], words.word[2], words.shift);
}

/// Byte `index` (0 to 3) of `word` as a number.
template <int kIndex>
TERN_HOST_DEVICE inline float byte_of(std::uint32_t word) noexcept {
  return static_cast<float>((word >> (8U * kIndex)) & 255U);
}

}  // namespace tern::cuda
