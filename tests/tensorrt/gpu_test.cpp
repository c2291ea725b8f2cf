// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What tern/engine.h promises of a GPU backend beyond the conformance suite, on real TensorRT.
#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "cuda/handles.h"
#include "gpu_fixture.h"

namespace tern {
namespace {

using test::affine;
using test::demo;
using test::LineLogger;
using test::noise;
using test::TensorRtGpu;
using ::testing::HasSubstr;

TEST_F(TensorRtGpu, tensors_on_the_device_are_used_where_they_are) {
  const auto engine = load(blob_of(affine()));
  const auto context = engine->create_context().value();
  const cuda::DeviceBuffer x(2 * 3 * sizeof(float)), y(2 * 3 * sizeof(float));
  const Device gpu{DeviceKind::kCuda, 0};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {2, 3}, gpu)).ok());
  ASSERT_TRUE(context->bind_output(0, TensorView(y.data(), DType::kF32, {2, 3}, gpu)).ok());
  for (int run = 0; run < 4; ++run) {  // eager, captured, replayed
    std::array<float, 6> in{}, out{};
    in.fill(static_cast<float>(run));
    cuda::check(cudaMemcpy(x.data(), in.data(), x.bytes(), cudaMemcpyHostToDevice), "cudaMemcpy");
    cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    ASSERT_TRUE(context->infer().ok());
    cuda::check(cudaMemcpy(out.data(), y.data(), y.bytes(), cudaMemcpyDeviceToHost), "cudaMemcpy");
    EXPECT_EQ(out[5], 2.0F * static_cast<float>(run) + 1);
  }
  EXPECT_EQ(context->output(0)->data(), y.data());
  EXPECT_EQ(context->output(0)->device(), gpu);
}

TEST_F(TensorRtGpu, memory_that_is_not_where_the_view_says_is_refused) {
  const auto engine = load(blob_of(affine()));
  const auto context = engine->create_context().value();
  std::array<float, 3> host{};
  const cuda::DeviceBuffer device(512);
  auto* const inside = static_cast<std::byte*>(device.data()) + 16;
  EXPECT_THAT(context->bind_input(0, TensorView(inside, DType::kF32, {1, 3}, {DeviceKind::kCuda, 0})).message(),
              HasSubstr("256"));
  const Status wrong = context->bind_input(0, TensorView(host.data(), DType::kF32, {1, 3}, {DeviceKind::kCuda, 0}));
  EXPECT_EQ(wrong.code(), StatusCode::kInputError) << wrong.to_string();
  EXPECT_EQ(context->bind_input(0, TensorView(device.data(), DType::kF32, {1, 3}, {DeviceKind::kCuda, 1})).code(),
            StatusCode::kInputError);
  EXPECT_EQ(context->bind_output(0, TensorView(host.data(), DType::kF32, {1, 3}, {DeviceKind::kCuda, 0})).code(),
            StatusCode::kInputError);
}

TEST_F(TensorRtGpu, pinned_memory_is_used_where_it_is) {
  const auto engine = load(blob_of(affine()));
  const auto context = engine->create_context().value();
  const cuda::PinnedBuffer x(3 * sizeof(float)), y(3 * sizeof(float));
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 3})).ok());
  ASSERT_TRUE(context->bind_output(0, TensorView(y.data(), DType::kF32, {1, 3})).ok());
  for (int run = 0; run < 4; ++run) {
    static_cast<float*>(x.data())[2] = static_cast<float>(run);
    ASSERT_TRUE(context->infer().ok());
    EXPECT_EQ(static_cast<float*>(y.data())[2], 2.0F * static_cast<float>(run) + 1);
  }
}

TEST_F(TensorRtGpu, graphs_give_what_runs_without_them_give_through_changes_of_shape) {
  const Model model = demo("overhead-segment");
  const EngineBlob blob = blob_of(model);
  const auto log = std::make_shared<LineLogger>();
  const auto with = load(blob, true, log), without = load(blob, false);
  const auto replayed = with->create_context().value(), eager = without->create_context().value();
  std::vector<float> images = noise(std::size_t{4} * 3 * 640 * 640, 5);
  for (const std::int64_t batch : {1, 1, 1, 3, 3, 3, 1, 4, 1, 3, 4, 4, 1}) {
    std::rotate(images.begin(), images.begin() + 1000, images.end());  // another input each time
    const TensorView view(images.data(), DType::kF32, {batch, 3, 640, 640});
    ASSERT_TRUE(replayed->bind_input(0, view).ok());
    ASSERT_TRUE(eager->bind_input(0, view).ok());
    ASSERT_TRUE(replayed->infer().ok());
    ASSERT_TRUE(eager->infer().ok());
    const auto a = replayed->output(0)->as<float>(), b = eager->output(0)->as<float>();
    ASSERT_EQ(replayed->output(0)->shape(), eager->output(0)->shape());
    float largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      largest = std::max(largest, std::fabs(a[i] - b[i]));
    EXPECT_LE(largest, 1e-3F) << "batch " << batch;
  }
  EXPECT_THAT(log->lines(), ::testing::Not(HasSubstr("without a CUDA graph"))) << "no graph was captured";
}

TEST_F(TensorRtGpu, more_addresses_than_graphs_are_kept_give_right_results) {
  const auto engine = load(blob_of(affine()));
  const auto context = engine->create_context().value();
  std::vector<cuda::PinnedBuffer> inputs;
  for (int i = 0; i < 20; ++i)
    inputs.emplace_back(3 * sizeof(float));
  for (int run = 0; run < 200; ++run) {
    const auto& x = inputs[static_cast<std::size_t>(run * 7 % 20)];
    static_cast<float*>(x.data())[0] = static_cast<float>(run);
    ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 3})).ok());
    ASSERT_TRUE(context->infer().ok());
    ASSERT_EQ(context->output(0)->as<float>()[0], 2.0F * static_cast<float>(run) + 1);
  }
}

TEST_F(TensorRtGpu, enqueued_runs_use_graphs_too_and_keep_the_order_of_the_stream) {
  const auto engine = load(blob_of(affine()));
  const auto context = engine->create_context().value();
  const auto stream = engine->create_stream().value();
  const auto event = engine->create_event().value();
  std::array<float, 3> x{}, y{};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 3})).ok());
  ASSERT_TRUE(context->bind_output(0, TensorView(y.data(), DType::kF32, {1, 3})).ok());
  EXPECT_NE(stream->native_handle(), nullptr);
  for (int run = 0; run < 100; ++run) {
    x[1] = static_cast<float>(run);
    ASSERT_TRUE(context->enqueue(*stream, *event).ok());
    ASSERT_TRUE(event->wait().ok());
    ASSERT_EQ(y[1], 2.0F * static_cast<float>(run) + 1);
  }
}

TEST_F(TensorRtGpu, each_profile_serves_its_shapes_and_none_serves_others) {
  BuildConfig config;
  config.profiles = {parse_profile("x=1x3:1x3:2x3").value(), parse_profile("x=5x3:6x3:8x3").value()};
  const auto engine = load(blob_of(affine(), config));
  EXPECT_EQ(engine->input_shape(), (Shape{Shape::kDynamic, 3}));
  const auto context = engine->create_context().value();
  std::vector<float> x(30, 3);
  for (const std::int64_t batch : {1, 8, 2, 5, 5, 5, 1, 1, 8}) {
    ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {batch, 3})).ok());
    ASSERT_TRUE(context->infer().ok()) << batch;
    EXPECT_EQ(context->output(0)->shape(), (Shape{batch, 3}));
    EXPECT_EQ(context->output(0)->as<float>()[static_cast<std::size_t>(batch * 3 - 1)], 7);
  }
  for (const std::int64_t batch : {3, 4, 9}) {
    const Status status = context->bind_input(0, TensorView(x.data(), DType::kF32, {batch, 3}));
    EXPECT_EQ(status.code(), StatusCode::kInputError) << batch;
  }
}

TEST_F(TensorRtGpu, a_profile_that_fixes_everything_makes_fixed_shapes) {
  BuildConfig config;
  config.profiles = {parse_profile("x=2x3").value()};
  const auto engine = load(blob_of(affine(), config));
  EXPECT_EQ(engine->input_shape(), (Shape{2, 3}));
  EXPECT_EQ(engine->outputs()[0].shape, (Shape{2, 3}));
}

TEST_F(TensorRtGpu, half_precision_reaches_layers_and_is_told_layer_by_layer) {
  const Model model = demo("overhead-segment");
  const auto blob = backend_->compile(model, quick({.precision = Precision::kF16}), {}, {});
  if (backend_->host_facts().version.starts_with("11.")) {
    EXPECT_EQ(blob.status().code(), StatusCode::kConfigError) << "TensorRT 11 takes types from the model";
    return;
  }
  ASSERT_TRUE(blob.ok()) << blob.status().to_string();
  EXPECT_EQ(blob->precision, Precision::kF16);
  EXPECT_GT(blob->layers.at("f16"), 0);
  EXPECT_EQ(load(*blob)->precision(), Precision::kF16);
}

TEST_F(TensorRtGpu, f32_has_no_layer_below_it) {
  const EngineBlob blob = blob_of(demo("overhead-segment"));
  EXPECT_EQ(blob.precision, Precision::kF32);
  EXPECT_TRUE(blob.layers.contains("f32"));
  for (const char* lower : {"f16", "bf16", "fp8", "i8"})
    EXPECT_FALSE(blob.layers.contains(lower)) << lower;
}

TEST_F(TensorRtGpu, the_timing_cache_is_written_shared_and_replaced_when_damaged) {
  const std::string path = ::testing::TempDir() + "/tern_timing_cache";
  std::remove(path.c_str());
  const Model model = demo("overhead-segment");
  const auto build = [&] { return backend_->compile(model, quick({.timing_cache = path}), {}, {}).status(); };
  ASSERT_TRUE(build().ok());
  const auto first = read_file(path, 1U << 30U).value();
  EXPECT_GT(first.size(), 0U);
  ASSERT_TRUE(build().ok());
  EXPECT_GE(read_file(path, 1U << 30U)->size(), first.size());
  std::ofstream(path, std::ios::trunc) << "no timing cache";
  const Status status = build();
  ASSERT_TRUE(status.ok()) << status.to_string();
  EXPECT_GT(read_file(path, 1U << 30U)->size(), 100U);
  std::remove(path.c_str());
  std::remove((path + ".lock").c_str());
  const Status lost = backend_->compile(model, quick({.timing_cache = "/nonexistent/cache"}), {}, {}).status();
  EXPECT_EQ(lost.code(), StatusCode::kIoError) << lost.to_string();
}

TEST_F(TensorRtGpu, a_build_can_be_stopped_in_the_middle) {
  std::stop_source stop;
  const auto blob = backend_->compile(
      demo("overhead-detect"), quick(),
      [&](std::string_view, double fraction) {
        if (fraction > 0.1) stop.request_stop();
      },
      stop.get_token());
  EXPECT_EQ(blob.status().code(), StatusCode::kCancelled) << blob.status().to_string();
}

TEST_F(TensorRtGpu, bytes_that_are_no_plan_are_refused_with_tensorrts_words) {
  EngineBlob blob = blob_of(affine());
  blob.own(std::vector<std::byte>(100'000, std::byte{0x5A}));
  const Status status = backend_->load(blob, {}).status();
  EXPECT_EQ(status.code(), StatusCode::kEngineGateError);
  EXPECT_FALSE(status.cause().empty());
}

TEST_F(TensorRtGpu, every_parser_error_names_operator_and_node) {
  test::OnnxBuilder b;
  b.input("x", {1, 3}).node("Frobnicate", {"x"}, {"a"}, "first").node("Twiddle", {"a"}, {"y"}, "second");
  b.output("y", {1, 3});
  const Status status = backend_->compile(Model::from_bytes(b.bytes()).value(), quick(), {}, {}).status();
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.to_string(), HasSubstr("Frobnicate"));
  EXPECT_THAT(status.to_string(), HasSubstr("first"));
}

/// Looks at the GPU's free memory: nothing else may run on it meanwhile.
class TensorRtGpuAlone : public TensorRtGpu {};

TEST_F(TensorRtGpuAlone, the_engines_memory_is_counted_and_given_back) {
  const EngineBlob blob = blob_of(demo("overhead-detect"));
  const auto free_bytes = [] {
    std::size_t free = 0, total = 0;
    cuda::check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    return free;
  };
  { const auto warm = load(blob)->create_context().value(); }  // what the driver keeps is allocated now
  const std::size_t before = free_bytes();
  for (int i = 0; i < 5; ++i) {
    const auto engine = load(blob);
    EXPECT_GT(engine->memory().engine_bytes, 1'000'000U) << "the weights";
    EXPECT_GT(engine->memory().context_bytes, std::size_t{4} * 3 * 640 * 640 * sizeof(float)) << "at least the input";
    const auto context = engine->create_context().value();
  }
  constexpr std::size_t kSlack = 32U << 20U;  // the driver's pools
  EXPECT_LT(before - std::min(before, free_bytes()), kSlack);
}

TEST_F(TensorRtGpu, an_engine_says_in_one_line_that_it_is_ready) {
  const auto log = std::make_shared<LineLogger>();
  const EngineBlob blob = blob_of(affine());
  const auto engine = load(blob, true, log);
  EXPECT_THAT(log->lines(), HasSubstr("engine " + blob.engine_id + " ready: TensorRT "));
  EXPECT_THAT(log->lines(), HasSubstr("x ?x3 -> y ?x3"));
}

}  // namespace
}  // namespace tern
