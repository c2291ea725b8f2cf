// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "convert.h"

#include <array>

#include "base/error.h"

namespace tern::ort_backend {
namespace {

// Indexed by DType.
constexpr std::array<ONNXTensorElementDataType, 13> kTypes{
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16,  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16,  ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,   ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL};

Result<TensorSpec> spec_of(std::string name, const Ort::TypeInfo& type) {
  if (type.GetONNXType() != ONNX_TYPE_TENSOR)
    return Status(StatusCode::kModelError, "only tensors are supported, and this is none").at(name);
  const auto tensor = type.GetTensorTypeAndShapeInfo();
  const auto dtype = from_ort(tensor.GetElementType());
  if (!dtype.ok()) return dtype.status().at(name);
  std::vector<std::int64_t> dims = tensor.GetShape();
  for (std::int64_t& d : dims)
    d = d < 0 ? Shape::kDynamic : d;
  const auto shape = Shape::from(dims);
  if (!shape.ok()) return shape.status().at(name);
  return TensorSpec{std::move(name), *dtype, *shape};
}

}  // namespace

Result<DType> from_ort(ONNXTensorElementDataType type) {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes[i] == type) return static_cast<DType>(i);
  }
  return make_error(StatusCode::kModelError, "ONNX Runtime's element type {} is not supported", static_cast<int>(type));
}

ONNXTensorElementDataType to_ort(DType dtype) noexcept {
  return kTypes[static_cast<std::size_t>(dtype)];
}

const Ort::MemoryInfo& cpu_memory() {
  static const Ort::MemoryInfo kCpu = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
  return kCpu;
}

Ort::Value to_ort(const TensorView& tensor) {
  const auto dims = tensor.shape().dims();
  return Ort::Value::CreateTensor(cpu_memory(), tensor.data(), tensor.bytes(), dims.data(), dims.size(),
                                  to_ort(tensor.dtype()));
}

Status read_ports(const Ort::Session& session, std::vector<TensorSpec>& inputs, std::vector<TensorSpec>& outputs) {
  Ort::AllocatorWithDefaultOptions allocator;
  inputs.clear();
  outputs.clear();
  for (std::size_t i = 0; i < session.GetInputCount(); ++i) {
    TERN_ASSIGN_OR_RETURN(TensorSpec spec,
                          spec_of(session.GetInputNameAllocated(i, allocator).get(), session.GetInputTypeInfo(i)));
    inputs.push_back(std::move(spec));
  }
  for (std::size_t i = 0; i < session.GetOutputCount(); ++i) {
    TERN_ASSIGN_OR_RETURN(TensorSpec spec,
                          spec_of(session.GetOutputNameAllocated(i, allocator).get(), session.GetOutputTypeInfo(i)));
    outputs.push_back(std::move(spec));
  }
  return {};
}

}  // namespace tern::ort_backend
