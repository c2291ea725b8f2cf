// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/opset.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/error.h"
#include "quant/graph/operators.h"
#include "quant/graph/tensor_values.h"

namespace tern {
namespace {

// The change of each operator whose meaning or form is not that of an earlier opset (ONNX's Changelog.md, opsets 10 to 19);
// other changes add types, or attributes whose defaults are the old behaviour.
struct Lift {
  GraphEdit& edit;
  onnx::GraphProto& graph;  ///< that holds the node: the main graph or a subgraph
  int from, to;

  [[nodiscard]] bool crosses(int opset) const noexcept { return from < opset && opset <= to; }
  Status node(onnx::NodeProto& node);

 private:
  Status refuse(const onnx::NodeProto& node, std::string_view why) const;
  void add_input(onnx::NodeProto& node, int position, const onnx::TensorProto& value);
  void ints_to_input(onnx::NodeProto& node, std::string_view attribute, int position);
  Status clip(onnx::NodeProto& node);
  Status pad(onnx::NodeProto& node);
  Status slice(onnx::NodeProto& node);
  Status resize(onnx::NodeProto& node);
  Status softmax(onnx::NodeProto& node);
  [[nodiscard]] std::optional<std::int64_t> rank(std::string_view tensor) const;
};

Status Lift::refuse(const onnx::NodeProto& node, std::string_view why) const {
  return make_error(StatusCode::kModelError, "opset {} cannot be lifted to {}: {}", from, to, why)
      .at(describe(node))
      .with_hint(fmt::format("export the model with opset {} or newer", to));
}

void drop_attribute(onnx::NodeProto& node, std::string_view name) {
  auto& all = *node.mutable_attribute();
  all.erase(std::remove_if(all.begin(), all.end(), [&](const auto& a) { return a.name() == name; }), all.end());
}

void Lift::add_input(onnx::NodeProto& node, int position, const onnx::TensorProto& value) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor = value;
  tensor.set_name(edit.unique(name_of(node) + "_input_" + std::to_string(position)));
  while (node.input_size() <= position)
    node.add_input("");
  node.set_input(position, tensor.name());
}

void Lift::ints_to_input(onnx::NodeProto& node, std::string_view attribute, int position) {
  const onnx::AttributeProto* found = find_attribute(node, attribute);
  if (found == nullptr) return;
  const std::vector<std::int64_t> values(found->ints().begin(), found->ints().end());
  onnx::TensorProto tensor;
  set_int64(tensor, std::array{static_cast<std::int64_t>(values.size())}, values);
  drop_attribute(node, attribute);
  add_input(node, position, tensor);
}

Status Lift::clip(onnx::NodeProto& node) {
  int position = 1;
  for (const std::string_view name : {"min", "max"}) {
    if (const onnx::AttributeProto* found = find_attribute(node, name)) {
      onnx::TensorProto tensor;
      set_floats(tensor, {}, std::array{found->f()});
      drop_attribute(node, name);
      add_input(node, position, tensor);
    }
    ++position;
  }
  return {};
}

Status Lift::pad(onnx::NodeProto& node) {
  ints_to_input(node, "pads", 1);
  if (const onnx::AttributeProto* value = find_attribute(node, "value")) {
    onnx::TensorProto tensor;
    set_floats(tensor, {}, std::array{value->f()});
    drop_attribute(node, "value");
    add_input(node, 2, tensor);
  }
  return node.input_size() < 2 ? refuse(node, "it has no pads") : Status();
}

Status Lift::slice(onnx::NodeProto& node) {
  ints_to_input(node, "starts", 1);
  ints_to_input(node, "ends", 2);
  ints_to_input(node, "axes", 3);
  return node.input_size() < 3 ? refuse(node, "it has no starts and ends") : Status();
}

// Upsample of opset 9 and Resize of opset 10 take (X, scales); Resize of opset 11 takes (X, roi, scales), and its default
// places pixels in another way. For scales below 1 the old text leaves open which pixel is the nearest.
Status Lift::resize(onnx::NodeProto& node) {
  if (node.input_size() != 2) return refuse(node, "it has no scales");
  const onnx::TensorProto* scales = edit.constant(node.input(1));
  const std::vector<float> values = scales != nullptr ? float_values(*scales) : std::vector<float>();
  const onnx::AttributeProto* mode = find_attribute(node, "mode");
  const bool linear = mode != nullptr && (mode->s() == "linear" || mode->s() == "bilinear");
  if (values.empty() || (!linear && std::ranges::any_of(values, [](float s) { return s < 1; })))
    return refuse(node, "its scales are not known, or below 1");
  node.set_op_type("Resize");
  const std::string scale_name = node.input(1);
  node.set_input(1, "");
  node.add_input(scale_name);
  set_attribute(node, "coordinate_transformation_mode", std::string_view("asymmetric"));
  if (linear) set_attribute(node, "mode", std::string_view("linear"));
  if (!linear) set_attribute(node, "nearest_mode", std::string_view("floor"));
  return {};
}

std::optional<std::int64_t> Lift::rank(std::string_view tensor) const {
  const auto stated = [&](const auto& values) -> std::optional<std::int64_t> {
    for (const auto& value : values)
      if (value.name() == tensor && value.type().tensor_type().has_shape())
        return value.type().tensor_type().shape().dim_size();
    return std::nullopt;
  };
  for (const auto* values : {&graph.input(), &graph.output(), &graph.value_info()})
    if (const auto found = stated(*values)) return found;
  const auto made =
      std::ranges::find_if(graph.node(), [&](const auto& n) { return n.output_size() > 0 && n.output(0) == tensor; });
  if (made == graph.node().end()) return std::nullopt;
  const std::string_view op = standard_op(*made);
  return op == "Gemm" || op == "Flatten" ? std::optional<std::int64_t>(2) : std::nullopt;
}

// Below 13, all dimensions from the axis on are one.
Status Lift::softmax(onnx::NodeProto& node) {
  const std::int64_t axis = int_attribute(node, "axis", 1);
  if (axis != -1) {
    auto found = node.input_size() > 0 ? rank(node.input(0)) : std::nullopt;
    if (!found && node.output_size() > 0) found = rank(node.output(0));
    if (!found) return refuse(node, "the rank of its input is not known");
    if (axis != *found - 1) return refuse(node, "it normalises over several dimensions at once");
  }
  set_attribute(node, "axis", std::int64_t{-1});
  return {};
}

Status Lift::node(onnx::NodeProto& node) {
  const std::string_view op = standard_op(node);
  if (op.empty()) return {};  // of another domain, whose opset stays
  if (find_operator(op) == nullptr) return refuse(node, "the operator is not known to this version of tern");
  if (crosses(11) && op == "Clip") return clip(node);
  if (crosses(11) && op == "Pad") return pad(node);
  if (crosses(10) && op == "Slice") return slice(node);
  if (crosses(11) && (op == "Resize" || op == "Upsample")) return resize(node);
  if (op == "Upsample") return refuse(node, "ONNX removed the operator in opset 10");
  if (crosses(13) && (op == "Softmax" || op == "LogSoftmax" || op == "Hardmax")) return softmax(node);
  if (crosses(12) && op == "Dropout") drop_attribute(node, "ratio");  // of training
  if (crosses(14) && op == "BatchNormalization" && node.output_size() > 1)
    return refuse(node, "it is in training mode");
  if (crosses(10) && op == "TopK") {
    const std::int64_t k = int_attribute(node, "k", -1);
    if (k < 0) return refuse(node, "it has no k");
    onnx::TensorProto tensor;
    set_int64(tensor, std::array{std::int64_t{1}}, std::array{k});
    drop_attribute(node, "k");
    add_input(node, 1, tensor);
  }
  if (crosses(13) && (op == "Squeeze" || op == "Unsqueeze" || op == "ReduceSum")) ints_to_input(node, "axes", 1);
  if (crosses(13) && op == "Split") ints_to_input(node, "split", 1);
  if (crosses(18) && op.starts_with("Reduce") && op != "ReduceSum") ints_to_input(node, "axes", 1);
  if (crosses(18) && op == "Split" && node.input_size() < 2)
    set_attribute(node, "num_outputs", std::int64_t{node.output_size()});
  if (crosses(16) && op == "RoiAlign")
    set_attribute(node, "coordinate_transformation_mode", std::string_view("output_half_pixel"));
  if (const auto* mode = find_attribute(node, "coordinate_transformation_mode");
      crosses(13) && op == "Resize" && mode != nullptr && mode->s() == "tf_half_pixel_for_nn")
    return refuse(node, "ONNX removed its way of placing pixels");
  return {};
}

Status lift_graph(GraphEdit& edit, onnx::GraphProto& graph, int from, int to) {
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    TERN_RETURN_IF_ERROR((Lift{edit, graph, from, to}.node(node)));
    for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) TERN_RETURN_IF_ERROR(lift_graph(edit, *attribute.mutable_g(), from, to));
      for (onnx::GraphProto& inner : *attribute.mutable_graphs())
        TERN_RETURN_IF_ERROR(lift_graph(edit, inner, from, to));
    }
  }
  return {};
}

}  // namespace

Status lift_opset(GraphEdit& edit, int to) {
  onnx::ModelProto& model = edit.model();
  std::int64_t from = to;
  for (const auto& import : model.opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx") from = import.version();
  if (from >= to) return {};
  if (model.functions_size() > 0) {
    return make_error(StatusCode::kModelError, "a model with functions of opset {} cannot be lifted to {}", from, to)
        .with_hint("inline the functions, or export the model with a newer opset");
  }
  TERN_RETURN_IF_ERROR(lift_graph(edit, edit.graph(), static_cast<int>(from), to));
  for (auto& import : *model.mutable_opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx") import.set_version(to);
  constexpr std::int64_t kIrOfOpset13 = 7, kIrOfOpset19 = 9;
  model.set_ir_version(std::max(model.ir_version(), to > 17 ? kIrOfOpset19 : kIrOfOpset13));
  edit.commit();
  return {};
}

}  // namespace tern
