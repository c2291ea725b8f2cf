// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cpu/reference.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "preprocess/cpu/half.h"

namespace tern {
namespace {

using Channels = std::array<double, 3>;

/// One axis of the geometry, so that x and y share their rules.
struct Axis {
  int src = 0;
  double scale = 1, offset = 0;
};

/// The taps of one output position: pixels first, first + 1, ... last. Their weights sum to 1.
struct Taps {
  int first = 0, last = 0;
  double lo = 0, hi = 1;  ///< the box (kArea)
  double w = 0;           ///< weight of `last` (kBilinear)
  Interpolation rule = Interpolation::kNearest;

  [[nodiscard]] double weight(int pixel) const noexcept {
    switch (rule) {
      case Interpolation::kNearest:
        return 1;
      case Interpolation::kBilinear:
        return first == last ? 1 : (pixel == first ? 1 - w : w);
      case Interpolation::kArea:
        return (std::min(hi, pixel + 1.0) - std::max(lo, static_cast<double>(pixel))) / (hi - lo);
    }
    return 0;
  }
};

Taps taps_at(const Axis& axis, Interpolation rule, int i) noexcept {
  Taps t;
  t.rule = rule;
  const double position = (i + 0.5 - axis.offset) / axis.scale;
  switch (rule) {
    case Interpolation::kNearest:
      t.first = t.last = static_cast<int>(std::clamp(std::floor(position), 0.0, axis.src - 1.0));
      return t;
    case Interpolation::kBilinear: {
      const double s = std::clamp(position - 0.5, 0.0, axis.src - 1.0);
      t.first = std::min(static_cast<int>(s), std::max(axis.src - 2, 0));
      t.last = std::min(t.first + 1, axis.src - 1);
      t.w = s - t.first;
      return t;
    }
    case Interpolation::kArea:
      if (axis.scale >= 1) return taps_at(axis, Interpolation::kBilinear, i);
      t.lo = std::max((i - axis.offset) / axis.scale, 0.0);
      t.hi = std::min((i + 1 - axis.offset) / axis.scale, static_cast<double>(axis.src));
      t.first = std::min(static_cast<int>(t.lo), axis.src - 1);
      t.last = std::clamp(static_cast<int>(std::ceil(t.hi)) - 1, t.first, axis.src - 1);
      return t;
  }
  return t;
}

Channels yuv_at(const ImageView& image, int x, int y) noexcept {
  const auto at = [&](std::size_t plane, std::ptrdiff_t column, int row) {
    return static_cast<double>(image.planes[plane].data[row * image.planes[plane].stride + column]);
  };
  const std::ptrdiff_t cx = x >> 1;
  const int cy = y >> 1;
  if (image.format == PixelFormat::kNv12) return {at(0, x, y), at(1, 2 * cx, cy), at(1, 2 * cx + 1, cy)};
  return {at(0, x, y), at(1, cx, cy), at(2, cx, cy)};
}

/// The source's channels: R, G, B; or Y, U, V; or the gray value in the first.
Channels source_at(const ImageView& image, int x, int y) noexcept {
  const std::uint8_t* row = image.planes[0].data + y * image.planes[0].stride;
  const std::ptrdiff_t column = x;
  switch (image.format) {
    case PixelFormat::kBgr:
      return {double(row[3 * column + 2]), double(row[3 * column + 1]), double(row[3 * column])};
    case PixelFormat::kRgb:
      return {double(row[3 * column]), double(row[3 * column + 1]), double(row[3 * column + 2])};
    case PixelFormat::kBgra:
      return {double(row[4 * column + 2]), double(row[4 * column + 1]), double(row[4 * column])};
    case PixelFormat::kGray:
      return {double(row[column]), 0, 0};
    case PixelFormat::kNv12:
    case PixelFormat::kI420:
      return yuv_at(image, x, y);
  }
  return {};
}

Channels rgb_from_yuv(const Channels& yuv, YuvMatrix matrix, YuvRange range) noexcept {
  const double kr = matrix == YuvMatrix::kBt601 ? 0.299 : 0.2126;
  const double kb = matrix == YuvMatrix::kBt601 ? 0.114 : 0.0722;
  const double kg = 1 - kr - kb;
  const bool limited = range == YuvRange::kLimited;
  const double y = limited ? (yuv[0] - 16) * 255 / 219 : yuv[0];
  const double u = (yuv[1] - 128) * (limited ? 255.0 / 224 : 1.0);
  const double v = (yuv[2] - 128) * (limited ? 255.0 / 224 : 1.0);
  const double r = y + 2 * (1 - kr) * v;
  const double b = y + 2 * (1 - kb) * u;
  const double g = y - (2 * kr * (1 - kr) * v + 2 * kb * (1 - kb) * u) / kg;
  return {std::clamp(r, 0.0, 255.0), std::clamp(g, 0.0, 255.0), std::clamp(b, 0.0, 255.0)};
}

/// R, G, B of the resampled image, or the gray value three times.
Channels resampled(const InputContract& contract, const Geometry& g, const ImageView& image, int x, int y) noexcept {
  const Taps across = taps_at({g.src_width, g.scale_x, g.offset_x}, contract.interpolation, x);
  const Taps down = taps_at({g.src_height, g.scale_y, g.offset_y}, contract.interpolation, y);
  Channels sum{};
  for (int row = down.first; row <= down.last; ++row) {
    for (int column = across.first; column <= across.last; ++column) {
      const double weight = down.weight(row) * across.weight(column);
      const Channels pixel = source_at(image, column, row);
      for (std::size_t c = 0; c < 3; ++c)
        sum[c] += weight * pixel[c];
    }
  }
  switch (image.format) {
    case PixelFormat::kBgr:
    case PixelFormat::kRgb:
    case PixelFormat::kBgra:
      return sum;
    case PixelFormat::kGray:
      return {sum[0], sum[0], sum[0]};
    case PixelFormat::kNv12:
    case PixelFormat::kI420:
      return rgb_from_yuv(sum, image.matrix, image.range);
  }
  return sum;
}

void store(const TensorView& out, std::size_t index, double value) noexcept {
  switch (out.dtype()) {
    case DType::kF32:
      out.as<float>()[index] = static_cast<float>(value);
      return;
    case DType::kF16:
      out.as<std::uint16_t>()[index] = half_from_float(static_cast<float>(value));
      return;
    default: {  // kU8: Preprocessor accepts no other
      const double v = std::clamp(value, 0.0, 255.0);
      const double below = std::floor(v);
      const bool up = v - below > 0.5 || (v - below == 0.5 && std::fmod(below, 2.0) != 0);
      out.as<std::uint8_t>()[index] = static_cast<std::uint8_t>(below + (up ? 1 : 0));
      return;
    }
  }
}

}  // namespace

std::array<double, 4> reference_pixel(const InputContract& contract, const Geometry& geometry, const ImageView& image,
                                      const ImageView* region, int x, int y) {
  const auto colors = static_cast<std::size_t>(contract.color_channels());
  const int left = x - geometry.inner_x;
  const int top = y - geometry.inner_y;
  const bool inside = left >= 0 && left < geometry.inner_width && top >= 0 && top < geometry.inner_height;

  Channels rgb{};
  rgb.fill(contract.pad_value);
  if (inside) rgb = resampled(contract, geometry, image, x, y);
  Channels ordered = rgb;
  switch (contract.color) {
    case ColorOrder::kRgb:
      break;
    case ColorOrder::kBgr:
      std::swap(ordered[0], ordered[2]);
      break;
    case ColorOrder::kGray:
      if (inside && image.format != PixelFormat::kGray) ordered[0] = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
      break;
  }

  std::array<double, 4> value{};
  for (std::size_t c = 0; c < colors; ++c)
    value[c] = (ordered[c] * contract.scale - contract.mean[c]) / contract.std[c];
  if (contract.mask_channel && inside) {
    const Taps across = taps_at({geometry.src_width, geometry.scale_x, geometry.offset_x}, Interpolation::kNearest, x);
    const Taps down = taps_at({geometry.src_height, geometry.scale_y, geometry.offset_y}, Interpolation::kNearest, y);
    value[colors] = region->planes[0].data[down.first * region->planes[0].stride + across.first] != 0 ? 1 : 0;
  }
  return value;
}

void reference_image(const InputContract& contract, const Geometry& geometry, const ImageView& image,
                     const ImageView* region, const TensorView& out) {
  const auto width = static_cast<std::size_t>(geometry.dst_width);
  const auto height = static_cast<std::size_t>(geometry.dst_height);
  const auto channels = static_cast<std::size_t>(contract.channels());
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::array<double, 4> value =
          reference_pixel(contract, geometry, image, region, static_cast<int>(x), static_cast<int>(y));
      for (std::size_t c = 0; c < channels; ++c) {
        const bool planar = contract.layout == TensorLayout::kNchw;
        store(out, planar ? (c * height + y) * width + x : (y * width + x) * channels + c, value[c]);
      }
    }
  }
}

}  // namespace tern
