// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnx_schema.pb.h"

namespace tern::test {

/// A symbolic dimension ("batch") or a number.
struct Dim {
  Dim(std::int64_t value) : number(value) {}           // NOLINT(google-explicit-constructor)
  Dim(int value) : number(value) {}                    // NOLINT(google-explicit-constructor)
  Dim(const char* name) : symbol(name), number(-1) {}  // NOLINT(google-explicit-constructor)
  std::string symbol;
  std::int64_t number;
};
using Dims = std::vector<Dim>;

/// Makes small ONNX models, valid or not, for tests.
///
///   OnnxBuilder b;
///   b.input("x", {1, 3, 8, 8}).node("Relu", {"x"}, {"y"}).output("y", {1, 3, 8, 8});
///   auto model = Model::from_bytes(b.bytes());
class OnnxBuilder {
 public:
  static constexpr int kFloat = onnx::TensorProto::FLOAT;

  explicit OnnxBuilder(int opset = 17) {
    model.set_ir_version(8);
    model.set_producer_name("test");
    model.mutable_graph()->set_name("g");
    auto* import = model.add_opset_import();
    import->set_domain("");
    import->set_version(opset);
  }

  OnnxBuilder& input(std::string_view name, const Dims& dims, int type = kFloat) {
    describe(*model.mutable_graph()->add_input(), name, dims, type);
    return *this;
  }
  OnnxBuilder& output(std::string_view name, const Dims& dims, int type = kFloat) {
    describe(*model.mutable_graph()->add_output(), name, dims, type);
    return *this;
  }
  OnnxBuilder& node(std::string_view op, std::initializer_list<std::string_view> inputs,
                    std::initializer_list<std::string_view> outputs, std::string_view name = "") {
    fill(*model.mutable_graph()->add_node(), op, inputs, outputs, name);
    return *this;
  }
  /// Float weights; their number is the product of `dims`.
  OnnxBuilder& values(std::string_view name, std::initializer_list<std::int64_t> dims, const std::vector<float>& all) {
    onnx::TensorProto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name(std::string(name));
    tensor.set_data_type(kFloat);
    for (const std::int64_t dim : dims)
      tensor.add_dims(dim);
    tensor.set_raw_data(all.data(), all.size() * sizeof(float));
    return *this;
  }
  /// Attributes of the last node.
  OnnxBuilder& attribute(std::string_view name, std::int64_t value) {
    onnx::AttributeProto& a = add_attribute(name, onnx::AttributeProto::INT);
    a.set_i(value);
    return *this;
  }
  OnnxBuilder& attribute(std::string_view name, std::initializer_list<std::int64_t> values) {
    onnx::AttributeProto& a = add_attribute(name, onnx::AttributeProto::INTS);
    for (const std::int64_t value : values)
      a.add_ints(value);
    return *this;
  }
  OnnxBuilder& attribute(std::string_view name, float value) {
    onnx::AttributeProto& a = add_attribute(name, onnx::AttributeProto::FLOAT);
    a.set_f(value);
    return *this;
  }
  OnnxBuilder& attribute(std::string_view name, const char* value) {
    onnx::AttributeProto& a = add_attribute(name, onnx::AttributeProto::STRING);
    a.set_s(value);
    return *this;
  }
  /// Float weights, all of the same value.
  OnnxBuilder& weights(std::string_view name, std::initializer_list<std::int64_t> dims, float value = 0.5F) {
    onnx::TensorProto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name(std::string(name));
    tensor.set_data_type(kFloat);
    std::size_t count = 1;
    for (const std::int64_t dim : dims) {
      tensor.add_dims(dim);
      count *= static_cast<std::size_t>(dim);
    }
    const std::vector<float> values(count, value);
    tensor.set_raw_data(values.data(), count * sizeof(float));
    return *this;
  }
  OnnxBuilder& metadata(std::string_view key, std::string_view value) {
    auto* entry = model.add_metadata_props();
    entry->set_key(std::string(key));
    entry->set_value(std::string(value));
    return *this;
  }

  [[nodiscard]] std::vector<std::byte> bytes() const {
    const std::string text = model.SerializeAsString();
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
  }
  [[nodiscard]] onnx::GraphProto& graph() { return *model.mutable_graph(); }

  static void fill(onnx::NodeProto& node, std::string_view op, std::initializer_list<std::string_view> inputs,
                   std::initializer_list<std::string_view> outputs, std::string_view name = "") {
    node.set_op_type(std::string(op));
    node.set_name(std::string(name));
    for (const std::string_view text : inputs)
      node.add_input(std::string(text));
    for (const std::string_view text : outputs)
      node.add_output(std::string(text));
  }
  static void describe(onnx::ValueInfoProto& value, std::string_view name, const Dims& dims, int type) {
    value.set_name(std::string(name));
    auto* tensor = value.mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    auto* shape = tensor->mutable_shape();
    for (const Dim& dim : dims) {
      auto* d = shape->add_dim();
      if (dim.symbol.empty()) {
        d->set_dim_value(dim.number);
      } else {
        d->set_dim_param(dim.symbol);
      }
    }
  }

  onnx::ModelProto model;

 private:
  onnx::AttributeProto& add_attribute(std::string_view name, onnx::AttributeProto::AttributeType type) {
    onnx::NodeProto& node = *model.mutable_graph()->mutable_node(model.graph().node_size() - 1);
    onnx::AttributeProto& a = *node.add_attribute();
    a.set_name(std::string(name));
    a.set_type(type);
    return a;
  }
};

}  // namespace tern::test
