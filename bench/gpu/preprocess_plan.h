// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>
#include <span>
#include <vector>

#include "cuda/handles.h"
#include "preprocess/cuda/image_params.h"
#include "tern/contract.h"
#include "tern/image.h"

namespace tern::bench {

/// Enqueues a kernel such as enqueue_preprocess().
using Enqueue = cudaError_t (*)(const cuda::ImageParams*, int, const cuda::OutputParams&, cudaStream_t);

/// A batch of frames that lie where the GPU reads them, and the tensor that is made of them: all that is done once.
class PreprocessPlan {
 public:
  /// Throws tern::Error or CudaError. `frames` and `out` outlive the plan; `out` takes width x height for each frame.
  PreprocessPlan(const InputContract& contract, std::span<const ImageView> frames, int width, int height, void* out);

  void enqueue(Enqueue kernel, cudaStream_t stream) const;
  /// Bytes of the 32-byte sectors that the filter needs of the frames, and of the output.
  [[nodiscard]] double bytes_touched() const noexcept { return bytes_touched_; }

 private:
  std::vector<cuda::ImageParams> params_;
  cuda::OutputParams out_{};
  cuda::DeviceBuffer on_gpu_;
  double bytes_touched_ = 0;
};

/// The kernel that one writes first: a thread makes one pixel, works its position out by itself, reads bytes, stores
/// floats. kPacked3 to f32 NCHW, kLinear, only.
cudaError_t enqueue_simple(const cuda::ImageParams* params, int images, const cuda::OutputParams& out,
                           cudaStream_t stream);
/// A kernel that does nothing: what a launch costs.
cudaError_t enqueue_nothing(const cuda::ImageParams* params, int images, const cuda::OutputParams& out,
                            cudaStream_t stream);

}  // namespace tern::bench
