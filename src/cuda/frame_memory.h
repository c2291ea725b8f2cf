// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "cuda/handles.h"
#include "tern/dev/cuda_plugin.h"

namespace tern::cuda {

/// Device memory for the pixels of one frame, and a stream to bring them there. Pinned memory is fetched by the GPU as it is; pageable memory
/// goes through pinned memory in pieces, so that the CPU copies one while the GPU fetches the one before.
class FrameMemory {
 public:
  explicit FrameMemory(int device);
  /// Throws CudaError. The planes' device fields are filled.
  void upload(std::span<dev::CudaPlane> planes);

 private:
  void reserve(std::size_t bytes, bool needs_host);
  void copy(const dev::CudaPlane& plane, std::size_t offset, bool is_pinned);

  int device_;
  Stream stream_;
  std::optional<DeviceBuffer> memory_;
  std::optional<PinnedBuffer> host_;
};

}  // namespace tern::cuda
