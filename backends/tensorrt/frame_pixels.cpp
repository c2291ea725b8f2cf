// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "frame_pixels.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "ports.h"

namespace tern::trt_backend {
namespace {

constexpr std::size_t kAlignment = 256;
/// What the CPU copies before the GPU is told to fetch it: small enough to overlap, large enough for the call not to matter.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

std::size_t round_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace

Status FramePixels::check_place(const ImageView& image, int device) {
  if (image.device.kind != DeviceKind::kCuda) return {};
  if (image.device.index != device) {
    return make_error(StatusCode::kInputError, "the pixels are on {}; this engine runs on cuda:{}",
                      image.device.to_string(), device);
  }
  for (int p = 0; p < plane_count(image.format); ++p) {
    if (is_on_device(image.planes[static_cast<std::size_t>(p)].data, device)) continue;
    return make_error(StatusCode::kInputError, "plane {} is said to be on {}, but its memory is not", p,
                      image.device.to_string());
  }
  return {};
}

void FramePixels::clear() noexcept {
  planes_.clear();
  copies_.clear();
  bytes_ = 0;
  needs_host_ = false;
}

void FramePixels::add(const ImageView& image) {
  const std::size_t first = planes_.size();
  planes_.insert(planes_.end(), image.planes.begin(), image.planes.end());
  if (image.device.kind == DeviceKind::kCuda) return;
  bool is_staged = false;
  for (int p = 0; p < plane_count(image.format); ++p) {
    const ImageView::Plane& plane = image.planes[static_cast<std::size_t>(p)];
    Copy copy{};
    copy.plane = first + static_cast<std::size_t>(p);
    copy.from = plane.data;
    copy.rows = static_cast<std::size_t>(image.plane_rows(p));
    copy.row_bytes = static_cast<std::size_t>(image.plane_row_bytes(p));
    copy.stride = static_cast<std::size_t>(plane.stride);
    // A little padding is cheaper to bring along than to leave out row by row.
    copy.device_stride =
        copy.stride <= copy.row_bytes + copy.row_bytes / 8 ? copy.stride : round_up(copy.row_bytes, 16);
    copy.is_pageable = !is_pinned(plane.data);
    copy.offset = bytes_;
    bytes_ += round_up(copy.bytes(), kAlignment);
    is_staged |= copy.is_pageable;
    copies_.push_back(copy);
  }
  needs_host_ |= is_staged;
  staged_ += is_staged ? 1U : 0U;
}

void FramePixels::upload(cudaStream_t stream) {
  if (copies_.empty()) return;
  if (device_.reserve(bytes_)) ++growths_;
  if (needs_host_ && host_.reserve(bytes_)) ++growths_;
  for (const Copy& copy : copies_) {
    copy.is_pageable ? stage(copy, stream) : fetch(copy, stream);
    planes_[copy.plane] = {static_cast<const std::uint8_t*>(device_.data()) + copy.offset,
                           static_cast<std::ptrdiff_t>(copy.device_stride)};
  }
}

void FramePixels::stage(const Copy& copy, cudaStream_t stream) const {
  auto* const host = static_cast<std::uint8_t*>(host_.data()) + copy.offset;
  auto* const device = static_cast<std::uint8_t*>(device_.data()) + copy.offset;
  const std::size_t rows_a_piece = std::max<std::size_t>(kPieceBytes / copy.device_stride, 1);
  for (std::size_t row = 0; row < copy.rows; row += rows_a_piece) {
    const std::size_t rows = std::min(rows_a_piece, copy.rows - row);
    const std::size_t begin = row * copy.device_stride;
    const std::size_t bytes = (rows - 1) * copy.device_stride + copy.row_bytes;
    if (copy.device_stride == copy.stride) {
      std::memcpy(host + begin, copy.from + begin, bytes);
    } else {
      for (std::size_t r = row; r < row + rows; ++r)
        std::memcpy(host + r * copy.device_stride, copy.from + r * copy.stride, copy.row_bytes);
    }
    cuda::check(cudaMemcpyAsync(device + begin, host + begin, bytes, cudaMemcpyHostToDevice, stream),
                "cudaMemcpyAsync of pixels");
  }
}

void FramePixels::fetch(const Copy& copy, cudaStream_t stream) const {
  auto* const device = static_cast<std::uint8_t*>(device_.data()) + copy.offset;
  if (copy.device_stride == copy.stride) {
    cuda::check(cudaMemcpyAsync(device, copy.from, copy.bytes(), cudaMemcpyHostToDevice, stream),
                "cudaMemcpyAsync of pixels");
  } else {
    cuda::check(cudaMemcpy2DAsync(device, copy.device_stride, copy.from, copy.stride, copy.row_bytes, copy.rows,
                                  cudaMemcpyHostToDevice, stream),
                "cudaMemcpy2DAsync of pixels");
  }
}

}  // namespace tern::trt_backend
