// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// When the runtime checks an engine against its golden frames, what happens when it fails, and what a fallback does.
#include "runtime_fixture.h"

namespace tern::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Model affine() {
  return Model::from_file(tiny_model("affine")).value();
}

/// The same network with its largest weights disturbed: the same ports, other numbers.
Model with_other_weights(const fs::path& file) {
  std::string bytes = text_of(file);
  std::uint64_t largest = 0;
  const Model model = Model::from_file(file).value();
  for (const InitializerInfo& weights : model.initializers())
    largest = std::max(largest, weights.bytes);
  std::string field(1, '\x4a');  // TensorProto.raw_data: field 9, length-delimited
  for (std::uint64_t rest = largest; rest > 0; rest >>= 7)
    field.push_back(static_cast<char>((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0)));
  const std::size_t start = bytes.find(field) + field.size();
  for (std::size_t i = start; i < start + largest; i += 8)
    bytes[i + 3] = static_cast<char>(bytes[i + 3] ^ 0x80);  // the sign of every other float
  return Model::from_bytes(std::as_bytes(std::span(bytes)), file.stem().string()).value();
}

class Proving : public RuntimeTest {
 protected:
  /// Number of inferences that a load makes by itself.
  std::size_t checks_of_a_load(const EngineEntry& entry, std::optional<GoldenPolicy> policy = {}) {
    watch_->clear();
    InferenceRuntime runtime = this->runtime();
    EngineOptions options;
    options.golden = policy;
    const auto handle = runtime.deserialize_engine(entry, options);
    EXPECT_TRUE(handle.ok()) << handle.status().to_string();
    return watch_->count("infer");
  }
};

TEST_F(Proving, first_load_checks_once_always_each_time_and_never_not_at_all) {
  CompiledEngine compiled;
  {
    InferenceRuntime runtime = this->runtime();
    compiled = runtime.compile_engine(affine(), {}).value();
  }
  EXPECT_GT(checks_of_a_load(compiled.entry), 0U);
  EXPECT_EQ(checks_of_a_load(compiled.entry), 0U);
  EXPECT_GT(checks_of_a_load(compiled.entry, GoldenPolicy::kAlways), 0U);
  EXPECT_EQ(checks_of_a_load(compiled.entry, GoldenPolicy::kNever), 0U);
  // Another driver, or another user's state: checked again.
  change_facts_ = [](HostFacts& facts) { facts.info.emplace_back("driver", "999"); };
  EXPECT_GT(checks_of_a_load(compiled.entry), 0U);
  options_.config.state_path = folder_ / "other state";
  EXPECT_GT(checks_of_a_load(compiled.entry), 0U);
}

TEST_F(Proving, a_quantised_model_in_i8_is_held_against_the_same_model_in_f32) {
  InferenceRuntime runtime = this->runtime();
  const auto compiled = runtime.compile_engine(Model::from_file(tiny_model("conv_qdq_7bit")).value(), {});
  ASSERT_TRUE(compiled.ok()) << compiled.status().to_string();
  const auto handle = runtime.deserialize_engine(compiled->entry);
  ASSERT_TRUE(handle.ok()) << handle.status().to_string();
  EXPECT_EQ(runtime.engine(*handle).value()->precision(), Precision::kI8);
  EXPECT_GT(checks_of_a_load(compiled->entry, GoldenPolicy::kAlways), 0U);
}

TEST_F(Proving, a_state_folder_that_cannot_be_written_costs_a_check_and_nothing_else) {
  write_text(folder_ / "file", "");
  options_.config.state_path = folder_ / "file";
  CompiledEngine compiled;
  {
    InferenceRuntime runtime = this->runtime();
    compiled = runtime.compile_engine(affine(), {}).value();
  }
  EXPECT_GT(checks_of_a_load(compiled.entry), 0U);
  EXPECT_GT(checks_of_a_load(compiled.entry), 0U);
  EXPECT_THAT(logger_->text(), HasSubstr("IoError"));
}

TEST_F(Proving, another_models_engine_under_re_made_hashes_is_caught_and_quarantined) {
  InferenceRuntime runtime = this->runtime();
  const Model detector = Model::from_file(demo_model("overhead-obstruction")).value();
  const CompiledEngine good = runtime.compile_engine(detector, {}).value();
  const Model other = with_other_weights(demo_model("overhead-obstruction"));
  const EngineBlob blob = backend_->compile(other, {}, {}, {}).value();
  EngineManifest manifest = EngineManifest::from_json(text_of(good.entry.manifest()), "manifest").value();
  const EngineFiles forged = pack_engine(manifest, blob.bytes, text_of(good.entry.golden()), nullptr).value();
  write_text(good.entry.engine, std::string(reinterpret_cast<const char*>(forged.engine.data()), forged.engine.size()));
  write_text(good.entry.manifest(), forged.manifest);
  write_text(good.entry.sha256(), forged.sha256);

  const auto loaded = runtime.deserialize_engine(good.entry);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.status().code(), StatusCode::kGoldenCheckError) << loaded.status().to_string();
  EXPECT_THAT(loaded.status().to_string(), HasSubstr("frame"));
  EXPECT_FALSE(fs::exists(good.entry.engine));
  EXPECT_TRUE(fs::exists(options_.config.store_path / "quarantine"));
  EXPECT_EQ(runtime.resident_bytes(), 0U);
  EXPECT_FALSE(runtime.compile_engine(detector, {}).value().was_hit);
}

TEST_F(Proving, an_engine_that_fails_at_build_is_not_stored) {
  InferenceRuntime runtime = this->runtime();
  const Model model = Model::from_file(demo_model("overhead-obstruction")).value();
  const Contract contract = Contract::resolve(model).value();
  CompileOptions options;
  options.contract = &contract;
  int loads = 0;
  watch_->fault = [&](const std::string& call) {
    if (call == "load") ++loads;
    return call == "infer" && loads == 2 ? Status(StatusCode::kInferenceError, "injected") : Status();
  };
  EXPECT_FALSE(runtime.compile_engine(model, {}, options).ok());
  EXPECT_TRUE(runtime.store()->list().value().empty());
}

class Fallback : public RuntimeTest {
 protected:
  Fallback() { with_second_ = true; }
  /// `auto` would measure both.
  static CompileOptions on_watched() { return {.backend = "watched"}; }
  /// The first backend fails at the call.
  void fail_at(const std::string& call) {
    watch_->fault = [call](const std::string& made) {
      return made == call ? Status(StatusCode::kInferenceError, "the device fell off the bus") : Status();
    };
  }
};

TEST_F(Fallback, never_is_the_default_and_returns_the_failure) {
  fail_at("load");
  InferenceRuntime runtime = this->runtime();
  const auto opened = runtime.open(affine(), {}, on_watched());
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.status().to_string(), HasSubstr("fell off the bus"));
  EXPECT_THAT(logger_->text(), Not(HasSubstr("falling back")));
}

TEST_F(Fallback, at_load_takes_the_next_backend_and_says_so) {
  options_.config.fallback_policy = FallbackPolicy::kAtLoad;
  fail_at("load");
  InferenceRuntime runtime = this->runtime();
  const auto handle = runtime.open(affine(), {}, on_watched()).value();
  EXPECT_EQ(runtime.label(handle), "second");
  EXPECT_THAT(logger_->text(), HasSubstr("falling back to second"));
  EXPECT_THAT(logger_->text(), HasSubstr("fell off the bus"));
}

TEST_F(Fallback, at_load_does_not_hide_a_fault_at_run_time) {
  options_.config.fallback_policy = FallbackPolicy::kAtLoad;
  InferenceRuntime runtime = this->runtime();
  const auto handle = runtime.open(affine(), {}, on_watched()).value();
  EXPECT_EQ(runtime.label(handle), "watched");
  fail_at("infer");
  const Tensor input = input_for(*runtime.engine(handle).value());
  std::vector<Tensor> outputs;
  EXPECT_EQ(runtime.infer(handle, {&input.view(), 1}, outputs).code(), StatusCode::kInferenceError);
}

TEST_F(Fallback, on_fault_moves_the_handle_and_the_result_is_the_others) {
  options_.config.fallback_policy = FallbackPolicy::kOnFault;
  InferenceRuntime runtime = this->runtime();
  const auto handle = runtime.open(affine(), {}, on_watched()).value();
  const Tensor input = input_for(*runtime.engine(handle).value());
  std::vector<Tensor> before, after;
  ASSERT_TRUE(runtime.infer(handle, {&input.view(), 1}, before).ok());
  fail_at("infer");
  const Status status = runtime.infer(handle, {&input.view(), 1}, after);
  ASSERT_TRUE(status.ok()) << status.to_string();
  EXPECT_EQ(runtime.label(handle), "second");
  EXPECT_EQ(runtime.manifest(handle).value().backend, "second");
  EXPECT_TRUE(std::ranges::equal(before[0].as<float>(), after[0].as<float>()));
  EXPECT_THAT(logger_->text(), HasSubstr("watched failed"));
  EXPECT_EQ(runtime.ledger().items().size(), 1U) << "the failed engine's memory is given back";
}

TEST_F(Fallback, a_model_that_no_backend_can_run_keeps_its_own_error) {
  options_.config.fallback_policy = FallbackPolicy::kOnFault;
  InferenceRuntime runtime = this->runtime();
  const auto opened = runtime.open(Model::from_file(tiny_model("unknown_op")).value(), {});
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.status().to_string(), HasSubstr("Frobnicate"));
}

}  // namespace
}  // namespace tern::testing
