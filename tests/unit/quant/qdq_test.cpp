// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What quantize() writes: levels, scales, wiring, names; and what it refuses.
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graphs.h"

namespace tern {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> inputs_of(const onnx::NodeProto& node) {
  return {node.input().begin(), node.input().end()};
}

/// One layer of the given weights, and a head.
OnnxBuilder one_conv(const std::vector<float>& weights) {
  OnnxBuilder b;
  b.input("x", {1, 1, 4, 4}).values("w", {2, 1, 1, 2}, weights).node("Conv", {"x", "w"}, {"a"}, "first");
  conv(b, "a", "y", 2, 1, "head", 1);
  b.output("y", {1, 1, 4, 3});
  return b;
}

TEST(Quantize, WritesLevelsAndScalesOfEachChannel) {
  // Channel 0: scale 1.27 / 127 = 0.01; halves go to the even level. Channel 1: scale 254 / 127 = 2.
  const Model model = quantize(read(one_conv({1.27F, -0.625F, 254.0F, -3.0F})), {{"x", 0.5F}}).value();
  EXPECT_THAT(raw<std::int8_t>(initializer(model, "w_q")), ElementsAre(127, -62, 127, -2));
  EXPECT_THAT(raw<float>(initializer(model, "w_scale")), ElementsAre(1.27F / 127, 2.0F));
  EXPECT_THAT(raw<std::int8_t>(initializer(model, "w_zero_point")), ElementsAre(0, 0));
  EXPECT_EQ(initializer(model, "w_q").dims_size(), 4);
  const onnx::NodeProto& weights = *maker_of(model, node_named(model, "first").input(1));
  EXPECT_EQ(weights.op_type(), "DequantizeLinear");
  EXPECT_THAT(inputs_of(weights), ElementsAre("w_q", "w_scale", "w_zero_point"));
  ASSERT_EQ(weights.attribute_size(), 1);
  EXPECT_EQ(weights.attribute(0).i(), 0);
  for (const auto& tensor : graph_of(model).initializer())
    EXPECT_NE(tensor.name(), "w") << "the float weights are left behind";
}

TEST(Quantize, ReducedWeightsLieWithinSevenBits) {
  const Model model =
      quantize(read(one_conv({1.27F, -0.625F, 254.0F, 0})), {{"x", 0.5F}}, {.reduce_range = true}).value();
  EXPECT_THAT(raw<std::int8_t>(initializer(model, "w_q")), ElementsAre(63, -31, 63, 0));
  EXPECT_THAT(raw<float>(initializer(model, "w_scale")), ElementsAre(1.27F / 63, 254.0F / 63));
  EXPECT_THAT(raw<float>(initializer(model, "x_scale")), ElementsAre(0.5F / 127));
}

TEST(Quantize, WritesOnePairForEachActivation) {
  const Model model = quantize(read(one_conv({1, 2, 3, 4})), {{"x", 0.5F}}).value();
  ASSERT_EQ(nodes_of(model, "QuantizeLinear").size(), 1U);
  const onnx::NodeProto& q = *nodes_of(model, "QuantizeLinear")[0];
  EXPECT_THAT(inputs_of(q), ElementsAre("x", "x_scale", "x_zero_point"));
  EXPECT_THAT(raw<float>(initializer(model, "x_scale")), ElementsAre(0.5F / 127));
  EXPECT_EQ(initializer(model, "x_scale").dims_size(), 0);
  EXPECT_THAT(raw<std::int8_t>(initializer(model, "x_zero_point")), ElementsAre(0));
  const onnx::NodeProto& dq = *maker_of(model, node_named(model, "first").input(0));
  EXPECT_THAT(inputs_of(dq), ElementsAre("x_q", "x_scale", "x_zero_point"));
  EXPECT_EQ(model.quantizers_beside_i8(), std::vector<std::string>{});
}

TEST(Quantize, ReadersShareOnePair) {
  OnnxBuilder b = two_convs();
  conv(b, "r", "z", 4, 3, "other");
  b.output("z", {1, 3, 8, 8});
  const Model model = quantize(read(b), {{"x", 1}, {"r", 6}}, {.keep_head_float = false}).value();
  EXPECT_EQ(node_named(model, "second").input(0), "r_dq");
  EXPECT_EQ(node_named(model, "other").input(0), "r_dq");
  EXPECT_EQ(nodes_of(model, "QuantizeLinear").size(), 2U);
}

TEST(Quantize, FloatWeightsStayWhereTheyAreWanted) {
  const Model model = quantize(read(one_conv({1, 2, 3, 4})), {{"x", 0.5F}}, {.weights = WeightStorage::kFloat}).value();
  EXPECT_THAT(raw<float>(initializer(model, "w")), ElementsAre(1, 2, 3, 4));
  const onnx::NodeProto& q = *maker_of(model, "w_q");
  EXPECT_EQ(q.op_type(), "QuantizeLinear");
  EXPECT_EQ(q.attribute(0).i(), 0);
}

TEST(Quantize, ScalesLieAlongTheOutputChannels) {
  OnnxBuilder b;
  b.input("x", {1, 4, 8, 8});
  b.weights("t.w", {4, 3, 2, 2}).node("ConvTranspose", {"x", "t.w"}, {"t"}, "transposed");
  b.weights("g.w", {3, 2, 2, 2})
      .node("ConvTranspose", {"t", "g.w"}, {"g"}, "grouped")
      .attribute("group", std::int64_t{3});
  b.node("Flatten", {"g"}, {"f"});
  b.weights("n.w", {600, 5}).node("Gemm", {"f", "n.w"}, {"n"}, "normal");
  b.weights("s.w", {7, 5}).node("Gemm", {"n", "s.w"}, {"s"}, "swapped").attribute("transB", std::int64_t{1});
  b.weights("m.w", {7, 9}).node("MatMul", {"s", "m.w"}, {"m"}, "matrix");
  b.weights("b.w", {2, 9, 3}).node("MatMul", {"m", "b.w"}, {"y"}, "batched").output("y", {2, 1, 3});
  const Model model = read(b);
  const QuantizeOptions options{.keep_head_float = false};
  std::map<std::string, int> axes;
  for (const auto& layer : plan_quantization(model, options).value().layers)
    axes[layer.node] = layer.axis;
  EXPECT_THAT(axes, ElementsAre(std::pair("batched", -1), std::pair("grouped", -1), std::pair("matrix", 1),
                                std::pair("normal", 1), std::pair("swapped", 0), std::pair("transposed", 1)));
  const Model quantised = quantize(model, ranges_for(model, options), options).value();
  EXPECT_EQ(initializer(quantised, "t.w_scale").dims(0), 3);
  EXPECT_EQ(initializer(quantised, "g.w_scale").dims_size(), 0);
  EXPECT_EQ(initializer(quantised, "n.w_scale").dims(0), 5);
  EXPECT_EQ(initializer(quantised, "s.w_scale").dims(0), 7);
  EXPECT_EQ(initializer(quantised, "m.w_scale").dims(0), 9);
}

TEST(Quantize, AChannelOfZerosGetsAScaleThatIsNotZero) {
  const Model model = quantize(read(one_conv({0, 0, 1e-30F, 0})), {{"x", 1}}).value();
  EXPECT_THAT(raw<float>(initializer(model, "w_scale")), ElementsAre(1.0F, kMinScale));
  EXPECT_THAT(raw<std::int8_t>(initializer(model, "w_q")), ElementsAre(0, 0, 0, 0));
}

TEST(Quantize, WeightsOfConstantNodesAndSharedWeightsAreStoredOnce) {
  OnnxBuilder b;
  b.input("x", {1, 2, 4, 4}).weights("w", {2, 2, 1, 1}, 0.25F);
  auto& node = *b.graph().add_node();
  OnnxBuilder::fill(node, "Constant", {}, {"c"}, "stored");
  auto& value = *node.add_attribute();
  value.set_name("value");
  value.set_type(onnx::AttributeProto::TENSOR);
  *value.mutable_t() = b.graph().initializer(0);
  b.node("Conv", {"x", "c"}, {"a"}, "one")
      .node("Conv", {"a", "w"}, {"d"}, "two")
      .node("Conv", {"d", "w"}, {"e"}, "three");
  conv(b, "e", "y", 2, 1, "head", 1);
  b.output("y", {1, 1, 4, 4});
  const Model model = quantize(read(b), {{"x", 1}, {"a", 1}, {"d", 1}}).value();
  EXPECT_TRUE(nodes_of(model, "Constant").empty());
  EXPECT_EQ(node_named(model, "two").input(1), node_named(model, "three").input(1));
  EXPECT_NE(node_named(model, "one").input(1), node_named(model, "two").input(1));
  EXPECT_THAT(raw<std::int8_t>(initializer(model, "c_q")), ElementsAre(127, 127, 127, 127));
}

TEST(Quantize, NewNamesAvoidThoseTaken) {
  OnnxBuilder b;
  b.input("x", {1, 1, 4, 4}).weights("x_scale", {1}).weights("w", {2, 1, 1, 2});
  b.node("Mul", {"x", "x_scale"}, {"x_q"}, "x_QuantizeLinear").node("Conv", {"x_q", "w"}, {"w_q"}, "first");
  conv(b, "w_q", "y", 2, 1, "head", 1);
  b.output("y", {1, 1, 4, 3});
  const auto model = quantize(read(b), {{"x_q", 1}});
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ(raw<float>(initializer(*model, "x_scale"))[0], 0.5F);
}

TEST(Quantize, KeepsInterfaceMetadataAndOrder) {
  OnnxBuilder b = two_convs();
  b.metadata("task", "detect");
  QuantizationSummary summary;
  const Model model = quantize(read(b), {{"x", 1}}, {}, &summary).value();
  EXPECT_EQ(model.inputs()[0].name, "x");
  EXPECT_EQ(model.outputs()[0].name, "y");
  EXPECT_EQ(model.outputs()[0].dtype, DType::kF32);
  EXPECT_EQ(model.metadata().at("task"), "detect");
  EXPECT_EQ(model.stem(), "m");
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(summary.opset, 17);
  EXPECT_TRUE(model.self_contained_bytes().ok());
}

TEST(Quantize, RangesThatCannotBeAreRefusedByTensorAndLayer) {
  const Model model = read(two_convs());
  const auto refused = [&](const TensorRanges& ranges) {
    const auto result = quantize(model, ranges);
    EXPECT_EQ(result.status().code(), StatusCode::kInputError);
    EXPECT_THAT(result.status().where(), StartsWith("m: tensor 'x', which 'first' reads"));
    return result.status().to_string();
  };
  EXPECT_THAT(refused({}), HasSubstr("no range"));
  EXPECT_THAT(refused({{"x", std::numeric_limits<float>::quiet_NaN()}}), HasSubstr("nan"));
  EXPECT_THAT(refused({{"x", std::numeric_limits<float>::infinity()}}), HasSubstr("inf"));
  EXPECT_THAT(refused({{"x", -1.0F}}), HasSubstr("-1"));
  EXPECT_THAT(refused({{"x", 0.0F}}), HasSubstr("nothing but zeros"));
}

TEST(Quantize, AZeroRangeBesideAnotherOfItsGroupIsNoObstacle) {
  OnnxBuilder b;
  b.input("x", {1, 2, 4, 4});
  conv(b, "x", "a", 2, 2, "one");
  conv(b, "a", "c", 2, 2, "two");
  b.node("Concat", {"a", "c"}, {"d"}).attribute("axis", std::int64_t{1});
  conv(b, "d", "e", 4, 2, "three");
  conv(b, "e", "y", 2, 2, "head");
  b.output("y", {1, 2, 4, 4});
  QuantizationSummary summary;
  ASSERT_TRUE(quantize(read(b), {{"x", 1}, {"a", 0}, {"d", 1}}, {.share_scales = true}, &summary).ok());
  EXPECT_EQ(summary.scales.at("a"), 1.0F / 127);
  EXPECT_FALSE(quantize(read(b), {{"x", 1}, {"a", 0}, {"d", 0}}, {.share_scales = true}).ok());
  EXPECT_FALSE(quantize(read(b), {{"x", 1}, {"a", 0}, {"d", 1}}).ok());
}

TEST(Expose, AddsOutputsInTheirOrderAndRefusesOthers) {
  const Model model = read(two_convs());
  const Model exposed = expose_tensors(model, std::vector<std::string>{"r", "y", "a", "r"}).value();
  std::vector<std::string> names;
  for (const auto& output : exposed.outputs())
    names.push_back(output.name);
  EXPECT_THAT(names, ElementsAre("y", "r", "a"));
  EXPECT_FALSE(exposed.outputs()[1].has_shape);
  EXPECT_THAT(float_tensors(model), ElementsAre("x", "a", "r", "y"));
  const auto missing = expose_tensors(model, std::vector<std::string>{"act"});
  EXPECT_EQ(missing.status().code(), StatusCode::kInputError);
  EXPECT_THAT(missing.status().to_string(), HasSubstr("'act'"));
  OnnxBuilder b = two_convs();
  b.node("Shape", {"r"}, {"s"});
  EXPECT_THAT(expose_tensors(read(b), std::vector<std::string>{"s"}).status().to_string(), HasSubstr("INT64"));
}

}  // namespace
}  // namespace tern
