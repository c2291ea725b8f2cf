// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess/cuda/image_params.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "base/error.h"
#include "preprocess/checks.h"
#include "preprocess/cpu/color.h"
#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/image.h"

namespace tern::cuda {
namespace {

static_assert(std::is_trivially_copyable_v<ImageParams> && std::is_standard_layout_v<ImageParams>);
static_assert(std::is_trivially_copyable_v<OutputParams> && std::is_standard_layout_v<OutputParams>);

SourceKind source_of(PixelFormat format) noexcept {
  switch (format) {
    case PixelFormat::kBgr:
    case PixelFormat::kRgb:
      return SourceKind::kPacked3;
    case PixelFormat::kBgra:
      return SourceKind::kPacked4;
    case PixelFormat::kGray:
      return SourceKind::kGray;
    case PixelFormat::kNv12:
      return SourceKind::kNv12;
    case PixelFormat::kI420:
      return SourceKind::kI420;
  }
  return SourceKind::kGray;
}

ElementKind element_of(DType dtype) noexcept {
  if (dtype == DType::kF16) return ElementKind::kF16;
  return dtype == DType::kU8 ? ElementKind::kU8 : ElementKind::kF32;
}

SampleKind sample_of(Interpolation rule) noexcept {
  switch (rule) {
    case Interpolation::kNearest:
      return SampleKind::kPoint;
    case Interpolation::kBilinear:
      return SampleKind::kLinear;
    case Interpolation::kArea:
      return SampleKind::kArea;
  }
  return SampleKind::kLinear;
}

/// Pixels of `plane`, a pixel having `step` bytes, from (x, y) on.
PlaneParams plane_at(const ImageView::Plane& plane, int x, int y, int step) noexcept {
  if (plane.data == nullptr) return {nullptr, 0};
  return {plane.data + std::ptrdiff_t{y} * plane.stride + std::ptrdiff_t{x} * step, plane.stride};
}

void set_planes(const ImageView& image, const ImageView* mask, const Crop& crop, ImageParams& params) noexcept {
  constexpr std::array<int, 5> kFirstStep{1, 3, 4, 1, 1};  // by SourceKind
  params.planes[0] = plane_at(image.planes[0], crop.x, crop.y, kFirstStep[static_cast<std::size_t>(params.source)]);
  const int chroma_step = params.source == SourceKind::kNv12 ? 2 : 1;
  for (std::size_t p = 1; p < 3; ++p)
    params.planes[p] = plane_at(image.planes[p], crop.x / 2, crop.y / 2, chroma_step);
  params.mask = {nullptr, 0};
  if (mask != nullptr) params.mask = plane_at(mask->planes[0], crop.x, crop.y, 1);
}

void set_colors(const InputContract& contract, const ImageView& image, ImageParams& params) noexcept {
  const ColorTransform t = ColorTransform::make(contract, image);
  params.reversed = !t.to_gray && t.plane[0] == 2 ? 1 : 0;
  for (std::size_t c = 0; c < 3; ++c) {
    params.mul[t.plane[c]] = t.mul[c];
    params.add[t.plane[c]] = t.add[c];
    params.luma[c] = t.luma[c];
  }
  std::copy(t.red.begin(), t.red.end(), params.red);
  std::copy(t.green.begin(), t.green.end(), params.green);
  std::copy(t.blue.begin(), t.blue.end(), params.blue);
}

Status check_crop(const ImageView& image, const Crop& crop) {
  if (crop.x >= 0 && crop.y >= 0 && crop.width > 0 && crop.height > 0 && crop.width <= image.width - crop.x &&
      crop.height <= image.height - crop.y) {
    return {};
  }
  return make_error(StatusCode::kInputError, "the crop {}x{} at ({}, {}) is not inside the image of {}x{} pixels",
                    crop.width, crop.height, crop.x, crop.y, image.width, image.height);
}

}  // namespace

Status make_image_params(const InputContract& contract, const ImageView& image, const ImageView* mask,
                         const std::optional<Crop>& crop, const OutputParams& out, ImageParams& params,
                         Geometry& geometry) {
  const Crop whole{.width = image.width, .height = image.height};
  const Crop& used = crop ? *crop : whole;
  TERN_RETURN_IF_ERROR(check_image(contract, image, mask, image.device.kind));
  TERN_RETURN_IF_ERROR(check_crop(image, used));
  TERN_ASSIGN_OR_RETURN(geometry, Geometry::make(contract, used.width, used.height, out.width, out.height));

  const Geometry& g = geometry;
  params = {};
  params.x = {g.scale_x, g.offset_x, used.width, g.inner_x, g.inner_width, used.x % 2};
  params.y = {g.scale_y, g.offset_y, used.height, g.inner_y, g.inner_height, used.y % 2};
  params.source = source_of(image.format);
  set_planes(image, mask, used, params);
  set_colors(contract, image, params);
  return {};
}

Status make_output_params(const InputContract& contract, int width, int height, void* data, OutputParams& out) {
  TERN_RETURN_IF_ERROR(check_contract(contract));
  TERN_RETURN_IF_ERROR(check_input_size(contract, width, height));
  const std::array<float, 4> padding = normalised_padding(contract);
  out = {};
  out.data = data;
  out.width = width;
  out.height = height;
  out.colors = contract.color_channels();
  out.has_mask = contract.mask_channel ? 1 : 0;
  out.is_planar = contract.layout == TensorLayout::kNchw ? 1 : 0;
  out.element = element_of(contract.dtype);
  out.sample = sample_of(contract.interpolation);
  std::copy(padding.begin(), padding.end(), out.padding);
  return {};
}

}  // namespace tern::cuda
