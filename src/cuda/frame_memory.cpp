// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "cuda/frame_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tern::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
// Small enough to overlap, large enough for the call not to matter.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

std::size_t round_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

bool is_pinned(const void* memory) {
  cudaPointerAttributes attributes{};
  check(cudaPointerGetAttributes(&attributes, memory), "cudaPointerGetAttributes");
  return attributes.type == cudaMemoryTypeHost;
}

std::size_t bytes_of(const dev::CudaPlane& plane) {
  return static_cast<std::size_t>(plane.device_stride * (plane.rows - 1) + plane.row_bytes);
}

Stream stream_on(int device) {
  const DeviceGuard guard(device);
  return {};
}

}  // namespace

FrameMemory::FrameMemory(int device) : device_(device), stream_(stream_on(device)) {}

void FrameMemory::reserve(std::size_t bytes, bool needs_host) {
  if (!memory_ || memory_->bytes() < bytes) {
    memory_.reset();  // before the larger one is asked for
    memory_.emplace(bytes);
  }
  if (needs_host && (!host_ || host_->bytes() < bytes)) {
    host_.reset();
    host_.emplace(bytes);
  }
}

void FrameMemory::copy(const dev::CudaPlane& plane, std::size_t offset, bool is_pinned) {
  auto* const device = static_cast<std::uint8_t*>(plane.device_data);
  const auto stride = static_cast<std::size_t>(plane.stride),
             device_stride = static_cast<std::size_t>(plane.device_stride);
  const auto rows = static_cast<std::size_t>(plane.rows), row_bytes = static_cast<std::size_t>(plane.row_bytes);
  const auto* const from = static_cast<const std::uint8_t*>(plane.data);
  if (is_pinned) {
    check(
        cudaMemcpy2DAsync(device, device_stride, from, stride, row_bytes, rows, cudaMemcpyHostToDevice, stream_.get()),
        "cudaMemcpy2DAsync of pixels");
    return;
  }
  auto* const host = static_cast<std::uint8_t*>(host_->data()) + offset;
  const std::size_t rows_a_piece = std::max<std::size_t>(kPieceBytes / device_stride, 1);
  for (std::size_t row = 0; row < rows; row += rows_a_piece) {
    const std::size_t end = std::min(row + rows_a_piece, rows);
    for (std::size_t r = row; r < end; ++r)
      std::memcpy(host + r * device_stride, from + r * stride, row_bytes);
    const std::size_t bytes = (end - row - 1) * device_stride + row_bytes;
    check(cudaMemcpyAsync(device + row * device_stride, host + row * device_stride, bytes, cudaMemcpyHostToDevice,
                          stream_.get()),
          "cudaMemcpyAsync of pixels");
  }
}

void FrameMemory::upload(std::span<dev::CudaPlane> planes) {
  const DeviceGuard guard(device_);
  std::size_t bytes = 0;
  bool needs_host = false;
  for (dev::CudaPlane& plane : planes) {
    plane.device_stride = static_cast<std::int64_t>(round_up(static_cast<std::size_t>(plane.row_bytes), 16));
    bytes += round_up(bytes_of(plane), kAlignment);
    needs_host |= !is_pinned(plane.data);
  }
  reserve(bytes, needs_host);
  std::size_t offset = 0;
  for (dev::CudaPlane& plane : planes) {
    plane.device_data = static_cast<std::uint8_t*>(memory_->data()) + offset;
    copy(plane, offset, is_pinned(plane.data));
    offset += round_up(bytes_of(plane), kAlignment);
  }
  stream_.synchronize();
}

}  // namespace tern::cuda
