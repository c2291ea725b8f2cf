// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "tern/image.h"
#include "tern/tensor.h"

namespace tern {

/// Numbers that depend on the seed alone. The standard fixes what mt19937_64 gives, but not what its distributions make of it,
/// so those are our own; everything is whole numbers, since compilers may fuse floating-point operations as they like.
class NoiseSource {
 public:
  explicit NoiseSource(std::uint64_t seed) : engine_(seed) {}
  [[nodiscard]] std::uint64_t bits() { return engine_(); }
  /// 0..count-1. REQUIRES: 0 < count < 2^32. (Not perfectly even, which does not matter here.)
  [[nodiscard]] int below(int count) {
    return static_cast<int>((engine_() >> 32) * static_cast<std::uint64_t>(count) >> 32);
  }
  [[nodiscard]] int between(int low, int high) { return low + below(high - low + 1); }

 private:
  std::mt19937_64 engine_;
};

/// Pixels made up for a golden frame. REQUIRES: sides in 1..ImageView::kMaxSide.
struct NoiseImage {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels{};  ///< kBgr, or kGray for a region
  [[nodiscard]] ImageView view() const noexcept;

  /// A smooth ground, blobs, rectangles with hard edges, stripes, and grain over all.
  [[nodiscard]] static NoiseImage scene(NoiseSource& noise, int width, int height);
  /// A mask (0 outside, 255 inside) of a rectangle that covers a quarter to all of each side.
  [[nodiscard]] static NoiseImage region(NoiseSource& noise, int width, int height);
};

/// Fills a contiguous tensor: floats with multiples of 1/256 in 0..1 (of 1/128 in bf16), u8 with 0..255, bool with 0
/// and 1, other integers with 0..7 (they are mostly indices, and small ones exist).
void fill_with_noise(NoiseSource& noise, const TensorView& tensor);

}  // namespace tern
