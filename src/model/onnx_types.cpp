// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/onnx_types.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tern {
namespace {

// The codes are written out: the schema found at build time may be older than the models read.
using F = TypedField;
constexpr std::nullopt_t kNone = std::nullopt;
constexpr std::array<OnnxType, 28> kTypes{{
    {1, "FLOAT", DType::kF32, 32, true, F::kFloat, 1, 1},     {2, "UINT8", DType::kU8, 8, false, F::kInt32, 1, 1},
    {3, "INT8", DType::kI8, 8, false, F::kInt32, 1, 1},       {4, "UINT16", DType::kU16, 16, false, F::kInt32, 1, 1},
    {5, "INT16", DType::kI16, 16, false, F::kInt32, 1, 1},    {6, "INT32", DType::kI32, 32, false, F::kInt32, 1, 1},
    {7, "INT64", DType::kI64, 64, false, F::kInt64, 1, 1},    {8, "STRING", kNone, 0, false, F::kString, 1, 1},
    {9, "BOOL", DType::kBool, 8, false, F::kInt32, 1, 1},     {10, "FLOAT16", DType::kF16, 16, true, F::kInt32, 1, 1},
    {11, "DOUBLE", DType::kF64, 64, true, F::kDouble, 1, 1},  {12, "UINT32", DType::kU32, 32, false, F::kUint64, 1, 1},
    {13, "UINT64", DType::kU64, 64, false, F::kUint64, 1, 1}, {14, "COMPLEX64", kNone, 64, false, F::kFloat, 2, 1},
    {15, "COMPLEX128", kNone, 128, false, F::kDouble, 2, 1},  {16, "BFLOAT16", DType::kBF16, 16, true, F::kInt32, 1, 1},
    {17, "FLOAT8E4M3FN", kNone, 8, true, F::kInt32, 1, 1},    {18, "FLOAT8E4M3FNUZ", kNone, 8, true, F::kInt32, 1, 1},
    {19, "FLOAT8E5M2", kNone, 8, true, F::kInt32, 1, 1},      {20, "FLOAT8E5M2FNUZ", kNone, 8, true, F::kInt32, 1, 1},
    {21, "UINT4", kNone, 4, false, F::kInt32, 1, 2},          {22, "INT4", kNone, 4, false, F::kInt32, 1, 2},
    {23, "FLOAT4E2M1", kNone, 4, true, F::kInt32, 1, 2},      {24, "FLOAT8E8M0", kNone, 8, true, F::kInt32, 1, 1},
    {25, "UINT2", kNone, 2, false, F::kInt32, 1, 4},          {26, "INT2", kNone, 2, false, F::kInt32, 1, 4},
    {27, "FLOAT6E2M3", kNone, 6, true, F::kInt32, 1, 1},      {28, "FLOAT6E3M2", kNone, 6, true, F::kInt32, 1, 1},
}};

}  // namespace

const OnnxType* find_onnx_type(int code) noexcept {
  const auto* found = std::ranges::find(kTypes, code, &OnnxType::code);
  return found == kTypes.end() ? nullptr : &*found;
}

std::string onnx_type_name(int code) {
  const OnnxType* type = find_onnx_type(code);
  return type != nullptr ? std::string(type->name) : fmt::format("type {}", code);
}

}  // namespace tern
