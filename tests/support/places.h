// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <vector>

namespace tern::test {

/// Where a test cuts or changes `size` bytes: the first and last 100 places, and every 29th between. Each one where
/// TERN_TEST_EVERY_PLACE is set, as `make soak` does.
inline std::vector<std::size_t> places_in(std::size_t size) {
  constexpr std::size_t kEnds = 100, kStep = 29;
  const std::size_t step = std::getenv("TERN_TEST_EVERY_PLACE") != nullptr ? 1 : kStep;
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < size;) {
    places.push_back(at);
    at += at < kEnds || at + kEnds >= size ? 1 : std::min(step, size - kEnds - at);
  }
  return places;
}

}  // namespace tern::test
