// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What the backend changes in a model, what it reads from an optimised one, and what an engine says of itself.
#include "graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend.h"
#include "library.h"
#include "onnx_schema.pb.h"

namespace tern::ort_backend {
namespace {

using ::testing::HasSubstr;

Model model_of(const std::string& path) {
  return Model::from_file(std::string(TERN_SOURCE_DIR) + "/" + path).value();
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

class Graph : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(open_library().ok()) << open_library().to_string(); }
  OnnxRuntimeBackend backend_{Provider::kCpu};
};

TEST_F(Graph, fixes_the_dimensions_that_have_no_choice_and_leaves_the_rest) {
  const Model model = model_of("models/overhead-detect.onnx");
  const auto with = [&](const BuildConfig& config) {
    const auto ranges = dev::shape_ranges(model, config, "it").value();
    return Model::from_bytes(bytes_of(fix_inputs(model, ranges).value())).value();
  };
  EXPECT_EQ(with({.max_batch = 1}).inputs()[0].shape, (Shape{1, 3, 640, 640}));
  const Model open = with({.max_batch = 4});
  EXPECT_EQ(open.inputs()[0].shape, (Shape{Shape::kDynamic, 3, 640, 640}));
  EXPECT_EQ(open.content_hash(), model.content_hash()) << "nothing to fix, but the bytes changed";
}

TEST_F(Graph, what_runs_is_read_from_the_optimised_graph) {
  const auto blob_of = [&](const char* name, Precision precision) {
    return backend_.compile(model_of(std::string("tests/data/") + name), {.precision = precision}, {}, {}).value();
  };
  using Layers = std::map<std::string, int>;
  EXPECT_EQ(blob_of("conv.onnx", Precision::kAuto).layers, (Layers{{"f32", 2}}));
  EXPECT_EQ(blob_of("conv_qdq.onnx", Precision::kAuto).layers, (Layers{{"i8", 2}}));
  EXPECT_EQ(blob_of("conv_qdq.onnx", Precision::kF32).layers, (Layers{{"f32", 2}}));
  // A Relu between a convolution and values in i8: ONNX Runtime rounds the values, and computes in f32.
  EXPECT_EQ(blob_of("conv_qdq_signed.onnx", Precision::kAuto).layers, (Layers{{"f32", 2}}));
  const auto refused =
      backend_.compile(model_of("tests/data/conv_qdq_signed.onnx"), {.precision = Precision::kI8}, {}, {});
  EXPECT_EQ(refused.status().code(), StatusCode::kEngineBuildError);
  const std::map<std::string, int> providers = blob_of("conv.onnx", Precision::kAuto).providers;
  ASSERT_EQ(providers.size(), 1U);
  EXPECT_GT(providers.at("CPUExecutionProvider"), 0);
}

TEST_F(Graph, an_output_of_unknown_rank_is_refused_by_name) {
  onnx::ModelProto proto;
  onnx::ValueInfoProto& output = *proto.mutable_graph()->add_output();
  output.set_name("what");
  output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  const std::string bytes = proto.SerializeAsString();
  const Status status = graph_facts(bytes_of(bytes)).status();
  EXPECT_EQ(status.code(), StatusCode::kModelError);
  EXPECT_EQ(status.where(), "what");
}

TEST_F(Graph, an_engine_whose_ranges_are_missing_or_changed_is_refused) {
  EngineBlob blob = backend_.compile(model_of("tests/data/affine.onnx"), {.max_batch = 4}, {}, {}).value();
  const std::string whole(reinterpret_cast<const char*>(blob.bytes.data()), blob.bytes.size());
  const std::string range = "1..4x4";
  ASSERT_THAT(whole, HasSubstr(range));
  const auto load = [&](const std::string& bytes) {
    blob.bytes = bytes_of(bytes);
    return backend_.load(blob, {}).status();
  };
  EXPECT_TRUE(load(whole).ok());
  for (const char* instead : {"1..4x5", "1..1x4", "1..?4x", "9..4x4", "1..4y4"}) {
    std::string changed = whole;
    changed.replace(changed.find(range), range.size(), instead);
    EXPECT_EQ(load(changed).code(), StatusCode::kEngineGateError) << instead;
  }
  std::string renamed = whole;
  renamed.replace(renamed.find("tern.range.0"), 12, "tern.range.9");
  EXPECT_EQ(load(renamed).code(), StatusCode::kEngineGateError);
}

TEST_F(Graph, a_batch_between_the_bounds_runs_and_one_beyond_is_refused) {
  const EngineBlob blob = backend_.compile(model_of("tests/data/affine.onnx"), {.max_batch = 3}, {}, {}).value();
  const auto engine = backend_.load(blob, {}).value();
  const auto context = engine->create_context().value();
  std::array<float, 16> x{};
  x.fill(3);
  for (const std::int64_t batch : {3, 1, 2, 3}) {
    ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {batch, 4})).ok());
    ASSERT_TRUE(context->infer().ok());
    const TensorView y = context->output(0).value();
    EXPECT_EQ(y.shape(), (Shape{batch, 4}));
    for (const float v : y.as<float>())
      EXPECT_EQ(v, 7);
  }
  const Status status = context->bind_input(0, TensorView(x.data(), DType::kF32, {4, 4}));
  EXPECT_EQ(status.code(), StatusCode::kInputError);
  EXPECT_THAT(status.to_string(), HasSubstr("1..3x4"));
}

}  // namespace
}  // namespace tern::ort_backend
