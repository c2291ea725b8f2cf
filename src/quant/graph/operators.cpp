// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/operators.h"

#include <algorithm>
#include <array>

namespace tern {
namespace {

using Gives = Operator::Gives;
constexpr bool kF16 = true, kNoF16 = false, kMoves = true;

// Sorted by name.
constexpr std::array kOperators = std::to_array<Operator>({
    {"Abs"},
    {"Acos"},
    {"Acosh"},
    {"Add"},
    {"And", Gives::kBool},
    {"ArgMax", Gives::kInt64},
    {"ArgMin", Gives::kInt64},
    {"Asin"},
    {"Asinh"},
    {"Atan"},
    {"Atanh"},
    {"AveragePool"},
    {"BatchNormalization"},
    {"Cast", Gives::kAttribute, kNoF16},
    {"CastLike", Gives::kSecond, kNoF16},
    {"Ceil"},
    {"Celu", Gives::kFirst, kNoF16},
    {"Clip"},
    {"Concat", Gives::kFirst, kF16, kMoves},
    {"Constant", Gives::kAttribute, kNoF16},
    {"ConstantOfShape", Gives::kAttribute, kNoF16},
    {"Conv"},
    {"ConvTranspose"},
    {"Cos"},
    {"Cosh"},
    {"CumSum", Gives::kFirst, kNoF16},
    {"DepthToSpace", Gives::kFirst, kF16, kMoves},
    {"DequantizeLinear", Gives::kSecond, kNoF16},
    {"Div"},
    {"Dropout"},
    {"Einsum"},
    {"Elu"},
    {"Equal", Gives::kBool},
    {"Erf"},
    {"Exp"},
    {"Expand", Gives::kFirst, kF16, kMoves},
    {"Flatten", Gives::kFirst, kF16, kMoves},
    {"Floor"},
    {"GRU", Gives::kFirst, kNoF16},
    {"Gather", Gives::kFirst, kF16, kMoves},
    {"GatherElements", Gives::kFirst, kF16, kMoves},
    {"GatherND", Gives::kFirst, kF16, kMoves},
    {"Gemm"},
    {"GlobalAveragePool"},
    {"GlobalLpPool"},
    {"GlobalMaxPool", Gives::kFirst, kF16, kMoves},
    {"Greater", Gives::kBool},
    {"GreaterOrEqual", Gives::kBool},
    {"HardSigmoid"},
    {"HardSwish"},
    {"Hardmax"},
    {"Identity", Gives::kFirst, kF16, kMoves},
    {"If", Gives::kUnknown, kNoF16},
    {"InstanceNormalization"},
    {"IsInf", Gives::kBool, kNoF16},
    {"IsNaN", Gives::kBool},
    {"LRN"},
    {"LSTM", Gives::kFirst, kNoF16},
    {"LayerNormalization"},
    {"LeakyRelu"},
    {"Less", Gives::kBool},
    {"LessOrEqual", Gives::kBool},
    {"Log"},
    {"LogSoftmax"},
    {"Loop", Gives::kUnknown, kNoF16},
    {"LpNormalization"},
    {"LpPool"},
    {"MatMul"},
    {"Max"},
    {"MaxPool", Gives::kFirst, kF16, kMoves},
    {"Mean"},
    {"Min"},
    {"Mish"},
    {"Mod"},
    {"Mul"},
    {"Neg"},
    {"NonMaxSuppression", Gives::kInt64, kNoF16},
    {"NonZero", Gives::kInt64},
    {"Not", Gives::kBool},
    {"OneHot", Gives::kThird, kNoF16},
    {"Or", Gives::kBool},
    {"PRelu"},
    {"Pad"},
    {"Pow"},
    {"QuantizeLinear", Gives::kUnknown, kNoF16},
    {"RandomNormal", Gives::kAttribute, kNoF16},
    {"RandomUniform", Gives::kAttribute, kNoF16},
    {"Range", Gives::kFirst, kNoF16},
    {"Reciprocal"},
    {"ReduceL1"},
    {"ReduceL2"},
    {"ReduceLogSum"},
    {"ReduceLogSumExp"},
    {"ReduceMax"},
    {"ReduceMean"},
    {"ReduceMin"},
    {"ReduceProd"},
    {"ReduceSum"},
    {"ReduceSumSquare"},
    {"Relu"},
    {"Reshape", Gives::kFirst, kF16, kMoves},
    {"Resize"},
    {"RoiAlign"},
    {"Round"},
    {"Scan", Gives::kUnknown, kNoF16},
    {"ScatterElements"},
    {"ScatterND"},
    {"Selu"},
    {"Shape", Gives::kInt64},
    {"Sigmoid"},
    {"Sign"},
    {"Sin"},
    {"Sinh"},
    {"Size", Gives::kInt64},
    {"Slice", Gives::kFirst, kF16, kMoves},
    {"Softmax"},
    {"Softplus"},
    {"Softsign"},
    {"SpaceToDepth", Gives::kFirst, kF16, kMoves},
    {"Split", Gives::kFirst, kF16, kMoves},
    {"Sqrt"},
    {"Squeeze", Gives::kFirst, kF16, kMoves},
    {"Sub"},
    {"Sum"},
    {"Tan"},
    {"Tanh"},
    {"ThresholdedRelu"},
    {"Tile", Gives::kFirst, kF16, kMoves},
    {"TopK"},
    {"Transpose", Gives::kFirst, kF16, kMoves},
    {"Trilu", Gives::kFirst, kF16},
    {"Unsqueeze", Gives::kFirst, kF16, kMoves},
    {"Upsample", Gives::kFirst, kNoF16},
    {"Where", Gives::kSecond},
    {"Xor", Gives::kBool},
});
static_assert(std::ranges::is_sorted(kOperators, {}, &Operator::name));

int type_given(const onnx::NodeProto& node, const TensorTypes& types) {
  const std::string_view op = standard_op(node);
  const auto type_of_input = [&](int i) { return i < node.input_size() ? type_of(types, node.input(i)) : 0; };
  if (op == "QuantizeLinear") {
    if (node.input_size() > 2 && !node.input(2).empty()) return type_of_input(2);
    return static_cast<int>(int_attribute(node, "output_dtype", onnx::TensorProto::UINT8));
  }
  if (op == "Constant" || op == "ConstantOfShape") {
    const onnx::AttributeProto* value = find_attribute(node, "value");
    if (value != nullptr) return value->has_t() ? value->t().data_type() : 0;
    if (op == "ConstantOfShape") return onnx::TensorProto::FLOAT;
    if (find_attribute(node, "value_float") || find_attribute(node, "value_floats")) return onnx::TensorProto::FLOAT;
    return find_attribute(node, "value_int") || find_attribute(node, "value_ints") ? onnx::TensorProto::INT64 : 0;
  }
  if (op == "Cast") return static_cast<int>(int_attribute(node, "to", 0));
  if (op == "RandomNormal" || op == "RandomUniform")
    return static_cast<int>(int_attribute(node, "dtype", onnx::TensorProto::FLOAT));
  const Operator* row = find_operator(op);
  if (row == nullptr) return 0;
  switch (row->gives) {
    case Gives::kFirst:
      return type_of_input(0);
    case Gives::kSecond:
      return type_of_input(1);
    case Gives::kThird:
      return type_of_input(2);
    case Gives::kInt64:
      return onnx::TensorProto::INT64;
    case Gives::kBool:
      return onnx::TensorProto::BOOL;
    case Gives::kAttribute:
    case Gives::kUnknown:
      return 0;
  }
  return 0;
}

// Outputs behind the first that are of another type.
int type_of_further_output(std::string_view op, int first) {
  if (op == "TopK" || op == "MaxPool") return onnx::TensorProto::INT64;
  if (op == "Dropout") return onnx::TensorProto::BOOL;
  if (op == "LayerNormalization") return onnx::TensorProto::FLOAT;
  return first;
}

}  // namespace

const Operator* find_operator(std::string_view name) noexcept {
  const auto* found = std::ranges::lower_bound(kOperators, name, {}, &Operator::name);
  return found != kOperators.end() && found->name == name ? &*found : nullptr;
}

bool moves_values(const onnx::NodeProto& node) {
  const std::string_view op = standard_op(node);
  if (op == "Resize") {
    const onnx::AttributeProto* mode = find_attribute(node, "mode");
    const onnx::AttributeProto* transform = find_attribute(node, "coordinate_transformation_mode");
    const bool extrapolates = transform != nullptr && transform->s() == "tf_crop_and_resize";
    return (mode == nullptr || mode->s() == "nearest") && !extrapolates;
  }
  const Operator* row = find_operator(op);
  return row != nullptr && row->moves;
}

int data_inputs(const onnx::NodeProto& node) {
  return standard_op(node) == "Concat" ? node.input_size() : std::min(node.input_size(), 1);
}

TensorTypes infer_types(const GraphEdit& edit) {
  TensorTypes types;
  const auto stated = [&](const auto& values) {
    for (const auto& value : values)
      if (value.type().has_tensor_type()) types.emplace(value.name(), value.type().tensor_type().elem_type());
  };
  stated(edit.graph().input());
  stated(edit.graph().output());
  stated(edit.graph().value_info());
  for (const auto& tensor : edit.graph().initializer())
    types.insert_or_assign(tensor.name(), tensor.data_type());
  for (int i = 0; i < edit.node_count(); ++i) {
    const onnx::NodeProto& node = edit.node(i);
    const int given = type_given(node, types);
    for (int k = 0; k < node.output_size(); ++k) {
      const int type = k == 0 ? given : type_of_further_output(standard_op(node), given);
      // What follows from the operators counts more than what the file states.
      if (type != 0 && !node.output(k).empty()) types.insert_or_assign(node.output(k), type);
    }
  }
  return types;
}

int type_of(const TensorTypes& types, std::string_view tensor) {
  const auto found = types.find(tensor);
  return found == types.end() ? 0 : found->second;
}

}  // namespace tern
