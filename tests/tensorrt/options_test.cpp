// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Options of builds and loads on real TensorRT: TF32, streams, caches, devices, and what they are refused for.
#include <chrono>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cuda/handles.h"
#include "gpu_fixture.h"

namespace tern {
namespace {

using test::affine;
using test::demo;
using test::LineLogger;
using test::noise;
using test::OnnxBuilder;
using test::TensorRtGpu;
using ::testing::HasSubstr;

constexpr std::int64_t kRows = 256, kInner = 2048, kColumns = 256;

/// The largest error of `y = x * w`, in units of the largest value.
double matmul_error(Backend& backend, const BuildConfig& config) {
  const std::vector<float> x = noise(kRows * kInner, 1), w = noise(kInner * kColumns, 2);
  OnnxBuilder b;
  b.input("x", {kRows, kInner}).input("w", {kInner, kColumns}).node("MatMul", {"x", "w"}, {"y"});
  b.output("y", {kRows, kColumns});
  const EngineBlob blob = backend.compile(Model::from_bytes(b.bytes(), "matmul").value(), config, {}, {}).value();
  const auto context = backend.load(blob, {}).value()->create_context().value();
  const auto bind = [&](std::size_t index, const std::vector<float>& values, const Shape& shape) {
    ASSERT_TRUE(context->bind_input(index, TensorView(const_cast<float*>(values.data()), DType::kF32, shape)).ok());
  };
  const bool x_first = blob.inputs[0].name == "x";
  bind(x_first ? 0 : 1, x, {kRows, kInner});
  bind(x_first ? 1 : 0, w, {kInner, kColumns});
  EXPECT_TRUE(context->infer().ok());
  const auto y = context->output(0)->as<float>();
  double largest = 0, error = 0;
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (std::int64_t c = 0; c < kColumns; ++c) {
      double exact = 0;
      for (std::int64_t i = 0; i < kInner; ++i)
        exact += static_cast<double>(x[static_cast<std::size_t>(r * kInner + i)]) *
                 static_cast<double>(w[static_cast<std::size_t>(i * kColumns + c)]);
      largest = std::max(largest, std::fabs(exact));
      error = std::max(error, std::fabs(exact - static_cast<double>(y[static_cast<std::size_t>(r * kColumns + c)])));
    }
  }
  return error / largest;
}

TEST_F(TensorRtGpu, f32_is_exact_to_f32_unless_tf32_is_asked_for) {
  BuildConfig config = quick();
  EXPECT_LT(matmul_error(*backend_, config), 2e-6);
  config.tf32 = true;
  // A permission, not an order: the builder may still take f32.
  EXPECT_LT(matmul_error(*backend_, config), 2e-3);
}

TEST_F(TensorRtGpu, auxiliary_streams_and_a_persistent_cache_change_no_result) {
  const Model model = demo("overhead-obstruction");
  const EngineBlob usual = blob_of(model), one_stream = blob_of(model, {.aux_streams = 0});
  EXPECT_NE(usual.engine_id, one_stream.engine_id);
  const Shape shape = [&] {
    Shape s = usual.inputs[0].shape;
    s[0] = 1;
    return s;
  }();
  std::vector<float> image = noise(static_cast<std::size_t>(shape.elements().value()), 3);
  const auto run = [&](const EngineBlob& blob, const LoadOptions& options) {
    const auto context = backend_->load(blob, options).value()->create_context().value();
    EXPECT_TRUE(context->bind_input(0, TensorView(image.data(), DType::kF32, shape)).ok());
    for (int i = 0; i < 3; ++i)
      EXPECT_TRUE(context->infer().ok());
    const auto values = context->output(0)->as<float>();
    return std::vector<float>(values.begin(), values.end());
  };
  const std::vector<float> expected = run(usual, {});
  for (const auto& other : {run(one_stream, {}), run(usual, {.persistent_cache_bytes = 4 << 20})}) {
    ASSERT_EQ(other.size(), expected.size());
    for (std::size_t i = 0; i < other.size(); ++i)
      EXPECT_NEAR(other[i], expected[i], 1e-3F);
  }
}

TEST_F(TensorRtGpu, a_gpu_that_is_not_there_is_refused_by_its_number) {
  const Device far{DeviceKind::kCuda, 63};
  const Status built = backend_->compile(affine(), quick({.device = far}), {}, {}).status();
  EXPECT_EQ(built.code(), StatusCode::kConfigError) << built.to_string();
  EXPECT_EQ(built.where(), "device");
  EXPECT_THAT(built.message(), HasSubstr("cuda:63"));
  const Status loaded = backend_->load(blob_of(affine()), {.device = far}).status();
  EXPECT_EQ(loaded.code(), StatusCode::kConfigError) << loaded.to_string();
  EXPECT_EQ(backend_->load(blob_of(affine()), {.device = Device{}}).status().code(), StatusCode::kConfigError)
      << "a CPU";
}

TEST_F(TensorRtGpu, the_first_gpu_may_be_named) {
  const Device first{DeviceKind::kCuda, 0};
  const EngineBlob named = blob_of(affine(), {.device = first});
  EXPECT_EQ(named.engine_id, blob_of(affine()).engine_id);
  EXPECT_TRUE(backend_->load(named, {.device = first}).ok());
  EXPECT_EQ(backend_->host_facts_on(first).fit, backend_->host_facts().fit);
}

TEST_F(TensorRtGpu, an_accelerator_that_is_not_there_is_refused_with_the_number_there_is) {
  const Status status = backend_->compile(affine(), quick({.dla_core = 15}), {}, {}).status();
  EXPECT_EQ(status.code(), StatusCode::kConfigError) << status.to_string();
  EXPECT_THAT(status.where(), HasSubstr("dla_core"));
  EXPECT_THAT(status.message(), HasSubstr("deep-learning accelerators; 15 was asked for"));
}

TEST_F(TensorRtGpu, a_version_compatible_plan_is_not_loaded_unless_its_code_may_run) {
  const auto blob = backend_->compile(affine(), quick({.version_compatible = true}), {}, {});
  ASSERT_TRUE(blob.ok()) << blob.status().to_string();
  EngineBlob plan = *blob;
  plan.version_compatible = true;
  const Status refused = backend_->load(plan, {}).status();
  EXPECT_EQ(refused.code(), StatusCode::kEngineGateError);
  EXPECT_THAT(refused.message(), HasSubstr("code"));
  plan.version_compatible = false;  // a manifest that hides it
  EXPECT_EQ(backend_->load(plan, {.allow_host_code = true}).status().code(), StatusCode::kEngineGateError);
  plan.version_compatible = true;
  const auto engine = backend_->load(plan, {.allow_host_code = true});
  ASSERT_TRUE(engine.ok()) << engine.status().to_string();
  const auto context = (*engine)->create_context().value();
  std::vector<float> x{1, 2, 3};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 3})).ok());
  ASSERT_TRUE(context->infer().ok());
  EXPECT_EQ(context->output(0)->as<float>()[2], 7);
}

TEST_F(TensorRtGpu, ac7_the_device_copies_in_runs_copies_out_and_is_done_when_infer_returns) {
  const Model model = demo("overhead-segment");
  const EngineBlob blob = blob_of(model);
  std::vector<float> image = noise(std::size_t{3} * 640 * 640, 9);
  for (const bool graph : {false, true}) {
    LoadOptions options;
    options.cuda_graph = graph;
    options.device_times = true;
    const auto engine = backend_->load(blob, options).value();
    const auto context = engine->create_context().value();
    EXPECT_FALSE(context->device_times().has_value()) << "nothing has run";
    ASSERT_TRUE(context->bind_input(0, TensorView(image.data(), DType::kF32, {1, 3, 640, 640})).ok());
    for (int run = 0; run < 5; ++run) {
      const auto start = std::chrono::steady_clock::now();
      ASSERT_TRUE(context->infer().ok());
      const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - start;
      // Each event is recorded behind the one before, in one stream: had a copy or the run been elsewhere, or after the return,
      // one of these would be zero, negative, or not to be had (the event has not passed).
      const auto times = context->device_times();
      ASSERT_TRUE(times.has_value()) << "an event has not passed: infer() did not wait";
      EXPECT_GT(times->copy_in, 0.02) << "4.9 MB at no more than 245 GB/s";
      EXPECT_GT(times->run, 0.02);
      EXPECT_GT(times->copy_out, 0.02);
      EXPECT_LE(times->copy_in + times->run + times->copy_out, wall.count());
    }
  }
  const auto without = load(blob)->create_context().value();
  ASSERT_TRUE(without->bind_input(0, TensorView(image.data(), DType::kF32, {1, 3, 640, 640})).ok());
  ASSERT_TRUE(without->infer().ok());
  EXPECT_FALSE(without->device_times().has_value()) << "not asked for";
}

TEST_F(TensorRtGpu, each_run_is_one_line_of_the_log_at_debug) {
  const auto log = std::make_shared<LineLogger>();
  LoadOptions options;
  options.logger = log;
  options.device_times = true;
  const EngineBlob blob = blob_of(affine());
  const auto context = backend_->load(blob, options).value()->create_context().value();
  std::vector<float> x{1, 2, 3};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 3})).ok());
  const std::string before = log->lines();
  ASSERT_TRUE(context->infer().ok());
  const std::string line = log->lines().substr(before.size());
  EXPECT_THAT(line,
              ::testing::ContainsRegex(blob.engine_id + ": [0-9.]+ ms .on the GPU: in [0-9.]+, run [0-9.]+, out"));
}

/// Needs two GPUs.
class TensorRtTwoGpus : public TensorRtGpu {
 protected:
  void SetUp() override {
    TensorRtGpu::SetUp();
    int count = 0;
    if (backend_ != nullptr && (cudaGetDeviceCount(&count) != cudaSuccess || count < 2))
      GTEST_SKIP() << "this machine has " << count << " GPU";
  }
};

TEST_F(TensorRtTwoGpus, an_engine_runs_on_the_gpu_that_it_was_loaded_on) {
  const EngineBlob blob = blob_of(affine());
  for (const int index : {1, 0, 1}) {
    const Device device{DeviceKind::kCuda, index};
    const auto engine = backend_->load(blob, {.device = device}).value();
    const auto context = engine->create_context().value();
    const cuda::DeviceGuard current(index);
    const cuda::DeviceBuffer x(512), y(512);
    const std::vector<float> in{1, 2, 3};
    cuda::check(cudaMemcpy(x.data(), in.data(), 12, cudaMemcpyHostToDevice), "cudaMemcpy");
    cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 3}, device)).ok());
    ASSERT_TRUE(context->bind_output(0, TensorView(y.data(), DType::kF32, {1, 3}, device)).ok());
    for (int run = 0; run < 3; ++run)
      ASSERT_TRUE(context->infer().ok());
    std::vector<float> out(3);
    cuda::check(cudaMemcpy(out.data(), y.data(), 12, cudaMemcpyDeviceToHost), "cudaMemcpy");
    EXPECT_EQ(out[2], 7);
  }
}

TEST_F(TensorRtTwoGpus, a_stream_of_another_gpu_is_refused) {
  const EngineBlob blob = blob_of(affine());
  const auto first = load(blob);
  const auto second = backend_->load(blob, {.device = Device{DeviceKind::kCuda, 1}}).value();
  const auto context = first->create_context().value();
  const auto stream = second->create_stream().value();
  const auto event = first->create_event().value();
  std::vector<float> x{1, 2, 3};
  ASSERT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 3})).ok());
  EXPECT_EQ(context->enqueue(*stream, *event).code(), StatusCode::kInputError);
}

}  // namespace
}  // namespace tern
