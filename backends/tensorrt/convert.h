// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInferRuntime.h>

#include "tern/tensor.h"

namespace tern::trt_backend {

/// ModelError for element types that tern does not carry (FP8, 4-bit types).
[[nodiscard]] Result<DType> from_trt(nvinfer1::DataType type);
/// Dimensions that are open become Shape::kDynamic. ModelError on an unknown rank.
[[nodiscard]] Result<Shape> from_trt(const nvinfer1::Dims& dims);
/// REQUIRES: at most Shape::kMaxRank dimensions, which every Shape has.
[[nodiscard]] nvinfer1::Dims to_trt(const Shape& shape) noexcept;

}  // namespace tern::trt_backend
