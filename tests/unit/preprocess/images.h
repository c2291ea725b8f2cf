// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>

#include "tern/image.h"

namespace tern {

/// An image whose planes are heap blocks that end with the last pixel of the last row, so that AddressSanitizer sees
/// every byte read past them.
class TestImage {
 public:
  /// `slack` more bytes from row to row than a row needs.
  TestImage(PixelFormat format, int width, int height, std::ptrdiff_t slack = 0) {
    view_.format = format;
    view_.width = width;
    view_.height = height;
    for (int p = 0; p < plane_count(format); ++p) {
      const auto i = static_cast<std::size_t>(p);
      const auto stride = static_cast<std::ptrdiff_t>(row_bytes(p)) + slack;
      sizes_[i] = static_cast<std::size_t>(stride) * (rows(p) - 1) + row_bytes(p);
      planes_[i] = std::make_unique<std::uint8_t[]>(sizes_[i]);
      view_.planes[i] = {planes_[i].get(), stride};
    }
  }

  [[nodiscard]] const ImageView& view() const noexcept { return view_; }
  [[nodiscard]] ImageView& view() noexcept { return view_; }
  [[nodiscard]] std::uint8_t* plane(std::size_t i) noexcept { return planes_[i].get(); }

  void fill(std::uint8_t value) {
    for (std::size_t p = 0; p < 3; ++p)
      std::fill_n(planes_[p].get(), sizes_[p], value);
  }
  /// Every byte, the slack between rows too.
  template <typename Random>
  void randomize(Random& random) {
    for (std::size_t p = 0; p < 3; ++p) {
      for (std::size_t i = 0; i < sizes_[p]; ++i)
        planes_[p][i] = static_cast<std::uint8_t>(random());
    }
  }

  /// Bytes of a row's pixels, and rows, of a plane.
  [[nodiscard]] std::size_t row_bytes(int plane) const noexcept {
    const auto width = static_cast<std::size_t>(view_.width);
    switch (view_.format) {
      case PixelFormat::kBgr:
      case PixelFormat::kRgb:
        return 3 * width;
      case PixelFormat::kBgra:
        return 4 * width;
      case PixelFormat::kGray:
        return width;
      case PixelFormat::kNv12:
        return plane == 0 ? width : (width + 1) / 2 * 2;
      case PixelFormat::kI420:
        return plane == 0 ? width : (width + 1) / 2;
    }
    return 0;
  }
  [[nodiscard]] std::size_t rows(int plane) const noexcept {
    const auto height = static_cast<std::size_t>(view_.height);
    return plane == 0 ? height : (height + 1) / 2;
  }

 private:
  ImageView view_;
  std::array<std::unique_ptr<std::uint8_t[]>, 3> planes_;
  std::array<std::size_t, 3> sizes_{};
};

}  // namespace tern
