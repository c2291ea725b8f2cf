// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Folding of batch norms, and what becomes of older opsets.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graphs.h"
#include "quant/graph/opset.h"

namespace tern {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void norm(OnnxBuilder& b, std::string_view in, std::string_view out, std::int64_t channels) {
  const auto series = [&](float first, float step) {
    std::vector<float> values;
    for (std::int64_t c = 0; c < channels; ++c)
      values.push_back(first + step * static_cast<float>(c));
    return values;
  };
  b.values("scale", {channels}, series(2, 1)).values("shift", {channels}, series(0.5F, -1));
  b.values("mean", {channels}, series(1, 1)).values("var", {channels}, series(4, 5));
  b.node("BatchNormalization", {in, "scale", "shift", "mean", "var"}, {out}, "norm").attribute("epsilon", 0.0F);
}
// Channel 0: y = (x - 1) * 2 / 2 + 0.5 = x - 0.5. Channel 1: y = (x - 2) * 3 / 3 - 0.5 = x - 2.5. Channel 2: (x - 3) * 4 / sqrt(14) - 1.5.

TEST(FoldBatchNorm, IntoAConvolutionWithAndWithoutBias) {
  for (const bool with_bias : {false, true}) {
    OnnxBuilder b;
    b.input("x", {1, 1, 2, 2}).values("w", {3, 1, 1, 1}, {1, 2, 3}).node("Conv", {"x", "w"}, {"c"}, "conv");
    if (with_bias) {
      b.values("b", {3}, {1, 1, 1});
      b.graph().mutable_node(0)->add_input("b");
    }
    norm(b, "c", "y", 3);
    b.output("y", {1, 3, 2, 2});
    const Model model = fold_batch_norm(read(b)).value();
    ASSERT_EQ(graph_of(model).node_size(), 1);
    const onnx::NodeProto& node = graph_of(model).node(0);
    EXPECT_EQ(node.output(0), "y");
    const float third = static_cast<float>(4 / std::sqrt(14.0));
    EXPECT_THAT(raw<float>(initializer(model, node.input(1))),
                ElementsAre(1, 2, static_cast<float>(3 * (4 / std::sqrt(14.0)))));
    const auto bias = raw<float>(initializer(model, node.input(2)));
    EXPECT_FLOAT_EQ(bias[0], with_bias ? 0.5F : -0.5F);
    EXPECT_FLOAT_EQ(bias[2], (with_bias ? -2 : -3) * third - 1.5F);
    EXPECT_EQ(graph_of(model).initializer_size(), 2) << "what was folded is left behind";
  }
}

TEST(FoldBatchNorm, ChannelsOfTransposedGroupsAndMatrices) {
  OnnxBuilder b;  // two groups of 1 -> 1 channel each, and one of 2 -> 2
  b.input("x", {1, 2, 1, 1}).values("w", {2, 1, 1, 1}, {1, 10}).node("ConvTranspose", {"x", "w"}, {"c"}, "up");
  b.attribute("group", std::int64_t{2});
  norm(b, "c", "y", 2);
  b.output("y", {1, 2, 1, 1});
  const Model grouped = fold_batch_norm(read(b)).value();
  EXPECT_THAT(raw<float>(initializer(grouped, graph_of(grouped).node(0).input(1))), ElementsAre(1, 10));
  EXPECT_THAT(raw<float>(initializer(grouped, graph_of(grouped).node(0).input(2))), ElementsAre(-0.5F, -2.5F));

  for (const std::int64_t transposed : {0, 1}) {
    OnnxBuilder m;
    m.input("x", {1, 2}).values("w", {2, 2}, {1, 2, 3, 4}).node("Gemm", {"x", "w"}, {"c"}, "fc");
    m.attribute("transB", transposed);
    m.values("scale", {2}, {2, 3}).values("zero", {2}, {0, 0}).values("one", {2}, {1, 1});
    m.node("BatchNormalization", {"c", "scale", "zero", "zero", "one"}, {"y"}, "norm").attribute("epsilon", 0.0F);
    m.output("y", {1, 2});
    const Model model = fold_batch_norm(read(m)).value();
    const auto weights = raw<float>(initializer(model, graph_of(model).node(0).input(1)));
    EXPECT_THAT(weights, transposed != 0 ? ElementsAre(2, 4, 9, 12) : ElementsAre(2, 6, 6, 12));
  }
}

TEST(FoldBatchNorm, LeavesWhatOthersReadAlone) {
  OnnxBuilder b;
  b.input("x", {1, 1, 2, 2}).values("w", {2, 1, 1, 1}, {1, 2}).node("Conv", {"x", "w"}, {"c"}, "conv");
  norm(b, "c", "y", 2);
  b.output("y", {1, 2, 2, 2});
  EXPECT_EQ(graph_of(fold_batch_norm(read(b)).value()).node_size(), 1);
  b.output("c", {1, 2, 2, 2});
  EXPECT_EQ(graph_of(fold_batch_norm(read(b)).value()).node_size(), 2);
  b.graph().mutable_output()->RemoveLast();
  b.node("Relu", {"c"}, {"z"}).output("z", {1, 2, 2, 2});
  EXPECT_EQ(graph_of(fold_batch_norm(read(b)).value()).node_size(), 3);
}

TEST(FoldBatchNorm, SharedWeightsAreFoldedForEachLayer) {
  OnnxBuilder b;
  b.input("x", {1, 2, 2, 2}).values("w", {2, 2, 1, 1}, {1, 2, 3, 4}).node("Conv", {"x", "w"}, {"c"}, "one");
  norm(b, "c", "n", 2);
  b.node("Conv", {"n", "w"}, {"y"}, "two").output("y", {1, 2, 2, 2});
  const Model model = fold_batch_norm(read(b)).value();
  EXPECT_THAT(raw<float>(initializer(model, "w")), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(node_named(model, "two").input(1), "w");
  EXPECT_NE(node_named(model, "one").input(1), "w");
}

Status lift(const OnnxBuilder& b, int to) {
  GraphEdit edit(read(b));
  return lift_opset(edit, to);
}

Model lifted(const OnnxBuilder& b, int to) {
  GraphEdit edit(read(b));
  const Status status = lift_opset(edit, to);
  EXPECT_TRUE(status.ok()) << status.to_string();
  return edit.finish().value();
}

TEST(LiftOpset, AttributesBecomeInputs) {
  OnnxBuilder b(9);
  b.model.set_ir_version(3);
  b.input("x", {1, 2, 8, 8}).node("Clip", {"x"}, {"a"}, "clip").attribute("max", 6.0F);
  b.node("Pad", {"a"}, {"b"}, "pad").attribute("pads", {0, 0, 1, 1, 0, 0, 1, 1}).attribute("value", 2.0F);
  b.node("Slice", {"b"}, {"c"}, "slice").attribute("starts", {1}).attribute("ends", {5}).attribute("axes", {2});
  b.node("Squeeze", {"c"}, {"d"}, "squeeze").attribute("axes", {0});
  b.node("TopK", {"d"}, {"e", "i"}, "topk").attribute("k", std::int64_t{3});
  b.node("ReduceMean", {"e"}, {"y"}, "mean").attribute("axes", {1}).output("y", {2, 1, 3});
  const Model model = lifted(b, 13);
  EXPECT_EQ(model.opset(), 13);
  EXPECT_EQ(model.ir_version(), 7);
  const onnx::NodeProto& clip = node_named(model, "clip");
  ASSERT_EQ(clip.input_size(), 3);
  EXPECT_EQ(clip.input(1), "");
  EXPECT_THAT(raw<float>(initializer(model, clip.input(2))), ElementsAre(6.0F));
  EXPECT_EQ(clip.attribute_size(), 0);
  EXPECT_EQ(raw<std::int64_t>(initializer(model, node_named(model, "pad").input(1))).size(), 8U);
  EXPECT_THAT(raw<float>(initializer(model, node_named(model, "pad").input(2))), ElementsAre(2.0F));
  EXPECT_THAT(raw<std::int64_t>(initializer(model, node_named(model, "slice").input(3))), ElementsAre(2));
  EXPECT_THAT(raw<std::int64_t>(initializer(model, node_named(model, "squeeze").input(1))), ElementsAre(0));
  EXPECT_THAT(raw<std::int64_t>(initializer(model, node_named(model, "topk").input(1))), ElementsAre(3));
  EXPECT_EQ(node_named(model, "mean").input_size(), 1) << "an input from opset 18 on only";
  EXPECT_EQ(node_named(lifted(b, 19), "mean").input_size(), 2);
}

TEST(LiftOpset, UpsampleKeepsItsPixels) {
  OnnxBuilder b(9);
  b.input("x", {1, 1, 2, 2}).values("s", {4}, {1, 1, 2, 2}).node("Upsample", {"x", "s"}, {"y"}, "up");
  b.attribute("mode", "nearest").output("y", {1, 1, 4, 4});
  const Model model = lifted(b, 13);
  const onnx::NodeProto& up = node_named(model, "up");
  EXPECT_EQ(up.op_type(), "Resize");
  EXPECT_EQ(up.input(2), "s");
  std::map<std::string, std::string> attributes;
  for (const auto& a : up.attribute())
    attributes[a.name()] = a.s();
  EXPECT_EQ(attributes["coordinate_transformation_mode"], "asymmetric");
  EXPECT_EQ(attributes["nearest_mode"], "floor");
  OnnxBuilder down(10);
  down.input("x", {1, 1, 4, 4}).values("s", {4}, {1, 1, 0.5F, 0.5F}).node("Resize", {"x", "s"}, {"y"}, "down");
  down.output("y", {1, 1, 2, 2});
  EXPECT_THAT(lift(down, 13).to_string(), HasSubstr("'down'"));
}

TEST(LiftOpset, SoftmaxOverSeveralDimensionsIsRefused) {
  for (const auto& [rank4, ok] : {std::pair(true, false), std::pair(false, true)}) {
    OnnxBuilder b(11);
    const Dims dims = rank4 ? Dims{1, 2, 3, 4} : Dims{1, 2};
    b.input("x", dims).node("Softmax", {"x"}, {"y"}, "soft").output("y", dims);
    const Status status = lift(b, 13);
    EXPECT_EQ(status.ok(), ok);
    if (!ok) {
      EXPECT_EQ(status.code(), StatusCode::kModelError);
      EXPECT_THAT(status.to_string(), HasSubstr("'soft'"));
      EXPECT_THAT(status.to_string(), HasSubstr("opset 11 cannot be lifted to 13"));
    }
  }
}

TEST(LiftOpset, UnknownOperatorsAreRefusedOnlyWhereALiftIsNeeded) {
  OnnxBuilder b(11);
  b.input("x", {1}).node("Frobnicate", {"x"}, {"y"}, "odd").output("y", {1});
  EXPECT_THAT(lift(b, 13).to_string(), HasSubstr("'odd'"));
  EXPECT_TRUE(lift(b, 11).ok());
}

TEST(LiftOpset, SplitIntoEqualPartsSaysHowMany) {
  OnnxBuilder b(13);
  b.input("x", {4}).node("Split", {"x"}, {"a", "c"}, "split").node("Add", {"a", "c"}, {"y"}).output("y", {2});
  EXPECT_EQ(node_named(lifted(b, 13), "split").attribute_size(), 0);
  EXPECT_EQ(node_named(lifted(b, 19), "split").attribute(0).i(), 2);
}

}  // namespace
}  // namespace tern
