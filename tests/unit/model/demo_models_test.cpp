// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The four demo models: what tern knows about them, and where it has it from.
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tern/contract.h"
#include "tern/inspect.h"
#include "tern/model.h"

namespace tern {
namespace {

using ::testing::ElementsAre;
using Source = FieldOrigin::Source;

Model load(const std::string& name) {
  return Model::from_file(std::filesystem::path(TERN_SOURCE_DIR) / "models" / (name + ".onnx")).value();
}

std::map<std::string, std::size_t> ops(const Model& model) {
  return {model.op_counts().begin(), model.op_counts().end()};
}

Source source(const Contract& contract, const std::string& path) {
  return contract.origins.at(path).source;
}

TEST(DemoModels, DetectorIsReadWhole) {
  const Model model = load("overhead-detect");
  EXPECT_EQ(model.stem(), "overhead-detect");
  EXPECT_EQ(model.ir_version(), 8);
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(model.producer(), "pytorch");
  EXPECT_EQ(model.parameter_count(), 1'364'095U);
  EXPECT_EQ(model.initializers().size(), 128U);
  ASSERT_EQ(model.inputs().size(), 1U);
  EXPECT_EQ(model.inputs()[0].name, "images");
  EXPECT_EQ(model.inputs()[0].shape, (Shape{Shape::kDynamic, 3, 640, 640}));
  EXPECT_THAT(model.inputs()[0].symbols, ElementsAre("batch", "", "", ""));
  ASSERT_EQ(model.outputs().size(), 1U);
  EXPECT_EQ(model.outputs()[0].shape, (Shape{Shape::kDynamic, Shape::kDynamic, Shape::kDynamic}));
  EXPECT_EQ(model.op_counts().front(), std::pair(std::string("Constant"), std::size_t{93}));
  EXPECT_EQ(ops(model).at("Conv"), 63U);
  EXPECT_EQ(ops(model).at("Sigmoid"), 58U);
  EXPECT_EQ(model.metadata().at("layout"), "cxcywh+scores");
  EXPECT_EQ(model.content_hash().size(), 64U);
  EXPECT_EQ(model.self_contained_bytes().value().size(), std::filesystem::file_size(model.path()));
}

TEST(DemoModels, DetectorContract) {
  const Contract c = Contract::resolve(load("overhead-detect")).value();
  EXPECT_EQ(c.task, Task::kDetect);
  EXPECT_EQ(c.input.tensor, "images");
  EXPECT_EQ(c.input.width, 640);
  EXPECT_EQ(c.input.height, 640);
  EXPECT_EQ(c.input.resize, ResizeRule::kLetterbox);
  EXPECT_EQ(c.input.pad_value, 114);
  EXPECT_EQ(c.input.color, ColorOrder::kRgb);
  EXPECT_DOUBLE_EQ(c.input.scale, 1.0 / 255.0);
  EXPECT_EQ(c.input.layout, TensorLayout::kNchw);
  EXPECT_FALSE(c.input.mask_channel);
  EXPECT_EQ(c.output.tensor, "output0");
  EXPECT_EQ(c.output.kind, OutputKind::kYolo);
  EXPECT_EQ(c.output.classes, 5);
  EXPECT_THAT(c.output.names, ElementsAre("car", "truck", "bus", "boat", "plane"));
  EXPECT_FLOAT_EQ(c.output.score_threshold, 0.25F);
  EXPECT_FALSE(c.output.logits);

  EXPECT_EQ(source(c, "task"), Source::kMetadata);
  EXPECT_EQ(c.origins.at("output.kind").detail, "metadata 'layout'");
  EXPECT_EQ(c.origins.at("output.names").detail, "metadata 'names'");
  EXPECT_EQ(source(c, "input.color"), Source::kMetadata);
  EXPECT_EQ(source(c, "input.scale"), Source::kMetadata);
  EXPECT_EQ(source(c, "input.width"), Source::kMetadata);
  EXPECT_EQ(source(c, "input.mean"), Source::kDefault);
  EXPECT_EQ(source(c, "input.layout"), Source::kModelShape);
  EXPECT_EQ(source(c, "input.dtype"), Source::kModelShape);
  EXPECT_EQ(source(c, "input.tensor"), Source::kModelShape);
  EXPECT_EQ(source(c, "output.nms_iou"), Source::kDefault);
}

TEST(DemoModels, EndToEndDetectorContract) {
  const Model model = load("overhead-detect-e2e");
  EXPECT_EQ(model.parameter_count(), 1'364'095U);
  EXPECT_EQ(ops(model).at("TopK"), 1U);
  const Contract c = Contract::resolve(model).value();
  EXPECT_EQ(c.task, Task::kDetect);
  EXPECT_EQ(c.output.kind, OutputKind::kEnd2End);
  EXPECT_EQ(c.output.classes, 5);
  EXPECT_EQ(source(c, "output.kind"), Source::kMetadata);
  EXPECT_EQ(source(c, "output.classes"), Source::kMetadata);
}

TEST(DemoModels, SegmenterContract) {
  const Model model = load("overhead-segment");
  EXPECT_EQ(model.parameter_count(), 161'749U);
  EXPECT_EQ(ops(model).at("Conv"), 28U);
  const Contract c = Contract::resolve(model).value();
  EXPECT_EQ(c.task, Task::kSegment);
  EXPECT_EQ(c.input.resize, ResizeRule::kStretch);
  EXPECT_EQ(c.input.mean, (std::array<double, 4>{.485, .456, .406, 0}));
  EXPECT_EQ(c.input.std, (std::array<double, 4>{.229, .224, .225, 1}));
  EXPECT_EQ(c.output.kind, OutputKind::kSegmentation);
  EXPECT_THAT(c.output.names, ElementsAre("ground", "road", "water", "building", "vehicle"));
  EXPECT_TRUE(c.output.logits);
  EXPECT_EQ(c.output.score_threshold, 0.0F);
  EXPECT_TRUE(c.output.return_to_input_size);
  EXPECT_EQ(source(c, "output.kind"), Source::kModelShape);
  EXPECT_EQ(source(c, "input.mean"), Source::kMetadata);
}

TEST(DemoModels, ObstructionContract) {
  const Model model = load("overhead-obstruction");
  EXPECT_EQ(model.parameter_count(), 180'434U);
  const Contract c = Contract::resolve(model).value();
  EXPECT_EQ(c.task, Task::kClassify);
  EXPECT_EQ(c.input.width, 512);
  EXPECT_EQ(c.input.height, 224);
  EXPECT_TRUE(c.input.mask_channel);
  EXPECT_EQ(c.input.channels(), 4);
  EXPECT_EQ(c.input.resize, ResizeRule::kStretch);
  EXPECT_EQ(c.input.mean, (std::array<double, 4>{.485, .456, .406, 0}));
  EXPECT_EQ(c.output.kind, OutputKind::kClassification);
  EXPECT_TRUE(c.output.logits);
  EXPECT_THAT(c.output.names, ElementsAre("clear", "obstructed"));
  EXPECT_EQ(c.origins.at("input.mask_channel").detail, "metadata 'channels'");
}

TEST(DemoModels, InspectionHoldsWhatTheAccessorsSay) {
  const Model model = load("overhead-obstruction");
  const Contract c = Contract::resolve(model).value();
  const auto json = nlohmann::json::parse(inspect_json(model, &c));
  EXPECT_EQ(json["name"], "overhead-obstruction");
  EXPECT_EQ(json["parameters"], 180'434);
  EXPECT_EQ(json["nodes"], 100);
  EXPECT_EQ(json["ops"]["Conv"], 16);
  EXPECT_EQ(json["inputs"][0]["shape"], (std::vector<int>{1, 4, 224, 512}));
  EXPECT_EQ(json["initializers"]["by_type"]["FLOAT"]["count"], 34);
  EXPECT_EQ(json["contract"]["input"]["mask_channel"], true);
  EXPECT_EQ(json["contract_hash"], c.hash());
  EXPECT_EQ(json["origins"]["input.std"]["source"], "metadata");
  EXPECT_FALSE(nlohmann::json::parse(inspect_json(model)).contains("contract"));
}

}  // namespace
}  // namespace tern
