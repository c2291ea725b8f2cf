// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "tern/image.h"

namespace tern::bench {

/// BGR without row padding, in pageable memory.
struct BgrFrame {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;

  [[nodiscard]] ImageView view(const void* where = nullptr, Device device = {}) const {
    const void* const data = where != nullptr ? where : pixels.data();
    ImageView view = ImageView::packed(static_cast<const std::uint8_t*>(data), width, height, PixelFormat::kBgr);
    view.device = device;
    return view;
  }
};

inline BgrFrame noise_frame(int width, int height) {
  BgrFrame frame{
      width, height,
      std::vector<std::uint8_t>(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
  std::minstd_rand random(1);
  for (std::uint8_t& v : frame.pixels)
    v = static_cast<std::uint8_t>(random() >> 8U);
  return frame;
}

/// A binary PPM of 8 bits, empty when it is none.
inline BgrFrame read_ppm(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string magic;
  int most = 0;
  BgrFrame frame;
  in >> magic >> frame.width >> frame.height >> most;
  in.get();
  if (!in || magic != "P6" || most != 255 || frame.width < 1 || frame.height < 1) return {};
  frame.pixels.resize(std::size_t{3} * static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height));
  in.read(reinterpret_cast<char*>(frame.pixels.data()), static_cast<std::streamsize>(frame.pixels.size()));
  if (!in) return {};
  for (std::size_t i = 0; i < frame.pixels.size(); i += 3)
    std::swap(frame.pixels[i], frame.pixels[i + 2]);
  return frame;
}

/// `picture` at another size, by its nearest pixels: what it shows stays, which is what decoding depends on.
inline BgrFrame at_size(const BgrFrame& picture, int width, int height) {
  BgrFrame frame{width, height, {}};
  frame.pixels.reserve(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  for (int y = 0; y < height; ++y) {
    const std::size_t row = static_cast<std::size_t>(std::int64_t{y} * picture.height / height);
    for (int x = 0; x < width; ++x) {
      const std::size_t column = static_cast<std::size_t>(std::int64_t{x} * picture.width / width);
      const std::uint8_t* const from =
          picture.pixels.data() + 3 * (row * static_cast<std::size_t>(picture.width) + column);
      frame.pixels.insert(frame.pixels.end(), from, from + 3);
    }
  }
  return frame;
}

}  // namespace tern::bench
