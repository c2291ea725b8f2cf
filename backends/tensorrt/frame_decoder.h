// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime_api.h>
#include <memory>
#include <span>

#include "tern/contract.h"
#include "tern/frame_path.h"
#include "tern/geometry.h"
#include "tern/tensor.h"

namespace tern::trt_backend {

/// From the model's output on the device to results. What the kernels need of each image, and what comes back, lies in pinned
/// memory, so that a graph of enqueue() stays right for every frame.
class FrameDecoder {
 public:
  /// For outputs of `shape` with `shape[0]` rows at most. Boxes and masks are decoded on the device; other outputs, and detections
  /// by the thousand, come back as they are, for the CPU. Errors of Postprocessor::create(), or a shape that is not the
  /// contract's. Throws CudaError.
  [[nodiscard]] static Result<std::unique_ptr<FrameDecoder>> make(const OutputContract& contract, const Shape& shape,
                                                                  DType dtype);
  virtual ~FrameDecoder() = default;

  /// Before enqueue(), for each image. Throws CudaError where memory for a larger mask is missing.
  virtual void set_image(std::size_t index, const Geometry& geometry) = 0;
  /// Enqueues copies and kernels for rows [0, images); may be captured. Throws CudaError.
  virtual void enqueue(const void* output, std::size_t images, cudaStream_t stream) = 0;
  /// Enqueues the copies whose size depends on the frame. Throws CudaError.
  virtual void enqueue_rest(std::size_t /*images*/, cudaStream_t /*stream*/) {}
  /// Once all that was enqueued has passed.
  [[nodiscard]] virtual Status read(const FrameResults& results, std::size_t images) = 0;
  /// What enqueue() brought back, to compare two runs on the same frame. Rows that were not written are as they were.
  [[nodiscard]] virtual std::span<const std::byte> raw_results() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t growths() const noexcept { return 0; }
};

}  // namespace tern::trt_backend
