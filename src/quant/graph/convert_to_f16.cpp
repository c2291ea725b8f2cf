// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "quant/graph/f16_rules.h"
#include "quant/graph/opset.h"
#include "quant/graph/tensor_values.h"
#include "tern/quantize.h"

namespace tern {
namespace {

using Kind = F16Decision::Kind;

/// Writes the decisions into the graph. A tensor keeps its name in the type its node makes, but for outputs of the graph and
/// tensors that subgraphs read: those keep it for f32.
class F16Writer {
 public:
  F16Writer(GraphEdit& edit, TensorTypes types, const std::vector<F16Decision>& decisions)
      : edit_(edit), types_(std::move(types)), decisions_(decisions) {}

  /// The number of casts added.
  std::size_t write();

 private:
  struct Names {
    std::string f16, f32;  ///< empty until somebody wants it
  };

  void name_outputs(int node);
  void rewire(int node);
  std::string constant_as_f16(const std::string& name);
  std::string activation_as(const std::string& name, bool f16);
  void cast(const std::string& from, const std::string& to, int type, const std::string& original);
  [[nodiscard]] bool is_f32(std::string_view tensor) const {
    return type_of(types_, tensor) == onnx::TensorProto::FLOAT;
  }
  [[nodiscard]] Kind kind(int node) const { return decisions_[static_cast<std::size_t>(node)].kind; }

  GraphEdit& edit_;
  TensorTypes types_;
  const std::vector<F16Decision>& decisions_;
  std::map<std::string, Names, std::less<>> names_;         ///< of activations, by their name in the model
  std::map<std::string, std::string, std::less<>> halves_;  ///< of constants
  std::set<std::string, std::less<>> replaced_;
  std::size_t casts_ = 0;
};

void F16Writer::cast(const std::string& from, const std::string& to, int type, const std::string& original) {
  onnx::NodeProto& node = edit_.insert_before(edit_.maker(original) + 1, "Cast", to + "_Cast");
  node.add_input(from);
  node.add_output(to);
  set_attribute(node, "to", std::int64_t{type});
  ++casts_;
}

// Before any input is renamed: makers are still found by their old names.
void F16Writer::name_outputs(int node) {
  for (int k = 0; k < edit_.node(node).output_size(); ++k) {
    const std::string name = edit_.node(node).output(k);
    if (!is_f32(name)) continue;
    Names& names = names_[name];
    if (kind(node) != Kind::kF16) {
      names.f32 = name;
      continue;
    }
    if (!edit_.is_output(name) && !edit_.is_read_inside(name)) {
      names.f16 = name;
      continue;
    }
    names.f32 = name;
    names.f16 = edit_.unique(name + "_f16");
    cast(names.f16, name, onnx::TensorProto::FLOAT, name);
  }
}

std::string F16Writer::constant_as_f16(const std::string& name) {
  const auto [place, added] = halves_.emplace(name, "");
  if (added) {
    const onnx::TensorProto& tensor = *edit_.constant(name);
    const std::vector<float> values = float_values(tensor);
    onnx::TensorProto& half = edit_.new_initializer(name + "_f16");
    set_halves(half, dims_of(tensor), values);
    place->second = half.name();
    replaced_.insert(name);
  }
  return place->second;
}

std::string F16Writer::activation_as(const std::string& name, bool f16) {
  const auto [place, added] = names_.try_emplace(name);
  Names& names = place->second;
  if (added) names.f32 = name;  // an input of the graph
  std::string& wanted = f16 ? names.f16 : names.f32;
  if (wanted.empty()) {
    wanted = edit_.unique(name + (f16 ? "_f16" : "_f32"));
    cast(f16 ? names.f32 : names.f16, wanted, f16 ? onnx::TensorProto::FLOAT16 : onnx::TensorProto::FLOAT, name);
  }
  return wanted;
}

void F16Writer::rewire(int node) {
  for (int k = 0; k < edit_.node(node).input_size(); ++k) {
    const std::string name = edit_.node(node).input(k);
    if (!is_f32(name)) continue;
    const bool f16 = kind(node) == Kind::kF16 && !is_f32_input(edit_.node(node), k);
    if (edit_.constant(name) != nullptr) {
      if (f16) edit_.node(node).set_input(k, constant_as_f16(name));
      continue;
    }
    // Shape and Cast take either; they are spared a cast of their own.
    const std::string_view op = standard_op(edit_.node(node));
    if (op == "Shape" || op == "Size" || op == "Cast") {
      const auto found = names_.find(name);
      if (found != names_.end() && !found->second.f16.empty() && found->second.f32.empty())
        edit_.node(node).set_input(k, found->second.f16);
      continue;
    }
    edit_.node(node).set_input(k, activation_as(name, f16));
  }
}

std::size_t F16Writer::write() {
  const int count = edit_.node_count();
  for (int i = 0; i < count; ++i)
    name_outputs(i);
  for (int i = 0; i < count; ++i)
    rewire(i);
  for (int i = 0; i < count; ++i) {
    if (kind(i) != Kind::kF16) continue;
    for (int k = 0; k < edit_.node(i).output_size(); ++k) {
      const auto found = names_.find(edit_.node(i).output(k));
      if (found != names_.end()) edit_.node(i).set_output(k, found->second.f16);
    }
  }
  for (auto& value : *edit_.graph().mutable_value_info()) {
    const auto found = names_.find(value.name());
    if (found != names_.end() && found->second.f16 == value.name())
      value.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT16);
  }
  edit_.commit(replaced_);
  return casts_;
}

bool has_quantizers(const onnx::GraphProto& graph) {
  return std::ranges::any_of(graph.node(), [](const auto& node) {
    return standard_op(node) == "QuantizeLinear" || standard_op(node) == "DequantizeLinear";
  });
}

Status convert(GraphEdit& edit, const F16Options& options, F16Summary& summary) {
  constexpr float kLargestF16 = 65504;
  if (!(options.max_abs > 0 && options.max_abs <= kLargestF16)) {
    return make_error(StatusCode::kConfigError, "max_abs of {}; it must lie above 0 and be at most {}", options.max_abs,
                      kLargestF16);
  }
  constexpr int kF16Opset = 13, kF16ScalesOpset = 19;
  TERN_RETURN_IF_ERROR(lift_opset(edit, has_quantizers(edit.graph()) ? kF16ScalesOpset : kF16Opset));
  TERN_ASSIGN_OR_RETURN(const NodeFilter filter, NodeFilter::create(edit, options.exclude_nodes, options.exclude_ops));
  TensorTypes types = infer_types(edit);
  const std::vector<F16Decision> decisions = decide_f16(edit, types, options, filter);
  for (int i = 0; i < edit.node_count(); ++i) {
    const F16Decision& decision = decisions[static_cast<std::size_t>(i)];
    if (decision.kind == Kind::kF16) ++summary.f16_nodes;
    if (!decision.reason.empty())
      summary.f32_nodes.push_back({name_of(edit.node(i)), edit.node(i).op_type(), decision.reason});
  }
  summary.casts = F16Writer(edit, std::move(types), decisions).write();
  return {};
}

}  // namespace

Result<Model> convert_to_f16(const Model& model, const F16Options& options, F16Summary* summary) {
  GraphEdit edit(model);
  F16Summary done;
  if (const Status status = convert(edit, options, done); !status.ok()) return status.at(edit.label());
  TERN_ASSIGN_OR_RETURN(Model result, edit.finish());
  if (summary != nullptr) *summary = std::move(done);
  return result;
}

}  // namespace tern
