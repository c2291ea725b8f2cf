// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onnx_schema.pb.h"

namespace tern {

// Values of stored tensors. Model checked that their number fits their dimensions.

/// Empty unless the tensor is FLOAT.
[[nodiscard]] std::vector<float> float_values(const onnx::TensorProto& tensor);
/// Empty unless the tensor is INT64.
[[nodiscard]] std::vector<std::int64_t> int64_values(const onnx::TensorProto& tensor);

/// Type, dimensions and values; the name stays. No dimensions: a scalar.
void set_floats(onnx::TensorProto& tensor, std::span<const std::int64_t> dims, std::span<const float> values);
void set_halves(onnx::TensorProto& tensor, std::span<const std::int64_t> dims, std::span<const float> values);
void set_int8(onnx::TensorProto& tensor, std::span<const std::int64_t> dims, std::span<const std::int8_t> values);
void set_int64(onnx::TensorProto& tensor, std::span<const std::int64_t> dims, std::span<const std::int64_t> values);
[[nodiscard]] std::vector<std::int64_t> dims_of(const onnx::TensorProto& tensor);

}  // namespace tern
