// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "allocator.h"
#include "tern/image.h"

namespace tern::trt_backend {

/// Brings images from where they lie to the GPU. Both memories of its own grow with the largest frame.
///
/// Pageable memory goes through pinned memory in pieces, so that the CPU copies one piece while the GPU fetches the one before;
/// pinned memory is fetched as it is; device memory is used where it is.
class FramePixels {
 public:
  /// InputError when `image` is said to be on a GPU that is not `device`, or its memory is not there.
  [[nodiscard]] static Status check_place(const ImageView& image, int device);

  /// Before the images of a frame.
  void clear() noexcept;
  /// Plans the way of `image`; the addresses of its planes on the device are planes(index) once upload() has run.
  /// REQUIRES: it was validated, and check_place() passed.
  void add(const ImageView& image);
  /// Enqueues all copies. Throws CudaError.
  void upload(cudaStream_t stream);
  /// Planes of the image that was added as number `index`.
  [[nodiscard]] std::span<const ImageView::Plane> planes(std::size_t index) const noexcept {
    return std::span(planes_).subspan(index * kPlanes, kPlanes);
  }

  [[nodiscard]] std::uint64_t growths() const noexcept { return growths_; }
  [[nodiscard]] std::uint64_t staged() const noexcept { return staged_; }

 private:
  static constexpr std::size_t kPlanes = 3;
  /// One plane that is not on the device yet.
  struct Copy {
    std::size_t plane;  ///< index into planes_
    const std::uint8_t* from;
    std::size_t rows, row_bytes, stride;  ///< of the source
    std::size_t device_stride, offset;    ///< in both memories
    bool is_pageable;
    [[nodiscard]] std::size_t bytes() const noexcept { return (rows - 1) * device_stride + row_bytes; }
  };
  void stage(const Copy& copy, cudaStream_t stream) const;
  void fetch(const Copy& copy, cudaStream_t stream) const;

  std::vector<ImageView::Plane> planes_;
  std::vector<Copy> copies_;
  std::size_t bytes_ = 0;
  bool needs_host_ = false;
  Growing<cuda::PinnedBuffer> host_;
  Growing<cuda::DeviceBuffer> device_;
  std::uint64_t growths_ = 0, staged_ = 0;
};

}  // namespace tern::trt_backend
