// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The life of an engine on real TensorRT: built, proven, stored, gated, budgeted, loaded, served, released; and every way in which it
// is refused. Built at optimisation level 0, in seconds.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cuda/handles.h"
#include "support/source_dir.h"
#include "tern/device_pool.h"
#include "tern/engine_name.h"
#include "tern/runtime.h"
#include "tern/signature.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_text(const fs::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::size_t free_gpu_bytes() {
  std::size_t free = 0, total = 0;
  cuda::check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return free;
}

/// y = 2x + 1, of three columns.
Model affine() {
  return Model::from_file(test::source_dir() / "tests/data/affine.onnx").value();
}

constexpr std::array<const char*, 3> kDemos{"overhead-detect", "overhead-segment", "overhead-obstruction"};

class TensorRtLife : public ::testing::Test {
 protected:
  void SetUp() override {
    const BackendRegistry registry = BackendRegistry::load();
    const auto found = registry.find("tensorrt");
    if (!found.ok()) GTEST_SKIP() << found.status().to_string();
    backend_ = *found;
    has_cpu_backend_ = registry.find("openvino").ok();
    std::string name = (fs::temp_directory_path() / "tern-life-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    options_.config.store_path = folder_ / "store";
    options_.config.state_path = folder_ / "state";
    compile_.backend = "tensorrt";
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  InferenceRuntime runtime() { return InferenceRuntime::create(options_).value(); }

  static BuildConfig quick(BuildConfig config = {}) {
    config.optimization_level = 0;
    if (config.precision == Precision::kAuto) config.precision = Precision::kF32;
    return config;
  }
  struct Demo {
    Model model;
    Contract contract;
  };
  static Demo demo(const std::string& name) {
    Model model = Model::from_file(test::source_dir() / "models" / (name + ".onnx")).value();
    Contract contract = Contract::resolve(model).value();
    return {std::move(model), std::move(contract)};
  }
  /// Compiled as tasks do; the golden check with the contract is part of it.
  CompiledEngine compile(InferenceRuntime& runtime, const Demo& demo, BuildConfig config = {}) {
    CompileOptions options = compile_;
    options.contract = &demo.contract;
    const auto compiled =
        runtime.compile_engine(demo.model, with_task_profile(quick(config), demo.model, demo.contract), options);
    EXPECT_TRUE(compiled.ok()) << compiled.status().to_string();
    return compiled.value();
  }
  /// Outside the store, where a refused engine stays where it is.
  CompiledEngine compile_flat(InferenceRuntime& runtime, const Model& model) {
    CompileOptions options = compile_;
    options.output_dir = folder_ / "engines";
    return runtime.compile_engine(model, quick(), options).value();
  }
  static Tensor input_of(const Engine& engine) {
    Shape shape = engine.inputs()[0].shape;
    for (std::size_t i = 0; i < shape.rank(); ++i)
      shape[i] = std::max<std::int64_t>(shape[i], 1);
    Tensor tensor = Tensor::create(engine.inputs()[0].dtype, shape).value();
    unsigned i = 0;
    for (float& v : tensor.as<float>())
      v = static_cast<float>((i++ * 2654435761U) >> 16U) / 65536.0F;
    return tensor;
  }

  fs::path folder_;
  RuntimeOptions options_;
  CompileOptions compile_;
  std::shared_ptr<Backend> backend_;
  bool has_cpu_backend_ = false;
};

/// Tests that look at the GPU's free memory: nothing else may run on it meanwhile.
class TensorRtLifeAlone : public TensorRtLife {};

class TensorRtDemo : public TensorRtLife, public ::testing::WithParamInterface<const char*> {};

TEST_P(TensorRtDemo, is_built_proven_stored_found_again_and_served_in_f32_and_f16) {
  const Demo demo = this->demo(GetParam());
  InferenceRuntime runtime = this->runtime();
  for (const Precision precision : {Precision::kF32, Precision::kF16}) {
    if (precision == Precision::kF16 && backend_->host_facts().version.starts_with("11.")) continue;  // as the model is
    const CompiledEngine compiled = compile(runtime, demo, {.precision = precision});
    EXPECT_FALSE(compiled.was_hit);
    const EngineManifest manifest = EngineManifest::from_json(text_of(compiled.entry.manifest()), "manifest").value();
    const HostFacts host = backend_->host_facts();
    EXPECT_EQ(manifest.name, (EngineName{GetParam(), host.target, false, precision}.format().value()));
    EXPECT_EQ(manifest.backend, "tensorrt");
    EXPECT_EQ(manifest.backend_version, host.version);
    EXPECT_EQ(manifest.precision, precision);
    EXPECT_FALSE(manifest.layers.empty());
    EXPECT_GT(manifest.opt_buffer_bytes, 0U);
    EXPECT_FALSE(manifest.driver.empty());
    EXPECT_GT(manifest.golden.frames, 0);
    EXPECT_EQ(manifest.golden.independent, has_cpu_backend_);

    const CompiledEngine again = compile(runtime, demo, {.precision = precision});
    EXPECT_TRUE(again.was_hit);
    EXPECT_EQ(again.entry.engine, compiled.entry.engine);
    EngineOptions options;
    options.golden = GoldenPolicy::kAlways;
    const auto handle = runtime.deserialize_engine(again.entry, options);
    ASSERT_TRUE(handle.ok()) << handle.status().to_string();
    EXPECT_EQ(runtime.label(*handle), "tensorrt");
    const Tensor input = input_of(*runtime.engine(*handle).value());
    std::vector<Tensor> outputs;
    for (int run = 0; run < 3; ++run) {
      const Status status = runtime.infer(*handle, {&input.view(), 1}, outputs);
      ASSERT_TRUE(status.ok()) << status.to_string();
    }
    for (const float value : outputs[0].as<float>())
      ASSERT_TRUE(std::isfinite(value));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TensorRtDemo, ::testing::ValuesIn(kDemos), [](const auto& instance) {
  std::string name = instance.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST_F(TensorRtLife, gate_a_refuses_every_damaged_file_and_the_next_compile_builds_anew) {
  InferenceRuntime runtime = this->runtime();
  for (const char* suffix : {"", ".json", ".sha256", ".golden"}) {
    const CompiledEngine compiled = runtime.compile_engine(affine(), quick(), compile_).value();
    const fs::path file = compiled.entry.engine.string() + suffix;
    std::string bytes = text_of(file);
    bytes[bytes.size() / 2] ^= 4;
    write_text(file, bytes);
    EXPECT_EQ(runtime.deserialize_engine(compiled.entry).status().code(), StatusCode::kEngineGateError) << suffix;
    EXPECT_EQ(text_of(file), bytes) << "a refused file is left as it is";
    const CompiledEngine again = runtime.compile_engine(affine(), quick(), compile_).value();
    EXPECT_FALSE(again.was_hit) << suffix;
    EXPECT_TRUE(runtime.deserialize_engine(again.entry).ok());
  }
}

TEST_F(TensorRtLife, gate_b_refuses_a_plan_of_another_gpu_or_tensorrt_by_the_fields_name) {
  InferenceRuntime runtime = this->runtime();
  const CompiledEngine compiled = compile_flat(runtime, affine());
  const EngineManifest good = EngineManifest::from_json(text_of(compiled.entry.manifest()), "manifest").value();
  const auto refused_as = [&](const EngineManifest& manifest, const std::string& field) {
    write_text(compiled.entry.manifest(), manifest.to_json());
    const Status status = runtime.deserialize_engine(compiled.entry).status();
    EXPECT_EQ(status.code(), StatusCode::kEngineGateError) << field;
    EXPECT_THAT(status.to_string(), HasSubstr(field));
    EXPECT_FALSE(status.hint().empty());
  };
  for (const char* field : {"fit.cc", "fit.sm_count", "fit.tensorrt"}) {
    EngineManifest other = good;
    ASSERT_TRUE(other.key.fields.contains(field)) << field;
    other.key.fields[field] = "7";
    refused_as(other, field);
  }
  EngineManifest other = good;
  other.backend_version = "10.3.0.1";
  refused_as(other, "backend_version");
  EXPECT_EQ(runtime.resident_bytes(), 0U);
  write_text(compiled.entry.manifest(), good.to_json());
  EXPECT_TRUE(runtime.deserialize_engine(compiled.entry).ok());
}

TEST_F(TensorRtLife, an_engine_for_ampere_and_newer_is_named_so_and_serves_here) {
  InferenceRuntime runtime = this->runtime();
  CompileOptions options = compile_;
  options.output_dir = folder_ / "engines";
  const CompiledEngine compiled =
      runtime.compile_engine(affine(), quick({.hardware = HardwareLevel::kAmperePlus}), options).value();
  EXPECT_EQ(compiled.entry.engine.filename(), "affine.hw_ampere_plus.fp32.engine");
  EXPECT_EQ(compiled.key.fields.at("fit.cc"), "8.0+");
  const auto handle = runtime.deserialize_engine(compiled.entry);
  ASSERT_TRUE(handle.ok()) << handle.status().to_string();
  const Tensor input = input_of(*runtime.engine(*handle).value());
  std::vector<Tensor> outputs;
  EXPECT_TRUE(runtime.infer(*handle, {&input.view(), 1}, outputs).ok());
}

TEST_F(TensorRtLife, a_version_compatible_engine_serves_where_it_is_signed_and_trusted_alone) {
  const SigningKey key = SigningKey::generate().value();
  ASSERT_TRUE(key.write(folder_ / "key").ok());
  const BuildConfig config = quick({.version_compatible = true});
  CompileOptions flat = compile_;
  flat.output_dir = folder_ / "engines";
  InferenceRuntime unsigned_runtime = this->runtime();
  const Status status = unsigned_runtime.compile_engine(affine(), config, flat).status();
  EXPECT_EQ(status.code(), StatusCode::kConfigError) << status.to_string();
  EXPECT_EQ(status.where(), "version_compatible");

  options_.config.sign_key = folder_ / "key";
  options_.config.trust_keys = folder_ / "key.pub";
  InferenceRuntime trusting = this->runtime();
  const auto compiled = trusting.compile_engine(affine(), config, flat);
  ASSERT_TRUE(compiled.ok()) << compiled.status().to_string();
  EXPECT_THAT(compiled->entry.engine.filename().string(), HasSubstr(".vc.fp32.engine"));
  const auto handle = trusting.deserialize_engine(compiled->entry);
  ASSERT_TRUE(handle.ok()) << handle.status().to_string();
  EXPECT_EQ(unsigned_runtime.deserialize_engine(compiled->entry).status().code(), StatusCode::kEngineGateError);
}

TEST_F(TensorRtLife, a_pool_over_every_gpu_serves) {
  const auto runtime = std::make_shared<InferenceRuntime>(this->runtime());
  DevicePoolOptions options;
  options.compile = compile_;
  options.engine.contexts = 2;
  auto pool = DevicePool::open(runtime, affine(), quick(), options);
  ASSERT_TRUE(pool.ok()) << pool.status().to_string();
  const Tensor input = input_of(*runtime->engine(pool->members()[0].handle).value());
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      std::vector<Tensor> outputs;
      for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(pool->infer({&input.view(), 1}, outputs).ok());
        ASSERT_EQ(outputs[0].as<float>()[0], 2 * input.as<float>()[0] + 1);
      }
    });
  }
  threads.clear();
  for (const DevicePool::Member& member : pool->members())
    EXPECT_GT(member.runs, 0U) << member.device.to_string();
}

TEST_F(TensorRtLife, another_models_plan_under_good_hashes_fails_the_golden_check) {
  InferenceRuntime runtime = this->runtime();
  const CompiledEngine compiled = compile_flat(runtime, affine());
  // The same ports, other numbers: 34x + 17.
  std::string bytes = text_of(test::source_dir() / "tests/data/affine.onnx");
  const Model model = affine();
  std::size_t changed = 0;
  for (const float from : {2.0F, 1.0F}) {
    std::string pattern(sizeof(float), '\0');
    std::memcpy(pattern.data(), &from, sizeof(float));
    for (std::size_t at = 0; (at = bytes.find(pattern, at)) != std::string::npos; at += sizeof(float)) {
      const float to = from * 17;
      std::memcpy(bytes.data() + at, &to, sizeof(float));
      ++changed;
    }
  }
  ASSERT_GT(changed, 0U);
  const Model other = Model::from_bytes(std::as_bytes(std::span(bytes)), "affine").value();
  const EngineBlob blob = backend_->compile(other, quick(), {}, {}).value();
  const EngineManifest manifest = EngineManifest::from_json(text_of(compiled.entry.manifest()), "manifest").value();
  const EngineFiles forged = pack_engine(manifest, blob.bytes, text_of(compiled.entry.golden()), nullptr).value();
  write_text(compiled.entry.engine, {reinterpret_cast<const char*>(forged.engine.data()), forged.engine.size()});
  write_text(compiled.entry.manifest(), forged.manifest);
  write_text(compiled.entry.sha256(), forged.sha256);
  const Status status = runtime.deserialize_engine(compiled.entry).status();
  EXPECT_EQ(status.code(), StatusCode::kGoldenCheckError) << status.to_string();
  EXPECT_EQ(runtime.resident_bytes(), 0U);
}

TEST_F(TensorRtLifeAlone, the_gpu_budget_refuses_before_any_allocation_and_changes_nothing) {
  CompiledEngine compiled;
  std::uint64_t needed = 0;
  {
    InferenceRuntime runtime = this->runtime();
    compiled = compile(runtime, demo("overhead-segment"));
    const auto handle = runtime.deserialize_engine(compiled.entry).value();
    needed = runtime.ledger(DeviceKind::kCuda).resident_bytes();
    EXPECT_GT(needed, fs::file_size(compiled.entry.engine));
    EXPECT_EQ(runtime.ledger(DeviceKind::kCpu).resident_bytes(), 0U);
    runtime.release_engine(handle);
    runtime.release_engine(handle);
    EXPECT_EQ(runtime.resident_bytes(), 0U);
  }
  options_.config.gpu_memory_budget_bytes = needed + needed / 2;
  InferenceRuntime runtime = this->runtime();
  const auto first = runtime.deserialize_engine(compiled.entry).value();
  const std::size_t free = free_gpu_bytes();
  const Status status = runtime.deserialize_engine(compiled.entry).status();
  EXPECT_EQ(status.code(), StatusCode::kOutOfMemoryError) << status.to_string();
  EXPECT_THAT(status.to_string(), HasSubstr(compiled.entry.engine.filename().string()));
  EXPECT_EQ(free_gpu_bytes(), free);
  EXPECT_EQ(runtime.resident_bytes(), needed);
  runtime.release_engine(first);
  EXPECT_TRUE(runtime.deserialize_engine(compiled.entry).ok());
}

TEST_F(TensorRtLifeAlone, three_engines_fit_into_4_gib_and_500_inferences_leave_the_gpus_memory_flat) {
  InferenceRuntime runtime = this->runtime();
  std::vector<InferenceRuntime::Handle> handles;
  std::vector<Tensor> inputs;
  for (const char* name : kDemos) {
    handles.push_back(runtime.deserialize_engine(compile(runtime, demo(name)).entry).value());
    inputs.push_back(input_of(*runtime.engine(handles.back()).value()));
  }
  EXPECT_EQ(runtime.ledger(DeviceKind::kCuda).items().size(), 3U);
  EXPECT_LE(runtime.resident_bytes(), std::uint64_t{4} << 30U);
  std::array<std::vector<Tensor>, 3> outputs;
  const auto run = [&](std::size_t times) {
    for (std::size_t i = 0; i < times; ++i)
      ASSERT_TRUE(runtime.infer(handles[i % 3], {&inputs[i % 3].view(), 1}, outputs[i % 3]).ok());
  };
  run(30);
  const std::size_t warm = free_gpu_bytes();
  run(500);
  EXPECT_EQ(free_gpu_bytes(), warm);
}

TEST_F(TensorRtLife, many_threads_share_one_engine_through_its_contexts) {
  InferenceRuntime runtime = this->runtime();
  EngineOptions four;
  four.contexts = 4;
  const auto handle = runtime.deserialize_engine(compile(runtime, demo("overhead-obstruction")).entry, four).value();
  const Tensor input = input_of(*runtime.engine(handle).value());
  std::vector<Tensor> alone;
  ASSERT_TRUE(runtime.infer(handle, {&input.view(), 1}, alone).ok());
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      std::vector<Tensor> outputs;
      for (int i = 0; i < 50; ++i) {
        const Status status = runtime.infer(handle, {&input.view(), 1}, outputs);
        ASSERT_TRUE(status.ok()) << status.to_string();
        for (std::size_t v = 0; v < alone[0].as<float>().size(); ++v)
          ASSERT_NEAR(outputs[0].as<float>()[v], alone[0].as<float>()[v], 1e-3F);
      }
    });
  }
}

TEST_F(TensorRtLife, a_build_in_a_process_of_its_own_gives_an_engine_that_serves) {
  InferenceRuntime runtime = this->runtime();
  const Demo demo = this->demo("overhead-obstruction");
  const CompiledEngine compiled = compile(runtime, demo, {.isolation = BuildConfig::Isolation::kProcess});
  const auto handle = runtime.deserialize_engine(compiled.entry);
  ASSERT_TRUE(handle.ok()) << handle.status().to_string();
  const Tensor input = input_of(*runtime.engine(*handle).value());
  std::vector<Tensor> outputs;
  EXPECT_TRUE(runtime.infer(*handle, {&input.view(), 1}, outputs).ok());
}

TEST_F(TensorRtLife, a_build_in_a_process_of_its_own_ends_at_a_stop_or_its_timeout_and_leaves_no_entry) {
  InferenceRuntime runtime = this->runtime();
  const Demo demo = this->demo("overhead-detect");
  BuildConfig config = quick({.isolation = BuildConfig::Isolation::kProcess});
  std::stop_source stop;
  CompileOptions options = compile_;
  options.stop = stop.get_token();
  options.progress = [&](std::string_view /*phase*/, double fraction) {
    if (fraction > 0) stop.request_stop();
  };
  EXPECT_EQ(runtime.compile_engine(demo.model, config, options).status().code(), StatusCode::kCancelled);
  config.timeout = std::chrono::seconds(1);  // TensorRT needs longer to start
  EXPECT_EQ(runtime.compile_engine(demo.model, config, compile_).status().code(), StatusCode::kTimeout);
  EXPECT_TRUE(runtime.store()->list().value().empty());
}

TEST_F(TensorRtLife, auto_takes_tensorrt_where_it_can_run) {
  InferenceRuntime runtime = this->runtime();
  const auto handle = runtime.open(affine(), quick());
  ASSERT_TRUE(handle.ok()) << handle.status().to_string();
  EXPECT_EQ(runtime.label(*handle), "tensorrt");
}

}  // namespace
}  // namespace tern
