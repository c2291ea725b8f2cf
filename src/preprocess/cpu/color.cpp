// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cpu/color.h"

#include <cmath>

namespace tern {
namespace {

ColorTransform::Source source_of(PixelFormat format) noexcept {
  switch (format) {
    case PixelFormat::kBgr:
    case PixelFormat::kRgb:
      return ColorTransform::Source::kPacked3;
    case PixelFormat::kBgra:
      return ColorTransform::Source::kPacked4;
    case PixelFormat::kGray:
      return ColorTransform::Source::kGray;
    case PixelFormat::kNv12:
    case PixelFormat::kI420:
      return ColorTransform::Source::kYuv;
  }
  return ColorTransform::Source::kPacked3;
}

/// One row of the YUV matrix: the channel is y + u * (U - 128) + v * (V - 128), offsets collected in the last element.
std::array<float, 4> matrix_row(double y, double black, double u, double v) noexcept {
  return {static_cast<float>(y), static_cast<float>(u), static_cast<float>(v),
          static_cast<float>(-y * black - 128 * (u + v))};
}

void set_yuv(ColorTransform& t, YuvMatrix matrix, YuvRange range) noexcept {
  const double kr = matrix == YuvMatrix::kBt601 ? 0.299 : 0.2126;
  const double kb = matrix == YuvMatrix::kBt601 ? 0.114 : 0.0722;
  const double kg = 1 - kr - kb;
  const double y = range == YuvRange::kLimited ? 255.0 / 219 : 1;
  const double c = range == YuvRange::kLimited ? 255.0 / 224 : 1;
  const double black = range == YuvRange::kLimited ? 16 : 0;
  t.red = matrix_row(y, black, 0, 2 * (1 - kr) * c);
  t.green = matrix_row(y, black, -2 * kb * (1 - kb) / kg * c, -2 * kr * (1 - kr) / kg * c);
  t.blue = matrix_row(y, black, 2 * (1 - kb) * c, 0);
}

float multiplier(const InputContract& contract, std::size_t channel) noexcept {
  return static_cast<float>(contract.scale / contract.std[channel]);
}

float addend(const InputContract& contract, std::size_t channel) noexcept {
  return static_cast<float>(-contract.mean[channel] / contract.std[channel]);
}

}  // namespace

ColorTransform ColorTransform::make(const InputContract& contract, const ImageView& image) noexcept {
  ColorTransform t;
  t.source = source_of(image.format);
  t.to_gray = contract.color == ColorOrder::kGray;
  const bool blue_first = image.format == PixelFormat::kBgr || image.format == PixelFormat::kBgra;
  t.luma = {0.299F, 0.587F, 0.114F};
  if (blue_first) t.luma = {0.114F, 0.587F, 0.299F};
  // Gray sources have one channel for all planes: their order is that of the output.
  const bool swap = t.source != Source::kGray && blue_first != (contract.color == ColorOrder::kBgr);
  for (std::size_t c = 0; c < 3; ++c) {
    t.plane[c] = t.to_gray ? 0 : (swap ? 2 - c : c);
    t.mul[c] = multiplier(contract, t.plane[c]);
    t.add[c] = addend(contract, t.plane[c]);
  }
  if (t.source == Source::kYuv) set_yuv(t, image.matrix, image.range);
  return t;
}

std::array<float, 4> normalised_padding(const InputContract& contract) noexcept {
  std::array<float, 4> value{};
  for (std::size_t c = 0; c < static_cast<std::size_t>(contract.color_channels()); ++c)
    value[c] = std::fma(static_cast<float>(contract.pad_value), multiplier(contract, c), addend(contract, c));
  return value;
}

}  // namespace tern
