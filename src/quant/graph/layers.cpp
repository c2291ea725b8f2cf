// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/layers.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "model/onnx_types.h"
#include "quant/graph/tensor_values.h"

namespace tern {
namespace {

bool has_weights(std::string_view op) {
  return op == "Conv" || op == "ConvTranspose" || op == "Gemm" || op == "MatMul";
}

/// Tensors that hold values of a Softmax, through nodes that only move values.
std::set<std::string_view> given_by_softmax(const GraphEdit& edit) {
  std::set<std::string_view> given;
  for (int i = 0; i < edit.node_count(); ++i) {
    const onnx::NodeProto& node = edit.node(i);
    const bool passes = moves_values(node) && node.input_size() > 0 && given.contains(node.input(0));
    if (standard_op(node) == "Softmax" || passes) given.insert(node.output().begin(), node.output().end());
  }
  return given;
}

int weight_axis(const onnx::NodeProto& node, const onnx::TensorProto& weight) {
  const std::string_view op = standard_op(node);
  if (op == "Conv") return 0;
  // In a grouped ConvTranspose, an index along axis 1 stands for a channel of each group.
  if (op == "ConvTranspose") return int_attribute(node, "group", 1) == 1 ? 1 : -1;
  if (op == "Gemm") return int_attribute(node, "transB", 0) != 0 ? 0 : 1;
  return weight.dims_size() == 2 ? 1 : -1;
}

std::string type_reason(std::string_view what, int type) {
  if (type == 0) return fmt::format("the type of its {} is not known", what);
  return fmt::format("its {} is {}, not FLOAT", what, onnx_type_name(type));
}

/// Why the layer cannot be quantised, whatever the options say; empty when it can.
std::string obstacle(const GraphEdit& edit, const TensorTypes& types, const onnx::NodeProto& node) {
  if (node.input_size() < 2 || node.output_size() != 1) return "it is not as ONNX defines it";
  const onnx::TensorProto* weight = edit.constant(node.input(1));
  if (edit.constant(node.input(0)) != nullptr) return "its first input is a constant";
  if (weight == nullptr) return "its weights are not constant";
  if (const int type = type_of(types, node.input(0)); type != onnx::TensorProto::FLOAT)
    return type_reason("input", type);
  if (weight->data_type() != onnx::TensorProto::FLOAT) return type_reason("weight", weight->data_type());
  const bool matrix = standard_op(node) == "MatMul" || standard_op(node) == "Gemm";
  if (weight->dims_size() < (matrix ? 2 : 3)) return "its weights have too few dimensions";
  const std::vector<float> values = float_values(*weight);
  if (values.empty()) return "its weights are empty";
  if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v); })) return "its weights hold NaN or infinity";
  return {};
}

}  // namespace

std::set<std::string_view> tensors_before(const GraphEdit& edit, const std::set<int>& nodes) {
  std::set<std::string_view> before;
  for (int i = edit.node_count() - 1; i >= 0; --i) {
    const onnx::NodeProto& node = edit.node(i);
    const bool leads = nodes.contains(i) ||
                       std::ranges::any_of(node.output(), [&](const auto& name) { return before.contains(name); });
    if (leads) before.insert(node.input().begin(), node.input().end());
  }
  before.erase("");
  return before;
}

std::vector<WeightedLayer> find_layers(const GraphEdit& edit, const TensorTypes& types, const NodeFilter& filter,
                                       bool keep_head_float) {
  std::vector<WeightedLayer> layers;
  std::set<int> able;
  const std::set<std::string_view> decoded = given_by_softmax(edit);
  for (int i = 0; i < edit.node_count(); ++i) {
    const onnx::NodeProto& node = edit.node(i);
    if (!has_weights(standard_op(node))) continue;
    WeightedLayer layer{.node = i, .reason = obstacle(edit, types, node)};
    if (layer.reason.empty()) {
      layer.axis = weight_axis(node, *edit.constant(node.input(1)));
      if (decoded.contains(node.input(0))) {
        layer.reason = "it decodes what a Softmax gives";
      } else {
        able.insert(i);
      }
    }
    layers.push_back(std::move(layer));
  }
  const std::set<std::string_view> before = tensors_before(edit, able);
  for (WeightedLayer& layer : layers) {
    if (!layer.reason.empty()) continue;
    layer.reason = filter.reason(edit.node(layer.node));
    if (layer.reason.empty() && keep_head_float && !before.contains(edit.node(layer.node).output(0)))
      layer.reason = "it is the last layer before an output";
  }
  return layers;
}

}  // namespace tern
