// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/image.h"

#include "base/error.h"

namespace tern {

std::string_view to_string(PixelFormat format) noexcept {
  switch (format) {
    case PixelFormat::kBgr:
      return "bgr";
    case PixelFormat::kRgb:
      return "rgb";
    case PixelFormat::kBgra:
      return "bgra";
    case PixelFormat::kGray:
      return "gray";
    case PixelFormat::kNv12:
      return "nv12";
    case PixelFormat::kI420:
      return "i420";
  }
  return "?";
}

int plane_count(PixelFormat format) noexcept {
  switch (format) {
    case PixelFormat::kBgr:
    case PixelFormat::kRgb:
    case PixelFormat::kBgra:
    case PixelFormat::kGray:
      return 1;
    case PixelFormat::kNv12:
      return 2;
    case PixelFormat::kI420:
      return 3;
  }
  return 0;
}

namespace {

/// Bytes that one row of `plane` really uses.
std::ptrdiff_t row_bytes(PixelFormat format, int plane, int width) noexcept {
  const std::ptrdiff_t chroma = (static_cast<std::ptrdiff_t>(width) + 1) / 2;
  switch (format) {
    case PixelFormat::kBgr:
    case PixelFormat::kRgb:
      return std::ptrdiff_t{3} * width;
    case PixelFormat::kBgra:
      return std::ptrdiff_t{4} * width;
    case PixelFormat::kGray:
      return width;
    case PixelFormat::kNv12:
      return plane == 0 ? width : 2 * chroma;
    case PixelFormat::kI420:
      return plane == 0 ? width : chroma;
  }
  return 0;
}

}  // namespace

ImageView ImageView::packed(const std::uint8_t* data, int width, int height, PixelFormat format,
                            std::ptrdiff_t stride) noexcept {
  ImageView view;
  view.width = width;
  view.height = height;
  view.format = format;
  view.planes[0] = {data, stride != 0 ? stride : row_bytes(format, 0, width)};
  return view;
}

int ImageView::plane_rows(int plane) const noexcept {
  const bool is_chroma = plane > 0 && (format == PixelFormat::kNv12 || format == PixelFormat::kI420);
  return is_chroma ? static_cast<int>((std::int64_t{height} + 1) / 2) : height;
}

std::ptrdiff_t ImageView::plane_row_bytes(int plane) const noexcept {
  return row_bytes(format, plane, width);
}

Status ImageView::validate() const {
  if (width <= 0 || height <= 0)
    return make_error(StatusCode::kInputError, "the image is empty ({}x{})", width, height);
  if (width > kMaxSide || height > kMaxSide) {
    return make_error(StatusCode::kInputError, "the image has {}x{} pixels; the longest side supported is {}", width,
                      height, kMaxSide);
  }
  for (int p = 0; p < plane_count(format); ++p) {
    const Plane& plane = planes[static_cast<std::size_t>(p)];
    if (plane.data == nullptr)
      return make_error(StatusCode::kInputError, "plane {} of the {} image has no pixels", p, to_string(format));
    const std::ptrdiff_t needed = row_bytes(format, p, width);
    if (plane.stride < needed) {
      return make_error(StatusCode::kInputError,
                        "plane {} of the {} image has a row stride of {} bytes; {} pixels need {}", p,
                        to_string(format), plane.stride, width, needed);
    }
  }
  return {};
}

}  // namespace tern
