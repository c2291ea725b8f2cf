// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "onnx_schema.pb.h"
#include "quant/graph/graph_edit.h"

namespace tern {

/// What the edits know of one operator of ONNX's own domain, up to opset 19.
struct Operator {
  /// The element type of its outputs; those that differ from output to output are told apart by name in infer_types().
  enum class Gives : std::uint8_t { kFirst, kSecond, kThird, kInt64, kBool, kAttribute, kUnknown };

  std::string_view name;
  Gives gives = Gives::kFirst;
  bool f16 = true;     ///< ONNX has it for f16, in every opset from 13 on
  bool moves = false;  ///< each value of its outputs is a value of one of its data inputs (Resize: in mode nearest)
};

/// Null for operators that are not in the table: nothing is assumed of those.
[[nodiscard]] const Operator* find_operator(std::string_view name) noexcept;

/// Each output value is a value of an input: an int8 tensor may pass with its scale.
[[nodiscard]] bool moves_values(const onnx::NodeProto& node);
/// Its inputs that carry data; the others are shapes, indices and the like.
[[nodiscard]] int data_inputs(const onnx::NodeProto& node);

/// Element types (TensorProto.DataType) of the main graph's tensors; those that are not known are missing.
using TensorTypes = std::map<std::string, int, std::less<>>;
[[nodiscard]] TensorTypes infer_types(const GraphEdit& edit);
[[nodiscard]] int type_of(const TensorTypes& types, std::string_view tensor);  ///< 0: not known

}  // namespace tern
