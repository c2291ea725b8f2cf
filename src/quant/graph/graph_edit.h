// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "onnx_schema.pb.h"
#include "tern/model.h"

namespace tern {

/// One node of the main graph reads a tensor at this input.
struct TensorUse {
  int node, input;
};

/// A model being edited: a copy of its protobuf, an index of its main graph, and nodes to be put in or taken out. Node numbers
/// hold until commit(), which is when the edits take place; tensors may be renamed in between only where nobody asks for them.
/// Tables are ordered: whoever chose the names could make a hash table slow.
class GraphEdit {
 public:
  explicit GraphEdit(const Model& model);

  /// The model's name in messages.
  [[nodiscard]] const std::string& label() const noexcept { return label_; }
  [[nodiscard]] onnx::ModelProto& model() noexcept { return model_; }
  [[nodiscard]] const onnx::ModelProto& model() const noexcept { return model_; }
  [[nodiscard]] onnx::GraphProto& graph() noexcept { return *model_.mutable_graph(); }
  [[nodiscard]] const onnx::GraphProto& graph() const noexcept { return model_.graph(); }
  [[nodiscard]] int node_count() const noexcept { return graph().node_size(); }
  [[nodiscard]] const onnx::NodeProto& node(int i) const { return graph().node(i); }
  [[nodiscard]] onnx::NodeProto& node(int i) { return *graph().mutable_node(i); }

  /// The node that makes a tensor; -1: an input, an initialiser, or none.
  [[nodiscard]] int maker(std::string_view tensor) const;
  [[nodiscard]] const std::vector<TensorUse>& uses(std::string_view tensor) const;
  [[nodiscard]] bool is_output(std::string_view tensor) const { return outputs_.contains(tensor); }
  /// Read by a node inside a subgraph of one of the main graph's nodes.
  [[nodiscard]] bool is_read_inside(std::string_view tensor) const { return inner_.contains(tensor); }
  /// The values behind a tensor that does not depend on the inputs: an initialiser or a Constant's tensor, also through Identity;
  /// else null. Valid until commit().
  [[nodiscard]] const onnx::TensorProto* constant(std::string_view tensor) const;

  /// `wanted`, or with a number behind it where that is taken, in any graph of the model. Taken from now on.
  [[nodiscard]] std::string unique(std::string_view wanted);
  /// An initialiser of a unique name like `wanted`.
  onnx::TensorProto& new_initializer(std::string_view wanted);
  /// A node with a unique name like `wanted`, to stand before node `position` of today's numbering.
  onnx::NodeProto& insert_before(int position, std::string_view op, std::string_view wanted);
  void remove(int node) { removed_.insert(node); }
  /// Puts in and takes out, drops initialisers among `replaced` that nothing reads any more, and reads the graph anew.
  void commit(const std::set<std::string, std::less<>>& replaced = {});

  /// The edited model, read and checked as any other.
  [[nodiscard]] Result<Model> finish() const;

 private:
  void index();
  [[nodiscard]] const onnx::TensorProto* constant_made(const onnx::NodeProto& node) const;
  void collect_names(const onnx::GraphProto& graph);
  void collect_reads_inside(const onnx::GraphProto& graph);
  void drop_unread(const std::set<std::string, std::less<>>& names);

  std::string label_;
  onnx::ModelProto model_;
  std::set<std::string, std::less<>> names_, outputs_, inner_;
  std::map<std::string, int, std::less<>> makers_;
  std::map<std::string, const onnx::TensorProto*, std::less<>> constants_;
  std::map<std::string, std::vector<TensorUse>, std::less<>> uses_;
  std::map<int, std::vector<onnx::NodeProto>> inserted_;
  std::set<int> removed_;
};

/// Its name, or where it has none, what it makes.
[[nodiscard]] const std::string& name_of(const onnx::NodeProto& node) noexcept;
/// "node 'x' (Conv)", for messages.
[[nodiscard]] std::string describe(const onnx::NodeProto& node);
/// The operator of ONNX's own domain, "" for those of others.
[[nodiscard]] std::string_view standard_op(const onnx::NodeProto& node) noexcept;
/// Null where the node has no such attribute.
[[nodiscard]] const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, std::string_view name);
[[nodiscard]] std::int64_t int_attribute(const onnx::NodeProto& node, std::string_view name, std::int64_t otherwise);
void set_attribute(onnx::NodeProto& node, std::string_view name, std::int64_t value);
void set_attribute(onnx::NodeProto& node, std::string_view name, std::string_view value);

}  // namespace tern
