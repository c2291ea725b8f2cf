// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/golden_noise.h"

#include <algorithm>
#include <array>
#include <bit>

#include "preprocess/cpu/half.h"

namespace tern {
namespace {

using Color = std::array<int, 3>;

Color random_color(NoiseSource& noise) {
  Color color{};
  for (int& c : color)
    c = noise.below(256);
  return color;
}

/// A picture whose pixels are read and written by place.
class Canvas {
 public:
  Canvas(int width, int height)
      : width_(width),
        height_(height),
        pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3) {}

  [[nodiscard]] int width() const noexcept { return width_; }
  [[nodiscard]] int height() const noexcept { return height_; }
  /// Moves pixel (x, y) towards `color` by `part` of 256.
  void blend(int x, int y, const Color& color, int part) noexcept {
    std::uint8_t* pixel = at(x, y);
    for (std::size_t c = 0; c < 3; ++c)
      pixel[c] = static_cast<std::uint8_t>((pixel[c] * (256 - part) + color[c] * part) / 256);
  }
  void add(int x, int y, int amount) noexcept {
    std::uint8_t* pixel = at(x, y);
    for (std::size_t c = 0; c < 3; ++c)
      pixel[c] = static_cast<std::uint8_t>(std::clamp(pixel[c] + amount, 0, 255));
  }
  [[nodiscard]] std::vector<std::uint8_t> take() && { return std::move(pixels_); }

 private:
  std::uint8_t* at(int x, int y) noexcept {
    return pixels_.data() +
           (static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x)) * 3;
  }
  int width_, height_;
  std::vector<std::uint8_t> pixels_;
};

/// Corner colours, blended in between.
void paint_ground(NoiseSource& noise, Canvas& canvas) {
  const Color top = random_color(noise), bottom = random_color(noise), right = random_color(noise);
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      canvas.blend(x, y, top, 256);
      canvas.blend(x, y, bottom, y * 256 / canvas.height());
      canvas.blend(x, y, right, x * 128 / canvas.width());
    }
  }
}

void paint_blob(NoiseSource& noise, Canvas& canvas) {
  const Color color = random_color(noise);
  const int cx = noise.below(canvas.width()), cy = noise.below(canvas.height());
  const std::int64_t radius = noise.between(2, std::max(2, std::max(canvas.width(), canvas.height()) / 4));
  const std::int64_t square = radius * radius;
  const auto reach = static_cast<int>(radius);
  for (int y = std::max(0, cy - reach); y < std::min(canvas.height(), cy + reach); ++y) {
    for (int x = std::max(0, cx - reach); x < std::min(canvas.width(), cx + reach); ++x) {
      const std::int64_t dx = x - cx, dy = y - cy, distance = dx * dx + dy * dy;
      if (distance < square) canvas.blend(x, y, color, static_cast<int>((square - distance) * 256 / square));
    }
  }
}

/// A rectangle of one colour, or of stripes.
void paint_rectangle(NoiseSource& noise, Canvas& canvas) {
  const Color color = random_color(noise);
  const int width = noise.between(1, std::max(1, canvas.width() / 6));
  const int height = noise.between(1, std::max(1, canvas.height() / 6));
  const int left = noise.below(canvas.width()), top = noise.below(canvas.height());
  const int period = noise.below(3) == 0 ? noise.between(2, 9) : 0;
  for (int y = top; y < std::min(canvas.height(), top + height); ++y) {
    for (int x = left; x < std::min(canvas.width(), left + width); ++x) {
      if (period == 0 || (x + y) % period < (period + 1) / 2) canvas.blend(x, y, color, 256);
    }
  }
}

/// Grain of up to 8 of 255, eight pixels a draw.
void paint_grain(NoiseSource& noise, Canvas& canvas) {
  std::uint64_t bits = 0;
  int left = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      if (left == 0) {
        bits = noise.bits();
        left = 8;
      }
      canvas.add(x, y, static_cast<int>(bits & 15) - 8);
      bits >>= 8;
      --left;
    }
  }
}

template <typename T>
void fill(const TensorView& tensor, auto&& next) {
  for (T& value : tensor.as<T>())
    value = static_cast<T>(next());
}

}  // namespace

ImageView NoiseImage::view() const noexcept {
  const bool is_gray = pixels.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  return ImageView::packed(pixels.data(), width, height, is_gray ? PixelFormat::kGray : PixelFormat::kBgr);
}

NoiseImage NoiseImage::scene(NoiseSource& noise, int width, int height) {
  constexpr int kBlobs = 12, kRectangles = 40;
  Canvas canvas(width, height);
  paint_ground(noise, canvas);
  for (int i = 0; i < kBlobs; ++i)
    paint_blob(noise, canvas);
  for (int i = 0; i < kRectangles; ++i)
    paint_rectangle(noise, canvas);
  paint_grain(noise, canvas);
  return {width, height, std::move(canvas).take()};
}

NoiseImage NoiseImage::region(NoiseSource& noise, int width, int height) {
  NoiseImage image{width, height, {}};
  image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  const int inner_width = noise.between((width + 3) / 4, width), inner_height = noise.between((height + 3) / 4, height);
  const int left = noise.between(0, width - inner_width), top = noise.between(0, height - inner_height);
  for (int y = top; y < top + inner_height; ++y) {
    const auto row = image.pixels.begin() + std::ptrdiff_t{y} * width + left;
    std::fill_n(row, inner_width, std::uint8_t{255});
  }
  return image;
}

void fill_with_noise(NoiseSource& noise, const TensorView& tensor) {
  const auto unit = [&] { return static_cast<float>(noise.below(257)) / 256.0F; };
  const auto small = [&] { return noise.below(8); };
  switch (tensor.dtype()) {
    case DType::kF32:
      return fill<float>(tensor, unit);
    case DType::kF64:
      return fill<double>(tensor, unit);
    case DType::kF16:
      return fill<std::uint16_t>(tensor, [&] { return half_from_float(unit()); });
    case DType::kBF16:  // the upper half of an f32; nine bits of mantissa are not exact in it, eight are
      return fill<std::uint16_t>(
          tensor, [&] { return std::bit_cast<std::uint32_t>(static_cast<float>(noise.below(129)) / 128.0F) >> 16; });
    case DType::kU8:
      return fill<std::uint8_t>(tensor, [&] { return noise.below(256); });
    case DType::kBool:
      return fill<std::uint8_t>(tensor, [&] { return noise.below(2); });
    case DType::kI8:
      return fill<std::int8_t>(tensor, small);
    case DType::kI16:
      return fill<std::int16_t>(tensor, small);
    case DType::kU16:
      return fill<std::uint16_t>(tensor, small);
    case DType::kI32:
      return fill<std::int32_t>(tensor, small);
    case DType::kU32:
      return fill<std::uint32_t>(tensor, small);
    case DType::kI64:
      return fill<std::int64_t>(tensor, small);
    case DType::kU64:
      return fill<std::uint64_t>(tensor, small);
  }
}

}  // namespace tern
