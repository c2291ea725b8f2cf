// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include "preprocess/cuda/image_params.h"

namespace tern::cuda {

/// Enqueues one kernel that turns `images` images into out.data, as Preprocessor's definition says (tern/preprocess.h),
/// within Preprocessor::kTolerance of it; every element of the output is written.
///
/// | what    | which                                                                                                |
/// |---------|------------------------------------------------------------------------------------------------------|
/// | images  | `params[i]` describes image i; all of device memory, read when the kernel runs, so that they may be   |
/// |         | written by a copy that is enqueued before; sizes, formats, crops may differ from image to image       |
/// | pixels  | device memory or pinned host memory; any stride and alignment; reads stay inside the rows' pixels     |
/// | out     | device memory, aligned to its elements; 16-byte alignment and widths divisible by 4 are faster        |
/// | launch  | grid and block depend on `out` and `images` alone: a captured launch serves frames of every geometry  |
/// | limits  | images from 1 to 65535                                                                                |
/// | errors  | what cudaGetLastError() says of the launch; cudaErrorInvalidValue for a number of images out of range |
/// | memory  | none allocated; asynchronous on `stream`; any thread                                                  |
cudaError_t enqueue_preprocess(const ImageParams* params, int images, const OutputParams& out, cudaStream_t stream);

}  // namespace tern::cuda
