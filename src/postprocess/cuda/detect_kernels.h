// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include "postprocess/cuda/detect_params.h"

namespace tern::cuda {

/// Enqueues what turns the output of `images` images into detections, as Postprocessor::detect() defines them: the same boxes, in
/// the same order, with the same bits.
///
/// | what    | which                                                                                                |
/// |---------|------------------------------------------------------------------------------------------------------|
/// | output  | device memory; (images, 4 + classes, anchors) or (images, anchors, 6), f32 or f16, row-major           |
/// | params  | device memory; params[i] is of image i; read when the kernels run                                     |
/// | scratch | device memory of detect_scratch_bytes(), aligned to 16 bytes                                          |
/// | results | device memory of detect_result_bytes(), aligned to 16 bytes; read_detections() reads a copy of it     |
/// | work    | one memset and three kernels, whose launch depends on the plan and `images` alone; nothing comes back |
/// |         | to the host between them                                                                             |
/// | limits  | images from 1 to 65535                                                                                |
/// | errors  | those of the launches; cudaErrorInvalidValue for a number of images out of range                      |
/// | memory  | none allocated; asynchronous on `stream`; any thread                                                  |
cudaError_t enqueue_detect(const DetectPlan& plan, const void* output, int images, const DetectImage* params,
                           void* scratch, void* results, cudaStream_t stream);

}  // namespace tern::cuda
