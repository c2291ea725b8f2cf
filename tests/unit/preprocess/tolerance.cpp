// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "unit/preprocess/tolerance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "preprocess/cpu/half.h"
#include "preprocess/cpu/reference.h"
#include "tern/preprocess.h"

namespace tern {
namespace {

/// One unit of the last place of binary16 around `value`.
double half_ulp_of(double value) {
  return std::ldexp(1.0, std::max(std::ilogb(std::max(std::abs(value), 1e-30)), -14) - 10);
}

}  // namespace

double element(const TensorView& out, std::size_t i) {
  if (out.dtype() == DType::kF32) return out.as<float>()[i];
  if (out.dtype() == DType::kF16) return float_from_half(out.as<std::uint16_t>()[i]);
  return out.as<std::uint8_t>()[i];
}

double bound(const InputContract& contract, std::size_t channel, double exact) {
  if (channel == static_cast<std::size_t>(contract.color_channels())) return 0;
  const double slack = Preprocessor::kTolerance * (255 * std::abs(contract.scale) + std::abs(contract.mean[channel])) /
                       std::abs(contract.std[channel]);
  if (contract.dtype == DType::kF16) return slack + half_ulp_of(std::abs(exact) + slack) / 2;
  if (contract.dtype == DType::kU8) return slack + 0.5;
  return slack + std::abs(exact) * 0x1p-24;
}

std::string difference(const InputContract& contract, const Geometry& geometry, const ImageView& image,
                       const ImageView* region, const TensorView& out) {
  const auto channels = static_cast<std::size_t>(contract.channels());
  const auto width = static_cast<std::size_t>(geometry.dst_width);
  const auto height = static_cast<std::size_t>(geometry.dst_height);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const auto pixel = reference_pixel(contract, geometry, image, region, static_cast<int>(x), static_cast<int>(y));
      for (std::size_t c = 0; c < channels; ++c) {
        const double exact = contract.dtype == DType::kU8 ? std::clamp(pixel[c], 0.0, 255.0) : pixel[c];
        const bool planar = contract.layout == TensorLayout::kNchw;
        const double got = element(out, planar ? (c * height + y) * width + x : (y * width + x) * channels + c);
        if (!(std::abs(got - exact) <= bound(contract, c, exact))) {
          return "x " + std::to_string(x) + ", y " + std::to_string(y) + ", channel " + std::to_string(c) + ": got " +
                 std::to_string(got) + ", exactly " + std::to_string(exact);
        }
      }
    }
  }
  return {};
}

std::string describe(const InputContract& c, const ImageView& image, const Geometry& g) {
  return std::string(to_string(image.format)) + " " + std::to_string(image.width) + "x" + std::to_string(image.height) +
         " to " + std::to_string(g.dst_width) + "x" + std::to_string(g.dst_height) + ", resize " +
         std::string(to_string(c.resize)) + ", interpolation " + std::string(to_string(c.interpolation)) + ", color " +
         std::string(to_string(c.color)) + ", layout " + std::string(to_string(c.layout)) + ", dtype " +
         std::string(to_string(c.dtype)) + ", mask " + std::to_string(c.mask_channel);
}

}  // namespace tern
