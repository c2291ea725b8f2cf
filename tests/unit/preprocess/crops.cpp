// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "unit/preprocess/crops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "preprocess/cpu/reference.h"
#include "preprocess/cuda/words.h"
#include "unit/preprocess/tolerance.h"

namespace tern {
namespace {

using Planes = std::array<std::vector<std::uint8_t>, 3>;

/// One byte a pixel and channel: R, G, B; or the gray value three times; or Y, U, V.
Planes planes_of(const ImageView& image, const cuda::Crop& crop) {
  Planes planes;
  const auto at = [&image](std::size_t plane, int x, int y) {
    return image.planes[plane].data[y * image.planes[plane].stride + x];
  };
  for (int y = crop.y; y < crop.y + crop.height; ++y) {
    for (int x = crop.x; x < crop.x + crop.width; ++x) {
      std::array<std::uint8_t, 3> pixel{};
      switch (image.format) {
        case PixelFormat::kBgr:
          pixel = {at(0, 3 * x + 2, y), at(0, 3 * x + 1, y), at(0, 3 * x, y)};
          break;
        case PixelFormat::kRgb:
          pixel = {at(0, 3 * x, y), at(0, 3 * x + 1, y), at(0, 3 * x + 2, y)};
          break;
        case PixelFormat::kBgra:
          pixel = {at(0, 4 * x + 2, y), at(0, 4 * x + 1, y), at(0, 4 * x, y)};
          break;
        case PixelFormat::kGray:
          pixel.fill(at(0, x, y));
          break;
        case PixelFormat::kNv12:
          pixel = {at(0, x, y), at(1, x / 2 * 2, y / 2), at(1, x / 2 * 2 + 1, y / 2)};
          break;
        case PixelFormat::kI420:
          pixel = {at(0, x, y), at(1, x / 2, y / 2), at(2, x / 2, y / 2)};
          break;
      }
      for (std::size_t c = 0; c < 3; ++c)
        planes[c].push_back(pixel[c]);
    }
  }
  return planes;
}

std::array<double, 3> rgb_of(const std::array<double, 3>& yuv, const ImageView& image) {
  const double kr = image.matrix == YuvMatrix::kBt601 ? 0.299 : 0.2126;
  const double kb = image.matrix == YuvMatrix::kBt601 ? 0.114 : 0.0722;
  const double kg = 1 - kr - kb;
  const bool is_limited = image.range == YuvRange::kLimited;
  const double y = is_limited ? (yuv[0] - 16) * 255 / 219 : yuv[0];
  const double u = (yuv[1] - 128) * (is_limited ? 255.0 / 224 : 1);
  const double v = (yuv[2] - 128) * (is_limited ? 255.0 / 224 : 1);
  return {std::clamp(y + 2 * (1 - kr) * v, 0.0, 255.0),
          std::clamp(y - (2 * kr * (1 - kr) * v + 2 * kb * (1 - kb) * u) / kg, 0.0, 255.0),
          std::clamp(y + 2 * (1 - kb) * u, 0.0, 255.0)};
}

}  // namespace

std::string crop_difference(const InputContract& contract, const Geometry& geometry, const ImageView& image,
                            const cuda::Crop& crop, const TensorView& out) {
  const Planes planes = planes_of(image, crop);
  InputContract plain = contract;
  plain.color = ColorOrder::kGray;
  plain.scale = 1;
  const bool is_yuv = image.format == PixelFormat::kNv12 || image.format == PixelFormat::kI420;
  const auto pixels = static_cast<std::size_t>(geometry.dst_width * geometry.dst_height);
  for (std::size_t i = 0; i < pixels; ++i) {
    const int x = static_cast<int>(i) % geometry.dst_width;
    const int y = static_cast<int>(i) / geometry.dst_width;
    std::array<double, 3> value{};
    for (std::size_t c = 0; c < 3; ++c) {
      const ImageView gray = ImageView::packed(planes[c].data(), crop.width, crop.height, PixelFormat::kGray);
      value[c] = reference_pixel(plain, geometry, gray, nullptr, x, y)[0];
    }
    const bool is_inner = x >= geometry.inner_x && x < geometry.inner_x + geometry.inner_width &&
                          y >= geometry.inner_y && y < geometry.inner_y + geometry.inner_height;
    if (is_yuv && is_inner) value = rgb_of(value, image);
    for (std::size_t c = 0; c < 3; ++c) {
      const double exact = (value[c] * contract.scale - contract.mean[c]) / contract.std[c];
      const double got = element(out, c * pixels + i);
      if (!(std::abs(got - exact) <= bound(contract, c, exact))) {
        return "x " + std::to_string(x) + ", y " + std::to_string(y) + ", channel " + std::to_string(c) + ": got " +
               std::to_string(got) + ", exactly " + std::to_string(exact);
      }
    }
  }
  return {};
}

bool same_words(const std::uint8_t* row, int offset, int row_bytes) {
  const cuda::Words words = cuda::read_words<7>(row, offset);
  const cuda::Words bytes = cuda::read_words_at_end<7>(row, offset, row_bytes);
  constexpr std::uint32_t kSeventhByte = 0xFFFFFFU;
  return cuda::first_bytes(words) == cuda::first_bytes(bytes) &&
         (cuda::second_bytes(words) & kSeventhByte) == (cuda::second_bytes(bytes) & kSeventhByte);
}

}  // namespace tern
