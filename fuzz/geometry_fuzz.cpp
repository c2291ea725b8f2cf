// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// Random contracts, image sizes, strides and formats: geometry keeps its promises, and the fused preprocessing agrees with
// the reference on planes that end with their last pixel.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fuzzer/FuzzedDataProvider.h>
#include <vector>

#include "preprocess/cpu/half.h"
#include "preprocess/cpu/reference.h"
#include "tern/preprocess.h"

namespace {

using namespace tern;

void check(bool holds) {
  if (!holds) std::abort();
}

InputContract contract_from(FuzzedDataProvider& data) {
  constexpr std::array kTypes{DType::kF32, DType::kF16, DType::kU8};
  InputContract contract;
  contract.resize = ResizeRule(data.ConsumeIntegralInRange(0, 3));
  contract.pad_value = data.ConsumeIntegralInRange(0, 255);
  contract.pad_side = PadSide(data.ConsumeIntegralInRange(0, 1));
  contract.rounding = Rounding(data.ConsumeIntegralInRange(0, 2));
  contract.interpolation = Interpolation(data.ConsumeIntegralInRange(0, 2));
  contract.color = ColorOrder(data.ConsumeIntegralInRange(0, 2));
  contract.layout = TensorLayout(data.ConsumeIntegralInRange(0, 1));
  contract.dtype = data.PickValueInArray(kTypes);
  contract.mask_channel = data.ConsumeBool();
  contract.scale = data.PickValueInArray({1.0, 1.0 / 255, 0.5, 1.7, -1.0, 0.0});
  for (std::size_t c = 0; c < 3; ++c) {
    contract.mean[c] = data.PickValueInArray({0.0, 0.485, 100.25, -3.0});
    contract.std[c] = data.PickValueInArray({1.0, 0.225, 57.0, -2.0});
  }
  return contract;
}

/// Any size, for the map alone.
void check_geometry(FuzzedDataProvider& data, const InputContract& contract) {
  std::array<int, 4> sides{};
  for (int& side : sides)
    side = data.ConsumeIntegral<std::int32_t>();
  const bool possible = std::all_of(sides.begin(), sides.end(), [](int s) { return s >= 1 && s <= 65536; }) &&
                        (contract.resize != ResizeRule::kNone || (sides[0] == sides[2] && sides[1] == sides[3]));
  const auto made = Geometry::make(contract, sides[0], sides[1], sides[2], sides[3]);
  check(made.ok() == possible);
  if (!possible) return check(made.status().code() == StatusCode::kInputError);
  const Geometry& g = *made;
  check(g.inner_x >= 0 && g.inner_width >= 1 && g.inner_x + g.inner_width <= g.dst_width);
  check(g.inner_y >= 0 && g.inner_height >= 1 && g.inner_y + g.inner_height <= g.dst_height);
  check(g.to_source_x(g.inner_x) >= -1e-4 && g.to_source_x(g.inner_x + g.inner_width) <= g.src_width + 1e-4);
  check(g.to_source_y(g.inner_y) >= -1e-4 && g.to_source_y(g.inner_y + g.inner_height) <= g.src_height + 1e-4);
}

/// Planes in blocks of their exact sizes, filled by a small generator: the bytes of the input are kept for the rules.
struct Image {
  Image(FuzzedDataProvider& data, PixelFormat format, int width, int height) {
    view.format = format;
    view.width = width;
    view.height = height;
    view.matrix = YuvMatrix(data.ConsumeIntegralInRange(0, 1));
    view.range = YuvRange(data.ConsumeIntegralInRange(0, 1));
    std::uint32_t state = data.ConsumeIntegral<std::uint32_t>();
    for (int p = 0; p < plane_count(format); ++p) {
      const auto i = static_cast<std::size_t>(p);
      const std::ptrdiff_t row = row_bytes(p);
      const std::ptrdiff_t stride = row + data.ConsumeIntegralInRange(0, 70);
      const std::ptrdiff_t rows = p == 0 ? height : (height + 1) / 2;
      planes[i].resize(static_cast<std::size_t>(stride * (rows - 1) + row));
      for (std::uint8_t& byte : planes[i]) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<std::uint8_t>(state >> 24);
      }
      planes[i].shrink_to_fit();
      view.planes[i] = {planes[i].data(), stride};
    }
  }

  [[nodiscard]] std::ptrdiff_t row_bytes(int plane) const {
    const int chroma = (view.width + 1) / 2;
    switch (view.format) {
      case PixelFormat::kBgr:
      case PixelFormat::kRgb:
        return 3 * view.width;
      case PixelFormat::kBgra:
        return 4 * view.width;
      case PixelFormat::kGray:
        return view.width;
      case PixelFormat::kNv12:
        return plane == 0 ? view.width : 2 * chroma;
      case PixelFormat::kI420:
        return plane == 0 ? view.width : chroma;
    }
    return 0;
  }

  ImageView view;
  std::array<std::vector<std::uint8_t>, 3> planes;
};

double element(const Tensor& out, std::size_t i) {
  if (out.dtype() == DType::kF32) return out.as<float>()[i];
  if (out.dtype() == DType::kF16) return float_from_half(out.as<std::uint16_t>()[i]);
  return out.as<std::uint8_t>()[i];
}

void check_pixel(const InputContract& contract, const Tensor& out, const std::array<double, 4>& exact,
                 std::size_t first, std::size_t step) {
  for (std::size_t c = 0; c < static_cast<std::size_t>(contract.channels()); ++c) {
    double want = exact[c];
    double bound = Preprocessor::kTolerance * (255 * std::abs(contract.scale) + std::abs(contract.mean[c])) /
                   std::abs(contract.std[c]);
    if (contract.dtype == DType::kU8) {
      want = std::clamp(want, 0.0, 255.0);
      bound += 0.5;
    } else {
      const int digits = contract.dtype == DType::kF16 ? 11 : 24;
      bound += std::max(std::abs(want) + bound, 0x1p-14) * std::ldexp(1.0, -digits);
    }
    check(std::abs(element(out, first + c * step) - want) <= bound);
  }
}

void check_pixels(FuzzedDataProvider& data, const InputContract& contract) {
  const auto format = PixelFormat(data.ConsumeIntegralInRange(0, 5));
  const int width = data.ConsumeIntegralInRange(1, 150);
  const int height = data.ConsumeIntegralInRange(1, 60);
  const bool none = contract.resize == ResizeRule::kNone;
  const int dst_width = none ? width : data.ConsumeIntegralInRange(1, 150);
  const int dst_height = none ? height : data.ConsumeIntegralInRange(1, 40);
  const Image image(data, format, width, height);
  const Image mask(data, PixelFormat::kGray, width, height);

  const bool planar = contract.layout == TensorLayout::kNchw;
  const std::int64_t channels = contract.channels();
  const Tensor out = *Tensor::create(
      contract.dtype, planar ? Shape{1, channels, dst_height, dst_width} : Shape{1, dst_height, dst_width, channels});
  auto preprocessor = Preprocessor::create(contract);
  check(preprocessor.ok());
  Geometry geometry;
  const std::span<const ImageView> regions =
      contract.mask_channel ? std::span<const ImageView>(&mask.view, 1) : std::span<const ImageView>();
  check(preprocessor->run({&image.view, 1}, regions, out.view(), {&geometry, 1}).ok());

  const auto plane = static_cast<std::size_t>(dst_width) * static_cast<std::size_t>(dst_height);
  for (std::size_t i = 0; i < plane; ++i) {
    const auto x = static_cast<int>(i) % dst_width;
    const auto y = static_cast<int>(i) / dst_width;
    const auto exact = reference_pixel(contract, geometry, image.view, &mask.view, x, y);
    check_pixel(contract, out, exact, planar ? i : i * static_cast<std::size_t>(channels), planar ? plane : 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  FuzzedDataProvider data(bytes, size);
  const InputContract contract = contract_from(data);
  check_geometry(data, contract);
  check_pixels(data, contract);
  return 0;
}
