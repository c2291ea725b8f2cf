// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "model/model_rep.h"
#include "onnx_builder.h"
#include "tern/quantize.h"

namespace tern::test {

inline Model read(const OnnxBuilder& builder) {
  return Model::from_bytes(builder.bytes(), "m").value();
}

inline const onnx::GraphProto& graph_of(const Model& model) {
  return model.rep().proto.graph();
}

/// A 3x3 convolution (padded) or 1x1 one, with the weights `name`.w of different sizes.
inline OnnxBuilder& conv(OnnxBuilder& b, std::string_view in, std::string_view out, int from, int to,
                         std::string_view name, int kernel = 3) {
  std::mt19937 random(static_cast<unsigned>(name.size() * 31 + static_cast<std::size_t>(from) * 7));
  std::normal_distribution<float> normal(0, 0.3F);
  std::vector<float> values(static_cast<std::size_t>(to) * static_cast<std::size_t>(from * kernel * kernel));
  for (float& value : values)
    value = normal(random);
  const std::string weight = std::string(name) + ".w";
  b.values(weight, {to, from, kernel, kernel}, values).node("Conv", {in, weight}, {out}, name);
  const std::int64_t pad = kernel / 2;
  return b.attribute("pads", {pad, pad, pad, pad});
}

/// x -> first -> Relu -> second -> y: the smallest network with a layer to quantise and a head.
inline OnnxBuilder two_convs(int opset = 17) {
  OnnxBuilder b(opset);
  b.input("x", {1, 3, 8, 8});
  conv(b, "x", "a", 3, 4, "first");
  b.node("Relu", {"a"}, {"r"}, "act");
  conv(b, "r", "y", 4, 2, "second");
  b.output("y", {1, 2, 8, 8});
  return b;
}

/// 1 for every tensor of the plan.
inline TensorRanges ranges_for(const Model& model, const QuantizeOptions& options = {}) {
  TensorRanges ranges;
  for (const std::string& tensor : plan_quantization(model, options).value().tensors)
    ranges.emplace(tensor, 1.0F);
  return ranges;
}

inline std::vector<const onnx::NodeProto*> nodes_of(const Model& model, std::string_view op) {
  std::vector<const onnx::NodeProto*> found;
  for (const auto& node : graph_of(model).node())
    if (node.op_type() == op) found.push_back(&node);
  return found;
}

inline const onnx::NodeProto& node_named(const Model& model, std::string_view name) {
  for (const auto& node : graph_of(model).node())
    if (node.name() == name) return node;
  ADD_FAILURE() << "no node " << name;
  return graph_of(model).node(0);
}

inline const onnx::NodeProto* maker_of(const Model& model, std::string_view tensor) {
  for (const auto& node : graph_of(model).node())
    for (const auto& output : node.output())
      if (output == tensor) return &node;
  return nullptr;
}

inline const onnx::TensorProto& initializer(const Model& model, std::string_view name) {
  for (const auto& tensor : graph_of(model).initializer())
    if (tensor.name() == name) return tensor;
  ADD_FAILURE() << "no initialiser " << name;
  return graph_of(model).initializer(0);
}

template <typename T>
std::vector<T> raw(const onnx::TensorProto& tensor) {
  std::vector<T> values(tensor.raw_data().size() / sizeof(T));
  std::copy_n(tensor.raw_data().data(), tensor.raw_data().size(), reinterpret_cast<char*>(values.data()));
  return values;
}

}  // namespace tern::test
