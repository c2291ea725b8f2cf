// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Which layers and tensors are quantised, for each target.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graphs.h"

namespace tern {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

QuantizationPlan plan_of(const OnnxBuilder& b, const QuantizeOptions& options = {}) {
  return plan_quantization(read(b), options).value();
}

std::vector<std::string> layers_of(const QuantizationPlan& plan) {
  std::vector<std::string> names;
  for (const auto& layer : plan.layers)
    names.push_back(layer.node);
  return names;
}

std::string refusal(const OnnxBuilder& b, StatusCode code, const QuantizeOptions& options = {}) {
  const auto plan = plan_quantization(read(b), options);
  EXPECT_EQ(plan.status().code(), code) << plan.status().to_string();
  return plan.status().to_string();
}

std::string reason_for(const QuantizationPlan& plan, std::string_view node) {
  for (const auto& layer : plan.float_layers)
    if (layer.node == node) return layer.reason;
  return "quantised";
}

/// x -> stem -> SiLU -> (branch -> SiLU) + shortcut -> Concat with the shortcut -> mix -> head -> y
OnnxBuilder residual_block() {
  OnnxBuilder b;
  b.input("x", {1, 3, 8, 8});
  conv(b, "x", "s", 3, 4, "stem");
  b.node("Sigmoid", {"s"}, {"sg"}).node("Mul", {"s", "sg"}, {"short"}, "silu1");
  conv(b, "short", "t", 4, 4, "branch");
  b.node("Sigmoid", {"t"}, {"tg"}).node("Mul", {"tg", "t"}, {"long"}, "silu2");
  b.node("Add", {"long", "short"}, {"sum"}, "add").node("Concat", {"short", "sum"}, {"both"}, "cat");
  b.attribute("axis", std::int64_t{1});
  conv(b, "both", "m", 8, 4, "mix", 1);
  conv(b, "m", "y", 4, 2, "head", 1);
  b.output("y", {1, 2, 8, 8});
  return b;
}

TEST(Placement, TheLastLayerBeforeAnOutputStaysFloat) {
  const QuantizationPlan plan = plan_of(two_convs());
  EXPECT_THAT(layers_of(plan), ElementsAre("first"));
  EXPECT_THAT(plan.tensors, ElementsAre("x"));
  EXPECT_EQ(plan.layers[0].weight, "first.w");
  EXPECT_EQ(plan.layers[0].axis, 0);
  EXPECT_THAT(reason_for(plan, "second"), HasSubstr("last layer before an output"));
  EXPECT_THAT(layers_of(plan_of(two_convs(), {.keep_head_float = false})), ElementsAre("first", "second"));
}

TEST(Placement, OneHeadOfTwoDoesNotHideTheOther) {
  OnnxBuilder b = two_convs();
  conv(b, "r", "z", 4, 3, "other", 1);
  b.output("z", {1, 3, 8, 8});
  EXPECT_THAT(layers_of(plan_of(b)), ElementsAre("first"));
}

TEST(Placement, AConvolutionThatDecodesASoftmaxIsNoLayer) {
  OnnxBuilder b = two_convs();
  b.graph().clear_output();
  b.node("Softmax", {"y"}, {"p"}).attribute("axis", std::int64_t{1});
  b.node("Transpose", {"p"}, {"pt"}).attribute("perm", {0, 1, 3, 2});
  conv(b, "pt", "d", 2, 1, "dfl", 1);
  b.output("d", {1, 1, 8, 8});
  const QuantizationPlan plan = plan_of(b, {.keep_head_float = true});
  EXPECT_THAT(layers_of(plan), ElementsAre("first"));
  EXPECT_THAT(reason_for(plan, "dfl"), HasSubstr("Softmax"));
  EXPECT_THAT(reason_for(plan, "second"), HasSubstr("last layer"));
  EXPECT_THAT(layers_of(plan_of(b, {.keep_head_float = false})), ElementsAre("first", "second"));
}

TEST(Placement, ResidualOfAnAdditionIsReadAsInt8AndTheBranchIsNot) {
  const QuantizationPlan plan = plan_of(residual_block());
  EXPECT_THAT(layers_of(plan), ElementsAre("stem", "branch", "mix"));
  EXPECT_THAT(plan.tensors, ElementsAre("x", "short", "both"));
  const Model model = quantize(read(residual_block()), {{"x", 1}, {"short", 2}, {"both", 3}}).value();
  EXPECT_EQ(node_named(model, "add").input(0), "long");
  EXPECT_EQ(node_named(model, "add").input(1), "short_dq");
  EXPECT_EQ(node_named(model, "branch").input(0), "short_dq");
  EXPECT_EQ(node_named(model, "cat").input(0), "short");  // TensorRT moves the Q behind it to the front
}

TEST(Placement, AnAdditionThatIsKeptOutReadsFloat) {
  const Model model =
      quantize(read(residual_block()), {{"x", 1}, {"short", 2}, {"both", 3}}, {.exclude_nodes = {"add"}}).value();
  EXPECT_EQ(node_named(model, "add").input(1), "short");
}

TEST(Placement, ConcatenatedTensorsShareAScale) {
  EXPECT_THAT(plan_of(residual_block(), {.share_scales = true}).shared, ElementsAre(ElementsAre("short", "both")));
  EXPECT_THAT(plan_of(residual_block(), {}).shared, IsEmpty());
  EXPECT_THAT(plan_of(residual_block(), {.target = QuantTarget::kOnnxRuntime, .share_scales = true}).shared, IsEmpty());
  QuantizationSummary summary;
  ASSERT_TRUE(
      quantize(read(residual_block()), {{"x", 1}, {"short", 2}, {"both", 3}}, {.share_scales = true}, &summary).ok());
  EXPECT_EQ(summary.scales.at("short"), 3.0F / 127);
  EXPECT_EQ(summary.scales.at("both"), 3.0F / 127);
  EXPECT_EQ(summary.scales.at("x"), 1.0F / 127);
}

TEST(Placement, OnnxRuntimeGetsTheOutputsOfConvolutionsToo) {
  const QuantizationPlan plan = plan_of(residual_block(), {.target = QuantTarget::kOnnxRuntime});
  EXPECT_THAT(plan.tensors, ElementsAre("x", "s", "short", "t", "both", "m"));
}

TEST(Placement, AveragePoolBesideQuantisedLayersReadsInt8) {
  OnnxBuilder b;
  b.input("x", {1, 3, 8, 8});
  conv(b, "x", "a", 3, 4, "one");
  b.node("AveragePool", {"a"}, {"p"}, "pool").attribute("kernel_shape", {2, 2});
  conv(b, "p", "c", 4, 4, "two");
  conv(b, "c", "y", 4, 2, "head");
  b.output("y", {1, 2, 7, 7});
  EXPECT_THAT(plan_of(b).tensors, ElementsAre("x", "a", "p"));
  EXPECT_THAT(plan_of(b, {.exclude_nodes = {"pool"}}).tensors, ElementsAre("x", "p"));
}

TEST(Placement, LayersAreKeptOutByNamePatternAndOperator) {
  const OnnxBuilder b = residual_block();
  EXPECT_THAT(layers_of(plan_of(b, {.exclude_nodes = {"stem"}})), ElementsAre("branch", "mix"));
  EXPECT_THAT(layers_of(plan_of(b, {.exclude_nodes = {"*m*"}})), ElementsAre("branch"));
  EXPECT_THAT(reason_for(plan_of(b, {.exclude_nodes = {"*m*"}}), "stem"), HasSubstr("'*m*'"));
  EXPECT_THAT(refusal(b, StatusCode::kConfigError, {.exclude_nodes = {"stam"}}), HasSubstr("did you mean 'stem'?"));
  EXPECT_THAT(refusal(b, StatusCode::kConfigError, {.exclude_ops = {"Gemm"}}), HasSubstr("no operator 'Gemm'"));
  EXPECT_THAT(refusal(b, StatusCode::kModelError, {.exclude_ops = {"Conv"}}), HasSubstr("none of the 4 layers"));
}

TEST(Placement, ANodeWithoutANameIsCalledByWhatItMakes) {
  OnnxBuilder b = residual_block();
  for (auto& node : *b.graph().mutable_node())
    node.clear_name();
  EXPECT_THAT(layers_of(plan_of(b)), ElementsAre("s", "t", "m"));
  EXPECT_THAT(layers_of(plan_of(b, {.exclude_nodes = {"t"}})), ElementsAre("s", "m"));
}

TEST(Placement, WhatCannotBeQuantisedSaysWhy) {
  OnnxBuilder b = two_convs();
  b.input("v", {2, 2, 1, 1}).input("h", {1, 2, 8, 8}, onnx::TensorProto::FLOAT16);
  b.node("Conv", {"y", "v"}, {"free"}, "free");
  b.weights("bad.w", {2, 2, 1, 1}, std::numeric_limits<float>::quiet_NaN())
      .node("Conv", {"free", "bad.w"}, {"n"}, "bad");
  b.weights("k", {2, 2, 1, 1}).node("Conv", {"h", "k"}, {"half"}, "half");
  b.node("MatMul", {"k", "n"}, {"left"}, "left").output("left", {}).output("half", {}, onnx::TensorProto::FLOAT16);
  const QuantizationPlan plan = plan_of(b, {.keep_head_float = false});
  EXPECT_THAT(layers_of(plan), ElementsAre("first", "second"));
  EXPECT_THAT(reason_for(plan, "free"), HasSubstr("not constant"));
  EXPECT_THAT(reason_for(plan, "bad"), HasSubstr("NaN"));
  EXPECT_THAT(reason_for(plan, "half"), HasSubstr("FLOAT16, not FLOAT"));
  EXPECT_THAT(reason_for(plan, "left"), HasSubstr("first input is a constant"));
}

TEST(Placement, QuantisedModelsAreRefusedByTheNodeThatShowsIt) {
  const Model once = quantize(read(two_convs()), {{"x", 1}}).value();
  const auto twice = plan_quantization(once);
  EXPECT_EQ(twice.status().code(), StatusCode::kModelError);
  EXPECT_THAT(twice.status().to_string(), HasSubstr("quantised already"));
  EXPECT_THAT(twice.status().where(), HasSubstr("DequantizeLinear"));
  for (const char* op : {"QLinearConv", "ConvInteger", "DynamicQuantizeLinear"}) {
    OnnxBuilder b = two_convs();
    b.node(op, {"r"}, {"q"}, "sign");
    EXPECT_THAT(refusal(b, StatusCode::kModelError), HasSubstr("'sign'"));
  }
}

TEST(Placement, AModelWithoutLayersIsRefused) {
  OnnxBuilder b;
  b.input("x", {1, 4}).node("Relu", {"x"}, {"y"}).output("y", {1, 4});
  EXPECT_THAT(refusal(b, StatusCode::kModelError), HasSubstr("no layer with weights"));
}

TEST(Placement, TargetsAreSpelledOneWay) {
  for (const auto target : {QuantTarget::kTensorRt, QuantTarget::kOpenVino, QuantTarget::kOnnxRuntime})
    EXPECT_EQ(parse_quant_target(to_string(target)).value(), target);
  EXPECT_EQ(parse_quant_target("tensort").status().code(), StatusCode::kConfigError);
  EXPECT_THAT(parse_quant_target("tensort").status().hint(), HasSubstr("tensorrt"));
}

}  // namespace
}  // namespace tern
