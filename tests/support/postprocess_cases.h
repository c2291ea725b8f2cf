// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "postprocess/cuda/detect_params.h"
#include "postprocess/cuda/segment_params.h"
#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/tensor.h"

namespace tern::test {

/// An output of a model, and what is to be made of it.
struct OutputCase {
  std::string name;
  OutputContract contract;
  Shape shape;
  DType dtype = DType::kF32;
  std::vector<std::byte> values;  ///< of dtype
  std::vector<Geometry> geometry;

  [[nodiscard]] TensorView view() const;
};

/// Random and adversarial: ties, boxes without area, chains, NaN and infinity, classes that are none, sides of blocks.
[[nodiscard]] std::vector<OutputCase> detect_cases();
[[nodiscard]] std::vector<OutputCase> segment_cases();

/// Runs the kernels of enqueue_detect() on `output` in host memory; the bytes of the results.
using DetectKernels = std::function<std::vector<std::byte>(const cuda::DetectPlan& plan, const void* output,
                                                           std::span<const cuda::DetectImage> images)>;
/// Runs the kernels of enqueue_segment(); fills a header and a mask of mask_bytes() for each image. `images` come without masks.
using SegmentKernels =
    std::function<void(const cuda::SegmentPlan& plan, const void* output, std::span<const cuda::SegmentImage> images,
                       std::span<cuda::SegmentHeader> headers, std::span<std::vector<std::uint8_t>> masks)>;

/// Empty when the kernels give what Postprocessor gives: the same bits, or the same error. Else what differs.
[[nodiscard]] std::string compare_detections(const OutputCase& test_case, const DetectKernels& kernels);
/// The same for masks. Where a softmax decides, one pixel in 10^4 may be on the other side of the threshold.
[[nodiscard]] std::string compare_masks(const OutputCase& test_case, const SegmentKernels& kernels);

}  // namespace tern::test
