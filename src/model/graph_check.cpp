// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/graph_check.h"

#include <functional>
#include <map>
#include <queue>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/text.h"

namespace tern {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;
// Tensors that a subgraph takes from outside, each with the innermost node that wants it (null: an output of the
// graph).
// Ordered, as all tables of names here: whoever chose the names could make a hash table slow.
using FreeNames = std::map<std::string_view, const onnx::NodeProto*>;

constexpr std::string_view kExportHint = "check the file with onnx.checker.check_model, or export it again";

std::string describe(const onnx::NodeProto& node) {
  const std::string& name = node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
  return fmt::format("node {} ({})", in_quotes(name), in_quotes(node.op_type()));
}

Status made_twice(std::string_view name) {
  return make_error(StatusCode::kModelError, "the tensor {} is made twice", in_quotes(name)).with_hint(kExportHint);
}

Status not_utf8(std::string_view name) {
  return make_error(StatusCode::kModelError, "the name {} is not UTF-8", in_quotes(name)).with_hint(kExportHint);
}

// The nodes of one graph or function body.
class Body {
 public:
  explicit Body(Nodes& nodes, bool& reordered) : nodes_(nodes), reordered_(reordered) {}

  // A graph input or initialiser.
  Status declare(std::string_view name, bool may_repeat) {
    if (name.empty()) return make_error(StatusCode::kModelError, "a graph input or initialiser without a name");
    if (!is_utf8(name)) return not_utf8(name);
    if (!given_.insert(name).second && !may_repeat) return made_twice(name);
    return {};
  }
  // Links, checks and sorts the nodes. What nothing here makes is added to `free`.
  Status check(FreeNames& free);
  [[nodiscard]] bool makes(std::string_view name) const { return given_.contains(name) || makers_.contains(name); }

 private:
  Status collect_outputs();
  Status check_subgraphs(int index, std::vector<std::string_view>& wanted, FreeNames& inner);
  Status link(FreeNames& free);
  Status sort();

  Nodes& nodes_;
  bool& reordered_;
  std::set<std::string_view> given_;
  std::map<std::string_view, int> makers_;  // tensor -> the node that makes it
  std::vector<std::vector<int>> users_;     // node -> the nodes that wait for it
  std::vector<int> waits_;                  // node -> how many edges it waits for
};

Status check_graph(onnx::GraphProto& graph, FreeNames& free, bool& reordered) {
  Body body(*graph.mutable_node(), reordered);
  for (const auto& input : graph.input())
    TERN_RETURN_IF_ERROR(body.declare(input.name(), false));
  std::set<std::string_view> initializers;
  for (const auto& tensor : graph.initializer()) {
    // Older exporters list each initialiser as an input too.
    TERN_RETURN_IF_ERROR(body.declare(tensor.name(), true));
    if (!initializers.insert(tensor.name()).second) return made_twice(tensor.name());
  }
  TERN_RETURN_IF_ERROR(body.check(free));
  std::set<std::string_view> outputs;
  for (const auto& output : graph.output()) {
    if (!outputs.insert(output.name()).second) {
      return make_error(StatusCode::kModelError, "the output {} is listed twice", in_quotes(output.name()))
          .with_hint(kExportHint);
    }
    if (!body.makes(output.name())) free.try_emplace(output.name(), nullptr);
  }
  return {};
}

Status Body::collect_outputs() {
  for (int i = 0; i < nodes_.size(); ++i) {
    const onnx::NodeProto& node = nodes_[i];
    if (node.op_type().empty()) {
      return make_error(StatusCode::kModelError, "a node without an operator").at(describe(node));
    }
    for (const auto* text : {&node.name(), &node.op_type(), &node.domain()}) {
      if (!is_utf8(*text)) return not_utf8(*text).at(describe(node));
    }
    for (const std::string& output : node.output()) {
      if (output.empty()) continue;  // an optional output that is not wanted
      if (!is_utf8(output)) return not_utf8(output).at(describe(node));
      if (given_.contains(output) || !makers_.emplace(output, i).second) return made_twice(output).at(describe(node));
    }
  }
  return {};
}

Status Body::check_subgraphs(int index, std::vector<std::string_view>& wanted, FreeNames& inner) {
  onnx::NodeProto& node = nodes_[index];
  for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
    FreeNames names;
    if (attribute.has_g()) {
      const Status status = check_graph(*attribute.mutable_g(), names, reordered_);
      if (!status.ok()) return status.at(describe(node));
    }
    for (auto& graph : *attribute.mutable_graphs()) {
      const Status status = check_graph(graph, names, reordered_);
      if (!status.ok()) return status.at(describe(node));
    }
    for (const auto& [name, user] : names) {
      wanted.push_back(name);
      inner.try_emplace(name, user);
    }
  }
  return {};
}

Status Body::link(FreeNames& free) {
  const auto count = static_cast<std::size_t>(nodes_.size());
  users_.assign(count, {});
  waits_.assign(count, 0);
  for (int i = 0; i < nodes_.size(); ++i) {
    std::vector<std::string_view> wanted;
    FreeNames inner;
    for (const std::string& input : nodes_[i].input()) {
      if (!input.empty()) wanted.emplace_back(input);  // an optional input that is not given is ""
    }
    TERN_RETURN_IF_ERROR(check_subgraphs(i, wanted, inner));
    for (const std::string_view name : wanted) {
      if (given_.contains(name)) continue;
      if (const auto maker = makers_.find(name); maker != makers_.end()) {
        users_[static_cast<std::size_t>(maker->second)].push_back(i);
        ++waits_[static_cast<std::size_t>(i)];
        continue;
      }
      const auto through = inner.find(name);
      free.try_emplace(name, through != inner.end() ? through->second : &nodes_[i]);
    }
  }
  return {};
}

Status Body::sort() {
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int i = 0; i < nodes_.size(); ++i) {
    if (waits_[static_cast<std::size_t>(i)] == 0) ready.push(i);
  }
  std::vector<int> order;
  order.reserve(users_.size());
  while (!ready.empty()) {
    const int node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const int user : users_[static_cast<std::size_t>(node)]) {
      if (--waits_[static_cast<std::size_t>(user)] == 0) ready.push(user);
    }
  }
  for (int i = 0; i < nodes_.size(); ++i) {
    if (waits_[static_cast<std::size_t>(i)] == 0) continue;
    // Nodes behind a circle wait too, so the one named is in it or depends on it.
    return make_error(StatusCode::kModelError,
                      "the graph goes in a circle: this node waits for its own result, or for "
                      "a node that does")
        .at(describe(nodes_[i]))
        .with_hint(kExportHint);
  }
  for (int i = 0; i < nodes_.size(); ++i) {
    int from = order[static_cast<std::size_t>(i)];
    while (from < i)
      from = order[static_cast<std::size_t>(from)];  // where the node went when an earlier swap moved it
    if (from == i) continue;
    nodes_.SwapElements(i, from);
    reordered_ = true;
  }
  return {};
}

Status Body::check(FreeNames& free) {
  TERN_RETURN_IF_ERROR(collect_outputs());
  TERN_RETURN_IF_ERROR(link(free));
  return sort();
}

Status nothing_makes(const FreeNames& free) {
  if (free.empty()) return {};
  const auto first = free.begin();
  return make_error(StatusCode::kModelError, "nothing makes the tensor {}", in_quotes(first->first))
      .at(first->second != nullptr ? describe(*first->second) : "output " + in_quotes(first->first))
      .with_hint(kExportHint);
}

Status check_function(onnx::FunctionProto& function, bool& reordered) {
  Body body(*function.mutable_node(), reordered);
  for (const std::string& input : function.input())
    TERN_RETURN_IF_ERROR(body.declare(input, false));
  FreeNames free;
  TERN_RETURN_IF_ERROR(body.check(free));
  for (const std::string& output : function.output()) {
    if (!body.makes(output)) free.try_emplace(output, nullptr);
  }
  return nothing_makes(free);
}

}  // namespace

Status check_graphs(onnx::ModelProto& model, bool& reordered) {
  reordered = false;
  FreeNames free;
  TERN_RETURN_IF_ERROR(check_graph(*model.mutable_graph(), free, reordered));
  TERN_RETURN_IF_ERROR(nothing_makes(free));
  for (onnx::FunctionProto& function : *model.mutable_functions()) {
    const Status status = check_function(function, reordered);
    if (!status.ok()) return status.at("function " + in_quotes(function.name()));
  }
  return {};
}

}  // namespace tern
