// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/graph/graph_edit.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

#include "base/error.h"
#include "model/model_rep.h"
#include "model/text.h"

namespace tern {
namespace {

const std::vector<TensorUse> kNoUses;

template <typename Visit>
void for_each_subgraph(const onnx::NodeProto& node, const Visit& visit) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) visit(attribute.g());
    for (const auto& graph : attribute.graphs())
      visit(graph);
  }
}

std::string_view name_of_output(const onnx::NodeProto& node) {
  return node.output_size() > 0 ? std::string_view(node.output(0)) : std::string_view();
}

}  // namespace

GraphEdit::GraphEdit(const Model& model) : label_(model.rep().label), model_(model.rep().proto) {
  collect_names(graph());
  for (const auto& function : model_.functions()) {
    for (const auto& node : function.node())
      names_.insert(node.name());
  }
  index();
}

void GraphEdit::collect_names(const onnx::GraphProto& graph) {
  for (const auto& value : graph.input())
    names_.insert(value.name());
  for (const auto& tensor : graph.initializer())
    names_.insert(tensor.name());
  for (const auto& node : graph.node()) {
    names_.insert(node.name());
    names_.insert(node.output().begin(), node.output().end());
    for_each_subgraph(node, [this](const onnx::GraphProto& inner) { collect_names(inner); });
  }
}

// Names that a subgraph makes itself are in the set too; they cannot be those of outer tensors.
void GraphEdit::collect_reads_inside(const onnx::GraphProto& graph) {
  for (const auto& node : graph.node()) {
    inner_.insert(node.input().begin(), node.input().end());
    for_each_subgraph(node, [this](const onnx::GraphProto& inner) { collect_reads_inside(inner); });
  }
  for (const auto& output : graph.output())
    inner_.insert(output.name());
}

void GraphEdit::index() {
  makers_.clear();
  constants_.clear();
  uses_.clear();
  outputs_.clear();
  inner_.clear();
  for (const auto& tensor : graph().initializer())
    constants_.emplace(tensor.name(), &tensor);
  for (const auto& output : graph().output())
    outputs_.insert(output.name());
  for (int i = 0; i < node_count(); ++i) {
    for (const std::string& output : node(i).output())
      if (!output.empty()) makers_.emplace(output, i);
    for (int k = 0; k < node(i).input_size(); ++k)
      if (!node(i).input(k).empty()) uses_[node(i).input(k)].push_back({i, k});
    for_each_subgraph(node(i), [this](const onnx::GraphProto& inner) { collect_reads_inside(inner); });
    if (const onnx::TensorProto* given = constant_made(node(i))) constants_.emplace(node(i).output(0), given);
  }
}

const onnx::TensorProto* GraphEdit::constant_made(const onnx::NodeProto& node) const {
  if (node.output_size() != 1) return nullptr;
  if (standard_op(node) == "Identity" && node.input_size() == 1) return constant(node.input(0));
  const onnx::AttributeProto* value = standard_op(node) == "Constant" ? find_attribute(node, "value") : nullptr;
  return value != nullptr && value->has_t() ? &value->t() : nullptr;
}

int GraphEdit::maker(std::string_view tensor) const {
  const auto found = makers_.find(tensor);
  return found == makers_.end() ? -1 : found->second;
}

const std::vector<TensorUse>& GraphEdit::uses(std::string_view tensor) const {
  const auto found = uses_.find(tensor);
  return found == uses_.end() ? kNoUses : found->second;
}

const onnx::TensorProto* GraphEdit::constant(std::string_view tensor) const {
  const auto found = constants_.find(tensor);
  return found == constants_.end() ? nullptr : found->second;
}

std::string GraphEdit::unique(std::string_view wanted) {
  std::string name(wanted);
  for (int i = 1; !names_.insert(name).second; ++i)
    name = fmt::format("{}_{}", wanted, i);
  return name;
}

onnx::TensorProto& GraphEdit::new_initializer(std::string_view wanted) {
  constexpr std::int64_t kIrOfFreeInitializers = 4;  // before, each had to be an input too
  model_.set_ir_version(std::max(model_.ir_version(), kIrOfFreeInitializers));
  onnx::TensorProto& tensor = *graph().add_initializer();
  tensor.set_name(unique(wanted));
  constants_.emplace(tensor.name(), &tensor);
  return tensor;
}

onnx::NodeProto& GraphEdit::insert_before(int position, std::string_view op, std::string_view wanted) {
  onnx::NodeProto& node = inserted_[position].emplace_back();
  node.set_op_type(std::string(op));
  node.set_name(unique(wanted));
  return node;
}

void GraphEdit::commit(const std::set<std::string, std::less<>>& replaced) {
  google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
  for (int i = 0; i <= node_count(); ++i) {
    if (const auto found = inserted_.find(i); found != inserted_.end()) {
      for (onnx::NodeProto& added : found->second)
        nodes.Add()->Swap(&added);
    }
    if (i < node_count() && !removed_.contains(i)) nodes.Add()->Swap(&node(i));
  }
  graph().mutable_node()->Swap(&nodes);
  inserted_.clear();
  removed_.clear();
  index();
  drop_unread(replaced);
}

void GraphEdit::drop_unread(const std::set<std::string, std::less<>>& names) {
  const auto unread = [&](std::string_view name) {
    return !name.empty() && names.contains(name) && uses(name).empty() && !is_output(name) && !is_read_inside(name);
  };
  const auto erase = [](auto& values, const auto& condition) {
    values.erase(std::remove_if(values.begin(), values.end(), condition), values.end());
  };
  // Older models list initialisers as inputs too; left there, they would have to be fed.
  erase(*graph().mutable_input(), [&](const auto& v) { return unread(v.name()) && constants_.contains(v.name()); });
  erase(*graph().mutable_initializer(), [&](const auto& v) { return unread(v.name()); });
  erase(*graph().mutable_node(),
        [&](const auto& n) { return standard_op(n) == "Constant" && unread(name_of_output(n)); });
  index();
  erase(*graph().mutable_value_info(), [&](const auto& v) { return maker(v.name()) < 0 && uses(v.name()).empty(); });
}

Result<Model> GraphEdit::finish() const {
  const std::size_t size = model_.ByteSizeLong();
  if (size > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return make_error(StatusCode::kModelError, "the edited model has {} bytes; protobuf ends at 2 GiB", size)
        .at(label_)
        .with_hint("use a smaller model");
  }
  std::string bytes;
  if (!model_.SerializeToString(&bytes))
    return make_error(StatusCode::kInternalError, "the edited model could not be serialised").at(label_);
  return Model::from_bytes(std::as_bytes(std::span(bytes)), label_);
}

const std::string& name_of(const onnx::NodeProto& node) noexcept {
  return node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
}

std::string describe(const onnx::NodeProto& node) {
  return fmt::format("node {} ({})", in_quotes(name_of(node)), in_quotes(node.op_type()));
}

std::string_view standard_op(const onnx::NodeProto& node) noexcept {
  return node.domain().empty() || node.domain() == "ai.onnx" ? std::string_view(node.op_type()) : std::string_view();
}

const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, std::string_view name) {
  const auto found = std::ranges::find(node.attribute(), name, &onnx::AttributeProto::name);
  return found == node.attribute().end() ? nullptr : &*found;
}

std::int64_t int_attribute(const onnx::NodeProto& node, std::string_view name, std::int64_t otherwise) {
  const onnx::AttributeProto* found = find_attribute(node, name);
  return found != nullptr ? found->i() : otherwise;
}

namespace {

onnx::AttributeProto& fresh_attribute(onnx::NodeProto& node, std::string_view name) {
  auto& all = *node.mutable_attribute();
  all.erase(std::remove_if(all.begin(), all.end(), [&](const auto& a) { return a.name() == name; }), all.end());
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(std::string(name));
  return attribute;
}

}  // namespace

void set_attribute(onnx::NodeProto& node, std::string_view name, std::int64_t value) {
  onnx::AttributeProto& attribute = fresh_attribute(node, name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void set_attribute(onnx::NodeProto& node, std::string_view name, std::string_view value) {
  onnx::AttributeProto& attribute = fresh_attribute(node, name);
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s(std::string(value));
}

}  // namespace tern
