// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tern/tensor.h"

namespace tern {

/// Which field of a TensorProto keeps elements of a type when raw_data does not.
enum class TypedField : std::uint8_t { kFloat, kInt32, kInt64, kUint64, kDouble, kString };

/// One element type of ONNX.
struct OnnxType {
  int code;                    ///< TensorProto.DataType
  std::string_view name;       ///< as ONNX spells it: "FLOAT16"
  std::optional<DType> dtype;  ///< none where tern has no such type
  int bits;                    ///< of one element in raw_data; 0 for strings
  bool floating;
  TypedField field;
  int per_entry_num, per_entry_den;  ///< entries of the typed field for each element, as a fraction
};

/// The row of a TensorProto.DataType; null for UNDEFINED and codes that this version does not know.
[[nodiscard]] const OnnxType* find_onnx_type(int code) noexcept;
/// "FLOAT16", or "type 99".
[[nodiscard]] std::string onnx_type_name(int code);

}  // namespace tern
