// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include "postprocess/cuda/segment_params.h"

namespace tern::cuda {

/// Enqueues what turns the logits of `images` images into masks, as Postprocessor::segment() defines them.
///
/// | what    | which                                                                                                |
/// |---------|------------------------------------------------------------------------------------------------------|
/// | output  | device memory; (images, classes, height, width), f32 or f16, row-major                                |
/// | params  | device memory; params[i] is of image i; read when the kernels run                                     |
/// | labels  | device memory of images * plan.pixels() bytes; not used unless plan.resamples                         |
/// | headers | device memory, one for each image; check_segmentation() reads a copy of it                            |
/// | masks   | params[i].mask; equal to the CPU's but where a softmax lies within rounding of the threshold           |
/// | work    | one memset and one or two kernels, whose launch depends on the plan and `images` alone                |
/// | limits  | images from 1 to 65535                                                                                |
/// | errors  | those of the launches; cudaErrorInvalidValue for a number of images out of range                      |
/// | memory  | none allocated; asynchronous on `stream`; any thread                                                  |
cudaError_t enqueue_segment(const SegmentPlan& plan, const void* output, int images, const SegmentImage* params,
                            std::uint8_t* labels, SegmentHeader* headers, cudaStream_t stream);

}  // namespace tern::cuda
