// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Where contracts come from: flags, file, metadata, shapes, defaults; and what happens when they disagree.
#include "tern/contract.h"

#include <filesystem>
#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "onnx_builder.h"
#include "tern/model.h"

namespace tern {
namespace {

using test::Dims;
using test::OnnxBuilder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Source = FieldOrigin::Source;
using Overrides = Contract::Overrides;
namespace fs = std::filesystem;

constexpr int kHalf = onnx::TensorProto::FLOAT16, kU8 = onnx::TensorProto::UINT8, kI64 = onnx::TensorProto::INT64;

OnnxBuilder shaped(const Dims& in, const Dims& out, std::string_view last = "Custom", int in_type = 1) {
  OnnxBuilder b;
  b.input("images", in, in_type).node(last, {"images"}, {"out"}).output("out", out);
  return b;
}
OnnxBuilder detector() {
  return shaped({"batch", 3, 640, 640}, {"batch", 6, 8400});
}
OnnxBuilder ultralytics(const Dims& in, const Dims& out, std::string_view task, std::string_view names) {
  OnnxBuilder b = shaped(in, out);
  b.metadata("description", "Ultralytics YOLO11n model trained on coco.yaml").metadata("author", "Ultralytics");
  b.metadata("date", "2026-01-01T00:00:00").metadata("version", "8.3.50").metadata("license", "AGPL-3.0");
  b.metadata("docs", "https://docs.ultralytics.com").metadata("stride", "32").metadata("task", task);
  b.metadata("batch", "1").metadata("imgsz", "[640, 640]").metadata("names", names);
  b.metadata("args", "{'batch': 1, 'half': False, 'dynamic': False, 'simplify': True, 'opset': None, 'nms': False}");
  return b;
}

Result<Contract> resolve(const OnnxBuilder& b, const Overrides& overrides = {}) {
  return Contract::resolve(Model::from_bytes(b.bytes(), "m").value(), {}, overrides);
}
std::string why(const OnnxBuilder& b, const Overrides& overrides = {}) {
  const auto contract = resolve(b, overrides);
  EXPECT_EQ(contract.status().code(), StatusCode::kContractError) << contract.status().to_string();
  return contract.status().to_string();
}

TEST(ContractShapes, TellTheTask) {
  Contract c = resolve(detector()).value();
  EXPECT_EQ(c.task, Task::kDetect);
  EXPECT_EQ(c.output.kind, OutputKind::kYolo);
  EXPECT_EQ(c.output.classes, 2);
  EXPECT_THAT(c.output.names, ElementsAre("class0", "class1"));
  EXPECT_EQ(c.origins.at("task").source, Source::kModelShape);
  EXPECT_EQ(c.origins.at("output.names").source, Source::kDefault);

  c = resolve(shaped({1, 3, 32, 32}, {1, 300, 6}), {{"output.classes", "80"}}).value();
  EXPECT_EQ(c.output.kind, OutputKind::kEnd2End);
  c = resolve(shaped({1, 3, 32, 32}, {1, "k", 6}), {{"output.classes", "80"}}).value();
  EXPECT_EQ(c.output.kind, OutputKind::kEnd2End);
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, 300, 6})), HasSubstr("number of classes is not known"));

  c = resolve(shaped({1, 3, 32, 64}, {1, 21, 32, 64})).value();
  EXPECT_EQ(c.task, Task::kSegment);
  EXPECT_EQ(c.output.classes, 21);
  EXPECT_EQ(c.input.width, 64);
  EXPECT_EQ(c.input.height, 32);

  c = resolve(shaped({1, 3, 32, 32}, {1, 1000})).value();
  EXPECT_EQ(c.task, Task::kClassify);
  EXPECT_EQ(c.output.classes, 1000);
  EXPECT_EQ(c.input.resize, ResizeRule::kStretch);
  EXPECT_TRUE(c.output.logits);
}

TEST(ContractShapes, UnclearOutputsAreRefused) {
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, "a", "b"})), AllOf(HasSubstr("cannot be told"), HasSubstr("output.kind")));
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, 2, 3, 4, 5})), HasSubstr("cannot be told"));
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, 8400, 84})), HasSubstr("transpose"));
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, 6, 6}), {{"output.names", R"(["a","b"])"}}), HasSubstr("cannot be told"));
  OnnxBuilder b = detector();
  b.graph().mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_THAT(why(b), HasSubstr("unknown rank"));
  // With names and kind said, an output without a shape is all right.
  EXPECT_EQ(resolve(b, {{"output.kind", "yolo"}, {"output.names", R"(["a"])"}}).value().output.classes, 1);
}

TEST(ContractShapes, WrongOutputsAreNamed) {
  const Overrides five{{"output.names", R"(["a","b","c","d","e"])"}};
  EXPECT_THAT(why(detector(), five),
              AllOf(HasSubstr("4 + 5 = 9 rows"), HasSubstr("?x6x8400"), HasSubstr("output.names")));
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, 25200, 10}), five), HasSubstr("objectness"));
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, 8400, 9}), five), HasSubstr("transpose the output"));
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, 4}), five), HasSubstr("has 5 classes, but"));
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, 300, 7}), {{"output.kind", "end2end"}, {"output.classes", "3"}}),
              HasSubstr("(N, K, 6)"));
  EXPECT_THAT(why(detector(), {{"output.kind", "segmentation"}}), HasSubstr("4 dimensions"));
  EXPECT_THAT(why(detector(), {{"task", "classify"}}), AllOf(HasSubstr("2 dimensions"), HasSubstr("flag task")));
  EXPECT_THAT(why(detector(), {{"task", "classify"}, {"output.kind", "yolo"}}), HasSubstr("belongs to 'detect'"));
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, 1})), HasSubstr("single"));
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, {1, 300, 32, 32})), HasSubstr("at most 255"));
  EXPECT_THAT(why(detector(), {{"output.classes", "3"}, {"output.names", R"(["a","b"])"}}),
              HasSubstr("output.classes"));
}

TEST(ContractShapes, ChannelsMustBeUnderstood) {
  const Dims out{1, 10};
  EXPECT_EQ(resolve(shaped({1, 1, 32, 32}, out)).value().input.color, ColorOrder::kGray);
  EXPECT_THAT(why(shaped({1, 4, 32, 32}, out)), AllOf(HasSubstr("4 channels"), HasSubstr("input.mask_channel")));
  EXPECT_THAT(why(shaped({1, 2, 32, 32}, out)), HasSubstr("2 channels"));
  EXPECT_THAT(why(shaped({1, 12, 32, 32}, out)), HasSubstr("12 channels"));
  const Overrides mask{{"input.mask_channel", "true"}};
  EXPECT_EQ(resolve(shaped({1, 4, 32, 32}, out), mask).value().input.color, ColorOrder::kRgb);
  EXPECT_EQ(resolve(shaped({1, 2, 32, 32}, out), mask).value().input.color, ColorOrder::kGray);
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, out), mask), AllOf(HasSubstr("4 channels"), HasSubstr("flag input.mask")));
  EXPECT_THAT(why(shaped({1, 3, 32, 32}, out), {{"input.color", "gray"}}),
              AllOf(HasSubstr("'gray' makes 1 channels"), HasSubstr("1x3x32x32")));
  EXPECT_EQ(resolve(shaped({1, "c", 32, 32}, out)).value().input.color, ColorOrder::kRgb);
  OnnxBuilder b = shaped({1, 3, 32, 32}, out);
  b.metadata("channels", "3");
  EXPECT_EQ(resolve(b).value().input.color, ColorOrder::kRgb);
  b = shaped({1, "c", 32, 32}, out);
  b.metadata("channels", "4");
  EXPECT_THAT(why(b), HasSubstr("metadata 'channels' is 4"));
  EXPECT_THAT(why(detector(), {{"input.color", "rgb"}, {"input.mask_channel", "true"}}), HasSubstr("4 channels"));
  EXPECT_THAT(why(shaped({1, 4, 32, 32}, {1, 5, 32, 32}), mask), HasSubstr("classifiers only"));
}

TEST(ContractShapes, LayoutComesFromTheShape) {
  const Dims out{1, 10};
  Contract c = resolve(shaped({1, 32, 64, 3}, out)).value();
  EXPECT_EQ(c.input.layout, TensorLayout::kNhwc);
  EXPECT_EQ(c.input.height, 32);
  EXPECT_EQ(c.input.width, 64);
  EXPECT_EQ(resolve(shaped({"n", "h", "w", 3}, out)).value().input.layout, TensorLayout::kNhwc);
  EXPECT_EQ(resolve(shaped({"n", 3, "h", "w"}, out)).value().input.layout, TensorLayout::kNchw);
  EXPECT_THAT(why(shaped({1, 32, 64, 3}, out), {{"input.layout", "nchw"}}), HasSubstr("32 channels"));
}

TEST(ContractShapes, SizesMustAgree) {
  EXPECT_THAT(why(detector(), {{"input.width", "320"}}),
              AllOf(HasSubstr("input.width is 320"), HasSubstr("3x640x640")));
  OnnxBuilder b = detector();
  b.metadata("imgsz", "[480, 640]");
  EXPECT_THAT(why(b), AllOf(HasSubstr("input.height is 480"), HasSubstr("metadata 'imgsz'"), HasSubstr("640x640")));

  b = shaped({1, 3, "h", "w"}, {1, 6, "a"});
  Contract c = resolve(b).value();
  EXPECT_EQ(c.input.width, 0);
  EXPECT_EQ(c.input.default_size(), std::pair(1280, 1280));
  b.metadata("imgsz", "[480, 640]").metadata("stride", "32");
  c = resolve(b).value();
  EXPECT_EQ(c.input.default_size(), std::pair(640, 480));
  EXPECT_EQ(c.input.min_side, 32);
  EXPECT_EQ(c.origins.at("input.width").detail, "metadata 'imgsz'");
  EXPECT_THAT(why(b, {{"input.width", "650"}}), AllOf(HasSubstr("multiples of 32"), HasSubstr("'stride'")));
  EXPECT_THAT(why(b, {{"input.width", "16"}, {"input.min_side", "32"}}), HasSubstr("multiples"));
  EXPECT_THAT(why(b, {{"input.max_side", "512"}}), HasSubstr("outside input.min_side..input.max_side"));
  EXPECT_THAT(why(b, {{"input.max_side", "31"}}), HasSubstr("above input.max_side"));
  c = resolve(shaped({1, 3, "h", "w"}, {1, 6, "a"}), {{"input.max_side", "640"}}).value();
  EXPECT_EQ(c.input.default_size(), std::pair(640, 640));
  EXPECT_THAT(why(shaped({0, 3, 32, 32}, {1, 10})), HasSubstr("no image"));
  EXPECT_THAT(why(shaped({1, 3, 0, 32}, {1, 10})), HasSubstr("side of 0"));
}

TEST(ContractShapes, InputTypes) {
  EXPECT_EQ(resolve(shaped({1, 3, 8, 8}, {1, 5}, "Custom", kHalf)).value().input.dtype, DType::kF16);
  const Contract c = resolve(shaped({1, 3, 8, 8}, {1, 5}, "Custom", kU8)).value();
  EXPECT_EQ(c.input.dtype, DType::kU8);
  EXPECT_EQ(c.input.scale, 1.0);
  EXPECT_THAT(why(shaped({1, 3, 8, 8}, {1, 5}, "Custom", kI64)), HasSubstr("no input is an image"));
  EXPECT_THAT(why(shaped({1, 3, 8, 8}, {1, 5}), {{"input.dtype", "f16"}}),
              AllOf(HasSubstr("'f16'"), HasSubstr("f32 1x3x8x8")));
  EXPECT_THAT(why(shaped({1, 3, 8, 8}, {1, 5}), {{"input.dtype", "i64"}}), HasSubstr("f32, f16, u8"));
}

TEST(ContractShapes, SeveralTensors) {
  OnnxBuilder b = shaped({1, 3, 8, 8}, {1, 5});
  b.input("sizes", {1, 2}, kI64);
  EXPECT_EQ(resolve(b).value().input.tensor, "images");
  b.input("other", {1, 3, 8, 8});
  EXPECT_THAT(why(b), AllOf(HasSubstr("'other'"), HasSubstr("'images'"), HasSubstr("input.tensor")));
  EXPECT_EQ(resolve(b, {{"input.tensor", "other"}}).value().input.tensor, "other");
  EXPECT_THAT(why(b, {{"input.tensor", "ghost"}}), AllOf(HasSubstr("'ghost'"), HasSubstr("'sizes'")));
  EXPECT_THAT(why(b, {{"input.tensor", "sizes"}}), HasSubstr("four dimensions"));

  b = shaped({1, 3, 8, 8}, {1, 5});
  b.node("Custom", {"images"}, {"features"}).output("features", {1, 64, 4, 4});
  EXPECT_THAT(why(b), AllOf(HasSubstr("several outputs"), HasSubstr("output.tensor")));
  EXPECT_EQ(resolve(b, {{"task", "classify"}}).value().output.tensor, "out");
  EXPECT_EQ(resolve(b, {{"output.tensor", "features"}}).value().task, Task::kSegment);
  EXPECT_THAT(why(b, {{"task", "detect"}}), HasSubstr("0 of the model's outputs"));

  b = shaped({1, 3, 8, 8}, {1, 116, 8400});
  b.node("Custom", {"images"}, {"protos"}).output("protos", {1, 32, 160, 160}).metadata("task", "segment");
  EXPECT_THAT(why(b), HasSubstr("instance segmentation is not supported"));

  b = OnnxBuilder();
  b.input("tokens", {1, 77}, kI64).node("Custom", {"tokens"}, {"y"}).output("y", {1, 512});
  EXPECT_THAT(why(b), HasSubstr("no input is an image"));
  b = shaped({1, 3, 8, 8}, {1, 5});
  b.graph().mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(kI64);
  EXPECT_THAT(why(b), HasSubstr("results are read from f32 or f16"));
}

TEST(ContractShapes, SoftmaxIsNotAppliedTwice) {
  EXPECT_TRUE(resolve(shaped({1, 3, 8, 8}, {1, 5}, "Gemm")).value().output.logits);
  EXPECT_TRUE(resolve(shaped({1, 3, 8, 8}, {1, 5}, "LogSoftmax")).value().output.logits);
  EXPECT_FALSE(resolve(shaped({1, 3, 8, 8}, {1, 5}, "Softmax")).value().output.logits);
  EXPECT_FALSE(resolve(shaped({1, 3, 8, 8}, {1, 5, 8, 8}, "Sigmoid")).value().output.logits);
  EXPECT_FALSE(resolve(detector()).value().output.logits);
  EXPECT_THAT(why(shaped({1, 3, 8, 8}, {1, 5}, "Softmax"), {{"output.logits", "true"}}),
              HasSubstr("ends with Softmax"));
  EXPECT_THAT(why(detector(), {{"output.logits", "true"}}), HasSubstr("must be false"));
  OnnxBuilder b;
  b.input("images", {1, 3, 8, 8}).node("Softmax", {"images"}, {"p"}).node("Cast", {"p"}, {"q"});
  b.node("Identity", {"q"}, {"out"}).output("out", {1, 5});
  EXPECT_FALSE(resolve(b).value().output.logits);
}

TEST(ContractMetadata, UltralyticsDetector) {
  const Contract c = resolve(ultralytics({1, 3, 640, 640}, {1, 7, 8400}, "detect",
                                         R"({0: 'person', 1: "driver's seat", 2: 'caf\xe9'})"))
                         .value();
  EXPECT_EQ(c.task, Task::kDetect);
  EXPECT_EQ(c.output.kind, OutputKind::kYolo);
  EXPECT_THAT(c.output.names, ElementsAre("person", "driver's seat", "caf\xc3\xa9"));
  EXPECT_EQ(c.input.resize, ResizeRule::kLetterbox);
  EXPECT_EQ(c.input.color, ColorOrder::kRgb);
  EXPECT_EQ(c.input.width, 640);
}

TEST(ContractMetadata, UltralyticsEndToEnd) {
  OnnxBuilder b = ultralytics({1, 3, 640, 640}, {1, 300, 6}, "detect", "{0: 'a', 1: 'b'}");
  b.metadata("end2end", "True").metadata("channels", "3");
  EXPECT_EQ(resolve(b).value().output.kind, OutputKind::kEnd2End);
  // Two classes and `False`: with NMS inside the model the shape still says end to end.
  b = ultralytics({1, 3, 640, 640}, {1, 300, 6}, "detect", "{0: 'a', 1: 'b'}");
  b.metadata("end2end", "False");
  EXPECT_EQ(resolve(b).value().output.kind, OutputKind::kEnd2End);
  b = ultralytics({1, 3, 640, 640}, {1, 6, 8400}, "detect", "{0: 'a', 1: 'b'}");
  b.metadata("end2end", "True");
  EXPECT_THAT(why(b), HasSubstr("(N, K, 6)"));
}

TEST(ContractMetadata, UltralyticsClassifier) {
  OnnxBuilder b = shaped({1, 3, 224, 224}, {1, 2}, "Softmax");
  b.metadata("author", "Ultralytics").metadata("task", "classify").metadata("names", "{0: 'a', 1: 'b'}");
  b.metadata("imgsz", "[224, 224]").metadata("stride", "1");
  const Contract c = resolve(b).value();
  EXPECT_EQ(c.input.resize, ResizeRule::kCenterCrop);
  EXPECT_FALSE(c.output.logits);
}

TEST(ContractMetadata, UnsupportedTasksAreNamed) {
  for (const char* task : {"pose", "obb", "depth", ""}) {
    EXPECT_THAT(why(ultralytics({1, 3, 640, 640}, {1, 56, 8400}, task, "{0: 'a'}")),
                AllOf(HasSubstr("metadata 'task'"), HasSubstr("not supported")));
  }
  EXPECT_THAT(why(ultralytics({1, 3, 640, 640}, {1, 116, 8400}, "segment", "{0: 'a'}")), HasSubstr("prototypes"));
}

TEST(ContractMetadata, MalformedValuesAreNamedUnlessOverridden) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"names", "{0: 'a', 2: 'b'}", "none has the index 1"},
      {"names", "{0: 'a', 0: 'b'}", "stands twice"},
      {"names", "{'x': 'a'}", "none has the index 0"},
      {"names", "__import__('os').system('true')", "not a literal"},
      {"names", "{}", "must list class names"},
      {"names", "[1, 2]", "class names"},
      {"names", R"(["a\nb"])", "control characters"},
      {"imgsz", "[640]", "[height, width]"},
      {"imgsz", "[640, -1]", "0..32768"},
      {"imgsz", "large", "not a literal"},
      {"color", "cmyk", "rgb, bgr, gray"},
      {"channels", "rgb+depth", "rgb, bgr, gray"},
      {"scale", "1/0", "above 0"},
      {"scale", "nan", "above 0"},
      {"mean", "[0.5, 'x', 0.5]", "entry 1"},
      {"std", "[0.5, 0, 0.5]", "divided by"},
      {"layout", "corners", "not known"},
      {"end2end", "maybe", "True or False"},
      {"stride", "0", "1..1024"},
  };
  for (const auto& [key, value, reason] : cases) {
    OnnxBuilder b = detector();
    b.metadata(key, value);
    EXPECT_THAT(why(b), AllOf(HasSubstr(std::string("metadata '") + key + "'"), HasSubstr(reason)));
  }
  OnnxBuilder b = detector();
  b.metadata("names", "nonsense").metadata("color", "cmyk");
  EXPECT_TRUE(resolve(b, {{"output.names", R"(["a","b"])"}, {"input.color", "bgr"}}).ok());
}

TEST(ContractMetadata, KeysThatDisagreeAreNamed) {
  OnnxBuilder b = detector();
  b.metadata("color", "bgr").metadata("channels", "rgb");
  EXPECT_THAT(why(b), AllOf(HasSubstr("metadata 'channels'"), HasSubstr("metadata 'color'"), HasSubstr("bgr")));
  b = shaped({1, 3, 8, 8}, {1, 300, 6});
  b.metadata("layout", "cxcywh+scores").metadata("end2end", "True").metadata("names", "['a', 'b']");
  EXPECT_THAT(why(b), AllOf(HasSubstr("metadata 'end2end'"), HasSubstr("metadata 'layout'")));
}

TEST(ContractMetadata, NormalisationMustBeOfOneConvention) {
  OnnxBuilder b = shaped({1, 3, 8, 8}, {1, 5});
  b.metadata("mean", "[123.675, 116.28, 103.53]").metadata("std", "[58.395, 57.12, 57.375]");
  EXPECT_THAT(why(b), AllOf(HasSubstr("123.675"), HasSubstr("input.scale 1")));
  b.metadata("scale", "1");
  EXPECT_EQ(resolve(b).value().input.mean[0], 123.675);
  b = shaped({1, 3, 8, 8}, {1, 5});
  b.metadata("mean", "[0.5]");
  EXPECT_THAT(why(b), AllOf(HasSubstr("has 1 numbers"), HasSubstr("metadata 'mean'"), HasSubstr("3 colour")));
  b = shaped({1, 4, 8, 8}, {1, 5});
  b.metadata("channels", "rgb+mask").metadata("mean", "[0.5, 0.5, 0.5, 0.5]");
  EXPECT_THAT(why(b), HasSubstr("mask is not normalised"));
  b = shaped({1, 1, 8, 8}, {1, 5});
  b.metadata("mean", "[0.5]").metadata("std", "[0.25]");
  EXPECT_EQ(resolve(b).value().input.std, (std::array<double, 4>{0.25, 1, 1, 1}));
}

TEST(ContractFlags, AreChecked) {
  EXPECT_THAT(why(detector(), {{"input.colour", "rgb"}}), HasSubstr("did you mean 'input.color'?"));
  EXPECT_THAT(why(detector(), {{"zzz", "1"}}), HasSubstr("known: task, input.tensor"));
  EXPECT_THAT(why(detector(), {{"output.score_threshold", "1.5"}}), AllOf(HasSubstr("0..1"), HasSubstr("1.5")));
  EXPECT_THAT(why(detector(), {{"output.score_threshold", "high"}}), HasSubstr("'high'"));
  EXPECT_THAT(why(detector(), {{"input.resize", "letterbx"}}), HasSubstr("did you mean 'letterbox'?"));
  EXPECT_THAT(why(detector(), {{"output.names", std::string(100000, '[')}}), HasSubstr("class names"));
  const Contract c = resolve(detector(), {{"output.score_threshold", "0.3"},
                                          {"input.scale", "1/128"},
                                          {"input.resize", "\"none\""},
                                          {"output.tensor", "out"}})
                         .value();
  EXPECT_FLOAT_EQ(c.output.score_threshold, 0.3F);
  EXPECT_EQ(c.input.scale, 1.0 / 128);
  EXPECT_EQ(c.input.resize, ResizeRule::kNone);
  EXPECT_EQ(c.origins.at("input.scale").source, Source::kFlag);
}

// A folder with a model, and room for contract files.
class ContractFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "tern-contract-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    OnnxBuilder b = detector();
    b.metadata("color", "rgb").metadata("names", "['car', 'bus']").metadata("task", "detect");
    b.metadata("scale", "1/255").metadata("mean", "[0.5, 0.5, 0.5]").metadata("imgsz", "640");
    b.metadata("layout", "cxcywh+scores");
    ASSERT_TRUE(write_file(root_ / "m.onnx", b.bytes()).ok());
  }
  void TearDown() override { fs::remove_all(root_); }

  Result<Contract> with(std::string_view text, const Overrides& overrides = {}) {
    EXPECT_TRUE(write_file(root_ / "m.tern.json", text).ok());
    return Contract::resolve(Model::from_file(root_ / "m.onnx").value(), {}, overrides);
  }
  std::string why(std::string_view text, const Overrides& overrides = {}) {
    const auto contract = with(text, overrides);
    EXPECT_EQ(contract.status().code(), StatusCode::kContractError) << contract.status().to_string();
    return contract.status().to_string();
  }
  fs::path root_;
};

TEST_F(ContractFile, SetsPoliciesAndRepeatsFacts) {
  const Contract c = with(R"({"$schema": "x", "task": "detect",
    "input": {"color": "rgb", "scale": 0.0039215686, "mean": [0.5, 0.5, 0.5, 0], "width": 640.0, "resize": "stretch"},
    "output": {"names": ["car", "bus"], "kind": "yolo", "classes": 2, "score_threshold": 0.6, "max_detections": 10}})")
                         .value();
  EXPECT_FLOAT_EQ(c.output.score_threshold, 0.6F);
  EXPECT_EQ(c.output.max_detections, 10);
  EXPECT_EQ(c.input.resize, ResizeRule::kStretch);
  EXPECT_EQ(c.origins.at("input.color").source, Source::kFile);
  EXPECT_EQ(c.origins.at("input.color").detail, "m.tern.json");
  EXPECT_EQ(c.origins.at("input.height").source, Source::kMetadata);
}

TEST_F(ContractFile, ContradictionsNameBothSides) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {R"({"input": {"color": "bgr"}})", "input.color is 'bgr' in m.tern.json but 'rgb' in the ONNX metadata 'color'",
       "color"},
      {R"({"output": {"names": ["car", "van"]}})", R"(["car","van"])", "metadata 'names'"},
      {R"({"task": "segment"})", "'segment'", "metadata 'task'"},
      {R"({"input": {"scale": 1}})", "1.0", "metadata 'scale'"},
      {R"({"input": {"mean": [0.4, 0.5, 0.5]}})", "[0.4,0.5,0.5,0.0]", "metadata 'mean'"},
      {R"({"input": {"width": 320}})", "320", "metadata 'imgsz'"},
      {R"({"output": {"kind": "end2end"}})", "'end2end'", "metadata 'layout'"},
  };
  for (const auto& [text, left, right] : cases) {
    EXPECT_THAT(why(text), AllOf(HasSubstr("m.tern.json"), HasSubstr(left), HasSubstr(right), HasSubstr("override")));
  }
  // A flag settles it.
  const Contract c = with(R"({"input": {"color": "bgr"}})", {{"input.color", "bgr"}}).value();
  EXPECT_EQ(c.input.color, ColorOrder::kBgr);
  // Facts that only the shapes know.
  EXPECT_THAT(why(R"({"input": {"dtype": "u8"}})"), AllOf(HasSubstr("'u8' in m.tern.json"), HasSubstr("f32")));
  EXPECT_THAT(why(R"({"output": {"classes": 3}})"), HasSubstr("3"));
  EXPECT_THAT(why(R"({"input": {"layout": "nhwc"}})"), HasSubstr("input.layout"));
}

TEST_F(ContractFile, IsStrict) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not valid JSON at line 1"},
      {"{\n \"task\": detect}", "line 2, column 10"},
      {"[]", "must be an object"},
      {R"({"taks": "detect"})", "did you mean 'task'?"},
      {R"({"input": {"colour": "rgb"}})", "did you mean 'input.color'?"},
      {R"({"input": []})", "'input' must be an object"},
      {R"({"task": "detect", "task": "detect"})", "'task' stands twice"},
      {R"({"input": {"width": 1, "width": 2}})", "'width' stands twice"},
      {R"({"input": {"width": "640"}})", "whole number"},
      {R"({"input": {"width": 640.5}})", "whole number"},
      {R"({"input": {"width": 1e300}})", "whole number"},
      {R"({"input": {"pad_value": 256}})", "0..255"},
      {R"({"input": {"pad_value": 1e999}})", "out of range"},
      {R"({"input": {"scale": NaN}})", "not valid JSON"},
      {R"({"input": {"scale": 0}})", "above 0"},
      {R"({"input": {"scale": -1}})", "above 0"},
      {R"({"input": {"std": [1, 0, 1]}})", "divided by"},
      {R"({"input": {"mean": [0, 0, 0, 0, 0]}})", "one number for each channel"},
      {R"({"input": {"mean": 0.5}})", "one number for each channel"},
      {R"({"input": {"mask_channel": 1}})", "true or false"},
      {R"({"output": {"nms_iou": 1.01}})", "0..1"},
      {R"({"output": {"max_detections": 0}})", "1..10000"},
      {R"({"output": {"names": []}})", "class names"},
      {R"({"output": {"names": ["a", ""]}})", "entry 1"},
      {"{\"output\": {\"names\": [\"\xff\"]}}", "not valid JSON"},
      {R"({"task": null})", "detect, segment, classify"},
  };
  for (const auto& [text, reason] : cases) {
    EXPECT_THAT(why(text), AllOf(HasSubstr("m.tern.json"), HasSubstr(reason))) << text;
  }
  EXPECT_THAT(why(std::string(100'000, '[')), HasSubstr("m.tern.json"));
  std::string deep = "0";
  for (int i = 0; i < 20; ++i)
    deep = R"({"input": )" + deep + "}";
  EXPECT_THAT(why(deep), HasSubstr("nested"));
  EXPECT_THAT(why(std::string((1 << 20) + 1, ' ')), HasSubstr("limit"));
}

TEST_F(ContractFile, MayBeNamed) {
  const Model model = Model::from_file(root_ / "m.onnx").value();
  ASSERT_TRUE(write_file(root_ / "other.json", R"({"output": {"nms_iou": 0.9}})").ok());
  ASSERT_TRUE(write_file(root_ / "m.tern.json", R"({"output": {"nms_iou": 0.1}})").ok());
  EXPECT_FLOAT_EQ(Contract::resolve(model, root_ / "other.json").value().output.nms_iou, 0.9F);
  EXPECT_FLOAT_EQ(Contract::resolve(model).value().output.nms_iou, 0.1F);
  EXPECT_EQ(Contract::resolve(model, root_ / "missing.json").status().code(), StatusCode::kIoError);
  EXPECT_EQ(Contract::resolve(model, root_).status().code(), StatusCode::kIoError);
}

}  // namespace
}  // namespace tern
