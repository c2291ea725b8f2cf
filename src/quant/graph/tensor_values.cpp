// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/tensor_values.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "preprocess/cpu/half.h"

namespace tern {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

void set_raw(onnx::TensorProto& tensor, int type, std::span<const std::int64_t> dims, const void* data,
             std::size_t bytes) {
  const std::string name = tensor.name();
  tensor.Clear();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const std::int64_t dim : dims)
    tensor.add_dims(dim);
  tensor.set_raw_data(data, bytes);
}

}  // namespace

std::vector<float> float_values(const onnx::TensorProto& tensor) {
  if (tensor.data_type() != onnx::TensorProto::FLOAT) return {};
  if (!tensor.has_raw_data()) return {tensor.float_data().begin(), tensor.float_data().end()};
  std::vector<float> values(tensor.raw_data().size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), tensor.raw_data().data(), values.size() * sizeof(float));
  return values;
}

std::vector<std::int64_t> int64_values(const onnx::TensorProto& tensor) {
  if (tensor.data_type() != onnx::TensorProto::INT64) return {};
  if (!tensor.has_raw_data()) return {tensor.int64_data().begin(), tensor.int64_data().end()};
  std::vector<std::int64_t> values(tensor.raw_data().size() / sizeof(std::int64_t));
  if (!values.empty()) std::memcpy(values.data(), tensor.raw_data().data(), values.size() * sizeof(std::int64_t));
  return values;
}

void set_floats(onnx::TensorProto& tensor, std::span<const std::int64_t> dims, std::span<const float> values) {
  set_raw(tensor, onnx::TensorProto::FLOAT, dims, values.data(), values.size_bytes());
}

void set_halves(onnx::TensorProto& tensor, std::span<const std::int64_t> dims, std::span<const float> values) {
  std::vector<std::uint16_t> halves(values.size());
  std::ranges::transform(values, halves.begin(), half_from_float);
  set_raw(tensor, onnx::TensorProto::FLOAT16, dims, halves.data(), halves.size() * sizeof(std::uint16_t));
}

void set_int8(onnx::TensorProto& tensor, std::span<const std::int64_t> dims, std::span<const std::int8_t> values) {
  set_raw(tensor, onnx::TensorProto::INT8, dims, values.data(), values.size_bytes());
}

void set_int64(onnx::TensorProto& tensor, std::span<const std::int64_t> dims, std::span<const std::int64_t> values) {
  set_raw(tensor, onnx::TensorProto::INT64, dims, values.data(), values.size_bytes());
}

std::vector<std::int64_t> dims_of(const onnx::TensorProto& tensor) {
  return {tensor.dims().begin(), tensor.dims().end()};
}

}  // namespace tern
