// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "convert.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace tern::trt_backend {

Result<DType> from_trt(nvinfer1::DataType type) {
  using nvinfer1::DataType;
  constexpr std::array<std::pair<DataType, DType>, 8> kTypes{{{DataType::kFLOAT, DType::kF32},
                                                              {DataType::kHALF, DType::kF16},
                                                              {DataType::kBF16, DType::kBF16},
                                                              {DataType::kINT8, DType::kI8},
                                                              {DataType::kUINT8, DType::kU8},
                                                              {DataType::kINT32, DType::kI32},
                                                              {DataType::kINT64, DType::kI64},
                                                              {DataType::kBOOL, DType::kBool}}};
  const auto found = std::ranges::find(kTypes, type, &std::pair<DataType, DType>::first);
  if (found != kTypes.end()) return found->second;
  return make_error(StatusCode::kModelError, "TensorRT's element type {} is not supported", static_cast<int>(type));
}

Result<Shape> from_trt(const nvinfer1::Dims& dims) {
  static_assert(nvinfer1::Dims::MAX_DIMS == Shape::kMaxRank);
  if (dims.nbDims < 0) return Status(StatusCode::kModelError, "a tensor of unknown rank is not supported");
  return Shape::from({dims.d, static_cast<std::size_t>(dims.nbDims)});
}

nvinfer1::Dims to_trt(const Shape& shape) noexcept {
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<std::int32_t>(shape.rank());
  std::ranges::copy(shape.dims(), dims.d);
  return dims;
}

}  // namespace tern::trt_backend
