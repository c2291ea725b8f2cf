// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Which nodes become f16, and how f32 and f16 meet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graphs.h"
#include "preprocess/cpu/half.h"

namespace tern {
namespace {

using namespace test;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kHalf = onnx::TensorProto::FLOAT16;

std::string reason_for(const F16Summary& summary, std::string_view node) {
  for (const auto& entry : summary.f32_nodes)
    if (entry.node == node) return entry.reason;
  return "f16";
}

F16Summary converted(const OnnxBuilder& b, const F16Options& options = {}, Model* result = nullptr) {
  F16Summary summary;
  auto model = convert_to_f16(read(b), options, &summary);
  EXPECT_TRUE(model.ok()) << model.status().to_string();
  if (result != nullptr && model.ok()) *result = *model;
  return summary;
}

TEST(ConvertToF16, KeepsTheTypesOfInputsAndOutputs) {
  Model model = read(two_convs());
  const F16Summary summary = converted(two_convs(), {}, &model);
  EXPECT_EQ(summary.f16_nodes, 3U);
  EXPECT_EQ(summary.casts, 2U);
  EXPECT_THAT(summary.f32_nodes, IsEmpty());
  EXPECT_EQ(model.inputs()[0].dtype, DType::kF32);
  EXPECT_EQ(model.outputs()[0].dtype, DType::kF32);
  EXPECT_EQ(maker_of(model, "y")->op_type(), "Cast");
  EXPECT_EQ(maker_of(model, node_named(model, "first").input(0))->op_type(), "Cast");
  EXPECT_EQ(node_named(model, "act").input(0), "a") << "tensors between f16 nodes keep their names";
  const auto& weights = initializer(model, node_named(model, "first").input(1));
  EXPECT_EQ(weights.data_type(), kHalf);
  const auto before = raw<float>(initializer(read(two_convs()), "first.w"));
  const auto after = raw<std::uint16_t>(weights);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(after[i], half_from_float(before[i]));
  for (const auto& tensor : graph_of(model).initializer())
    EXPECT_EQ(tensor.data_type(), kHalf) << tensor.name();
}

TEST(ConvertToF16, NodesBeyondTheirRangesStayF32) {
  const auto with = [](float r) { return F16Options{.ranges = {{"x", 1.0F}, {"a", 8.0F}, {"r", r}, {"y", 3.0F}}}; };
  EXPECT_EQ(converted(two_convs(), with(512)).f16_nodes, 3U);
  const F16Summary beyond = converted(two_convs(), with(513));
  EXPECT_EQ(beyond.f16_nodes, 1U);
  EXPECT_EQ(reason_for(beyond, "first"), "f16");
  EXPECT_THAT(reason_for(beyond, "act"), HasSubstr("'r' reaches 513"));
  EXPECT_THAT(reason_for(beyond, "second"), HasSubstr("'r' reaches 513"));
  F16Options unknown = with(1);
  unknown.ranges.erase("a");
  EXPECT_THAT(reason_for(converted(two_convs(), unknown), "first"), HasSubstr("range of 'a' is not known"));
  unknown.ranges.emplace("a", std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(reason_for(converted(two_convs(), unknown), "first"), HasSubstr("'a' reaches nan"));
}

TEST(ConvertToF16, WeightsThatF16CannotHoldStayF32) {
  for (const auto& [value, ok] : {std::pair(65504.0F, true), std::pair(65536.0F, false), std::pair(6.2e-5F, true),
                                  std::pair(6.0e-5F, false), std::pair(0.0F, true)}) {
    OnnxBuilder b;
    b.input("x", {1, 4}).weights("w", {4}, value).node("Mul", {"x", "w"}, {"y"}, "mul").output("y", {1, 4});
    EXPECT_EQ(reason_for(converted(b), "mul") == "f16", ok) << value;
  }
}

TEST(ConvertToF16, OperatorsWithoutF16AndIndicesAreLeftAlone) {
  OnnxBuilder b;
  b.input("x", {1, 2, 4, 4}).node("Relu", {"x"}, {"r"}, "relu").node("Celu", {"r"}, {"c"}, "celu");
  b.node("Shape", {"r"}, {"s"}, "shape").values("scales", {4}, {1, 1, 2, 2});
  b.node("Resize", {"c", "", "scales"}, {"z"}, "resize");
  b.attribute("mode", "linear").node("Relu", {"z"}, {"y"}, "last");
  b.output("y", {1, 2, 8, 8}).output("s", {4}, onnx::TensorProto::INT64);
  Model model = read(b);
  const F16Summary summary = converted(b, {}, &model);
  EXPECT_THAT(reason_for(summary, "celu"), HasSubstr("not known to have this operator in f16"));
  EXPECT_EQ(reason_for(summary, "resize"), "f16");
  EXPECT_EQ(node_named(model, "resize").input(2), "scales");
  EXPECT_EQ(initializer(model, "scales").data_type(), OnnxBuilder::kFloat);
  EXPECT_EQ(node_named(model, "shape").input(0), "r") << "Shape needs no cast";
  EXPECT_EQ(summary.casts, 4U);  // x, to Celu, from Celu, y
}

TEST(ConvertToF16, WhatMovesF32StaysF32) {
  OnnxBuilder b;
  b.input("x", {1, 4}).node("Celu", {"x"}, {"c"}, "celu").node("Flatten", {"c"}, {"f"}, "flatten");
  b.node("Celu", {"f"}, {"y"}, "again").output("y", {1, 4});
  const F16Summary summary = converted(b);
  EXPECT_THAT(reason_for(summary, "flatten"), HasSubstr("moves values that are f32"));
  EXPECT_EQ(summary.casts, 0U);
}

TEST(ConvertToF16, ScalesOfQdqBecomeF16AndTheOpsetIsLifted) {
  const Model quantised = quantize(read(two_convs()), {{"x", 1}}).value();
  F16Summary summary;
  const Model model = convert_to_f16(quantised, {}, &summary).value();
  EXPECT_EQ(model.opset(), 19);
  EXPECT_THAT(summary.f32_nodes, IsEmpty());
  EXPECT_EQ(summary.casts, 2U);
  for (const char* op : {"QuantizeLinear", "DequantizeLinear"}) {
    for (const onnx::NodeProto* node : nodes_of(model, op))
      EXPECT_EQ(initializer(model, node->input(1)).data_type(), kHalf) << node->name();
  }
  for (const auto& tensor : graph_of(model).initializer())
    EXPECT_NE(tensor.data_type(), OnnxBuilder::kFloat) << tensor.name();
}

TEST(ConvertToF16, AScaleThatF16CannotHoldLeavesItsLayerF32) {
  const Model quantised = quantize(read(two_convs()), {{"x", 0.005F}}).value();
  F16Summary summary;
  const Model model = convert_to_f16(quantised, {}, &summary).value();
  EXPECT_THAT(reason_for(summary, "x_QuantizeLinear"), HasSubstr("does not fit f16"));
  EXPECT_THAT(reason_for(summary, "first"), HasSubstr("scale before it"));
  EXPECT_EQ(reason_for(summary, "second"), "f16");
}

TEST(ConvertToF16, TensorsReadInSubgraphsKeepNameAndType) {
  OnnxBuilder b;
  b.input("x", {1, 4}).input("flag", {1}, onnx::TensorProto::BOOL).node("Relu", {"x"}, {"r"}, "relu");
  onnx::NodeProto& branch = *b.graph().add_node();
  OnnxBuilder::fill(branch, "If", {"flag"}, {"y"}, "if");
  for (const char* name : {"then_branch", "else_branch"}) {
    auto& attribute = *branch.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::GRAPH);
    OnnxBuilder::fill(*attribute.mutable_g()->add_node(), "Neg", {"r"}, {std::string(name) + "_out"});
    OnnxBuilder::describe(*attribute.mutable_g()->add_output(), std::string(name) + "_out", {1, 4},
                          OnnxBuilder::kFloat);
    attribute.mutable_g()->set_name(name);
  }
  b.output("y", {1, 4});
  Model model = read(b);
  const F16Summary summary = converted(b, {}, &model);
  EXPECT_THAT(reason_for(summary, "if"), HasSubstr("subgraph"));
  EXPECT_EQ(maker_of(model, "r")->op_type(), "Cast");
  EXPECT_NE(node_named(model, "relu").output(0), "r");
}

TEST(ConvertToF16, NodesAreKeptOutByName) {
  EXPECT_THAT(reason_for(converted(two_convs(), {.exclude_nodes = {"act"}}), "act"), HasSubstr("'act'"));
  EXPECT_EQ(convert_to_f16(read(two_convs()), {.exclude_nodes = {"none"}}).status().code(), StatusCode::kConfigError);
  EXPECT_EQ(convert_to_f16(read(two_convs()), {.max_abs = 0}).status().code(), StatusCode::kConfigError);
  EXPECT_EQ(convert_to_f16(read(two_convs()), {.max_abs = 1e6F}).status().code(), StatusCode::kConfigError);
}

}  // namespace
}  // namespace tern
