// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "graph.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "base/error.h"
#include "onnx_schema.pb.h"

namespace tern::ort_backend {
namespace {

constexpr std::array<std::string_view, 9> kIntegerOps{"QLinearConv",   "QLinearMatMul",        "ConvInteger",
                                                      "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul",
                                                      "QGemm",         "DynamicQuantizeLSTM",  "QAttention"};
constexpr std::array<std::string_view, 11> kFloatOps{"Conv", "FusedConv",   "NhwcFusedConv", "ConvTranspose", "MatMul",
                                                     "Gemm", "FusedMatMul", "FusedGemm",     "Attention",     "LSTM",
                                                     "GRU"};

bool is_one_of(std::span<const std::string_view> list, std::string_view op) {
  return std::ranges::find(list, op) != list.end();
}

}  // namespace

Result<std::string> fix_inputs(const Model& model, const std::vector<dev::ShapeRange>& ranges) {
  TERN_ASSIGN_OR_RETURN(const auto bytes, model.self_contained_bytes());
  std::map<std::string_view, Shape> fixed;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const ValueInfo& input = model.inputs()[i];
    if (!(ranges[i].spec() == input.shape)) fixed.emplace(input.name, ranges[i].spec());
  }
  if (fixed.empty()) return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return Status(StatusCode::kInternalError, "the model cannot be read again");
  for (onnx::ValueInfoProto& input : *proto.mutable_graph()->mutable_input()) {
    const auto shape = fixed.find(input.name());
    if (shape == fixed.end()) continue;
    auto& dims = *input.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim();
    for (int d = 0; d < dims.size(); ++d) {
      const std::int64_t value = shape->second[static_cast<std::size_t>(d)];
      if (value != Shape::kDynamic) dims[d].set_dim_value(value);
    }
  }
  std::string out;
  if (!proto.SerializeToString(&out))
    return Status(StatusCode::kModelError, "the model with fixed shapes passes 2 GiB");
  return out;
}

Result<GraphFacts> graph_facts(std::span<const std::byte> optimised) {
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(optimised.data(), static_cast<int>(optimised.size())))
    return Status(StatusCode::kInternalError, "the optimised model cannot be read");
  for (const onnx::ValueInfoProto& output : proto.graph().output()) {
    if (output.type().has_tensor_type() && !output.type().tensor_type().has_shape())
      return Status(StatusCode::kModelError, "a tensor of unknown rank is not supported").at(output.name());
  }
  std::set<std::string_view> halves;
  for (const onnx::TensorProto& weight : proto.graph().initializer()) {
    if (weight.data_type() == onnx::TensorProto::FLOAT16) halves.insert(weight.name());
  }
  int integer = 0, half = 0, single = 0;
  for (const onnx::NodeProto& node : proto.graph().node()) {
    if (is_one_of(kIntegerOps, node.op_type())) ++integer;
    if (!is_one_of(kFloatOps, node.op_type())) continue;
    const bool is_half = std::ranges::any_of(node.input(), [&](const auto& name) { return halves.contains(name); });
    ++(is_half ? half : single);
  }
  GraphFacts facts;
  for (const auto& [precision, count] :
       {std::pair(Precision::kI8, integer), std::pair(Precision::kF16, half), std::pair(Precision::kF32, single)}) {
    if (count > 0) facts.layers[std::string(to_string(precision))] = count;
  }
  facts.precision = integer > 0 ? Precision::kI8 : half > 0 && single == 0 ? Precision::kF16 : Precision::kF32;
  return facts;
}

std::string range_key(std::size_t input) {
  return fmt::format("tern.range.{}", input);
}

std::string ranges_as_metadata(const std::vector<dev::ShapeRange>& ranges) {
  onnx::ModelProto message;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    onnx::StringStringEntryProto& entry = *message.add_metadata_props();
    entry.set_key(range_key(i));
    entry.set_value(ranges[i].to_string());
  }
  return message.SerializePartialAsString();
}

}  // namespace tern::ort_backend
