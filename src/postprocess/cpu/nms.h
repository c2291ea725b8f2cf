// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "postprocess/cpu/kernels.h"

namespace tern {

/// Items in order of falling score, the lower index first among equals. Sorts only as far as it is read: a suppression
/// that stops at 300 boxes seldom needs all of its 8400 candidates.
class ScoreOrder {
 public:
  /// Empty, with room for `expected` items.
  void clear(std::size_t expected) {
    keys_.clear();
    keys_.reserve(expected);
  }
  /// REQUIRES: not NaN.
  void push(float score, std::uint32_t index) {
    const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);  // -0 becomes +0
    const std::uint32_t ordered = (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
    keys_.push_back(static_cast<std::uint64_t>(ordered) << 32 | (0xFFFFFFFFU - index));
  }

  /// Calls `visit(index)` for each item, best first, until it returns false.
  template <typename Visit>
  void for_each(Visit&& visit) {
    constexpr std::size_t kFirstChunk = 512;
    const auto descending = std::greater<>();
    auto begin = keys_.begin();
    for (std::size_t chunk = kFirstChunk; begin != keys_.end(); chunk *= 2) {
      const auto rest = static_cast<std::size_t>(keys_.end() - begin);
      const auto end = begin + static_cast<std::ptrdiff_t>(std::min(chunk, rest));
      if (end != keys_.end()) std::nth_element(begin, end, keys_.end(), descending);
      std::sort(begin, end, descending);
      for (; begin != end; ++begin) {
        if (!visit(0xFFFFFFFFU - static_cast<std::uint32_t>(*begin))) return;
      }
    }
  }

 private:
  std::vector<std::uint64_t> keys_;  // score bits, made to sort like numbers, above the inverted index
};

}  // namespace tern
