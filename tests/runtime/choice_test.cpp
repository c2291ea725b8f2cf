// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// `auto` on a CPU: OpenVINO and ONNX Runtime are measured on the model, and the faster one serves it.
#include <thread>

#include "runtime_fixture.h"

namespace tern::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Model affine() {
  return Model::from_file(tiny_model("affine")).value();
}

/// The two real backends, each watched; a fault may slow one down or break it.
class Choice : public RuntimeTest {
 protected:
  BackendRegistry registry() override {
    const BackendRegistry plugins = BackendRegistry::load();
    BackendRegistry both;
    both.add(std::make_shared<WatchedBackend>("first", 50, first_, plugins.find("openvino").value()));
    both.add(std::make_shared<WatchedBackend>("second", 45, second_, plugins.find("onnxruntime").value()));
    return both;
  }
  static void slow_down(Watch& watch) {
    watch.fault = [](const std::string& call) {
      if (call == "infer") std::this_thread::sleep_for(std::chrono::milliseconds(3));
      return Status();
    };
  }

  std::shared_ptr<Watch> first_ = std::make_shared<Watch>(), second_ = std::make_shared<Watch>();
};

TEST_F(Choice, the_faster_backend_serves_and_its_manifest_tells_by_how_much) {
  for (const bool is_first_slow : {true, false}) {
    options_.config.store_path = folder_ / (is_first_slow ? "store1" : "store2");
    options_.config.state_path = folder_ / (is_first_slow ? "state1" : "state2");
    first_->fault = second_->fault = {};
    slow_down(is_first_slow ? *first_ : *second_);
    InferenceRuntime runtime = this->runtime();
    const auto handle = runtime.open(affine(), {});
    ASSERT_TRUE(handle.ok()) << handle.status().to_string();
    const std::string wanted = is_first_slow ? "second" : "first";
    EXPECT_EQ(runtime.label(*handle), wanted);
    const EngineManifest manifest = runtime.manifest(*handle).value();
    ASSERT_TRUE(manifest.choice);
    EXPECT_EQ(manifest.choice->candidates.front().backend, wanted);
    EXPECT_EQ(manifest.choice->candidates.size(), 2U);
    EXPECT_GT(manifest.choice->margin(), 0.5);
    EXPECT_GE(manifest.choice->runs, 3);
    EXPECT_TRUE(manifest.golden.independent) << "each is held against the other";
    EXPECT_EQ(manifest.golden.reference, is_first_slow ? "first" : "second");
    EXPECT_THAT(logger_->text(), HasSubstr("backend auto is " + wanted));
  }
}

TEST_F(Choice, a_later_run_measures_nothing_and_compiles_nothing) {
  slow_down(*first_);
  ASSERT_TRUE(this->runtime().open(affine(), {}).ok());
  first_->clear();
  second_->clear();
  InferenceRuntime runtime = this->runtime();
  const auto handle = runtime.open(affine(), {});
  ASSERT_TRUE(handle.ok()) << handle.status().to_string();
  EXPECT_EQ(runtime.label(*handle), "second");
  for (const auto& watch : {first_, second_}) {
    EXPECT_EQ(watch->count("compile"), 0U);
    EXPECT_EQ(watch->count("infer"), 0U);
  }
  const auto choice = runtime.choice_of(affine(), {}, {}).value();
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->candidates.front().backend, "second");
  EXPECT_EQ(runtime.key_of(affine(), {}, {}).value().fields.at("backend"), "second");
  const CompiledEngine compiled = runtime.compile_engine(affine(), {}).value();
  EXPECT_TRUE(compiled.was_hit);
  EXPECT_EQ(compiled.backend, "second");
}

TEST_F(Choice, another_config_is_measured_anew_and_a_name_wins_without_measuring) {
  slow_down(*first_);
  ASSERT_TRUE(this->runtime().open(affine(), {}).ok());
  InferenceRuntime runtime = this->runtime();
  EXPECT_FALSE(runtime.choice_of(affine(), {.max_batch = 2}, {}).value());
  first_->clear();
  second_->clear();
  const auto named = runtime.open(affine(), {.max_batch = 2}, {.backend = "first"});
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(runtime.label(*named), "first");
  EXPECT_FALSE(runtime.manifest(*named).value().choice);
  EXPECT_FALSE(runtime.choice_of(affine(), {.max_batch = 2}, {}).value());
  const CompiledEngine built = runtime.compile_engine(affine(), {.max_batch = 2}).value();
  EXPECT_EQ(built.backend, "second");
  EXPECT_TRUE(runtime.choice_of(affine(), {.max_batch = 2}, {}).value());
}

TEST_F(Choice, a_candidate_that_fails_is_named_aloud_and_the_other_serves) {
  first_->fault = [](const std::string& call) {
    return call == "load" ? Status(StatusCode::kEngineGateError, "the device fell off the bus") : Status();
  };
  InferenceRuntime runtime = this->runtime();
  const auto handle = runtime.open(affine(), {});
  ASSERT_TRUE(handle.ok()) << handle.status().to_string();
  EXPECT_EQ(runtime.label(*handle), "second");
  EXPECT_THAT(logger_->text(), HasSubstr("first cannot serve: "));
  EXPECT_THAT(logger_->text(), HasSubstr("the device fell off the bus"));
  const EngineManifest manifest = runtime.manifest(*handle).value();
  ASSERT_TRUE(manifest.choice);
  EXPECT_EQ(manifest.choice->candidates.at(1).refused, "the device fell off the bus");
}

TEST_F(Choice, a_backend_whose_results_differ_never_wins) {
  // The third backend is as fast as the first, and its engine is another model's. It is the last that others take for their reference.
  class Liar final : public Backend {
   public:
    explicit Liar(std::shared_ptr<Backend> real) : real_(std::move(real)) {}
    std::string_view name() const noexcept override { return "liar"; }
    BackendScore score() const override { return {1, "a liar"}; }
    HostFacts host_facts() const override { return real_->host_facts(); }
    Result<EngineBlob> compile(const Model& /*model*/, const BuildConfig& config, const Progress& progress,
                               std::stop_token stop) override {
      std::string bytes = text_of(tiny_model("affine"));
      const std::string two("\0\0\0\x40", 4), three("\0\0\x40\x40", 4);
      bytes.replace(bytes.find(two), 4, three);
      const Model other = Model::from_bytes(std::as_bytes(std::span(bytes)), "affine").value();
      TERN_ASSIGN_OR_RETURN(EngineBlob blob, real_->compile(other, config, progress, std::move(stop)));
      blob.backend = name();
      return blob;
    }
    Result<std::shared_ptr<Engine>> load(const EngineBlob& blob, const LoadOptions& options) override {
      EngineBlob theirs = blob;
      theirs.backend = real_->name();
      return real_->load(theirs, options);
    }

   private:
    std::shared_ptr<Backend> real_;
  };
  options_.backends = [this] {
    BackendRegistry backends = registry();
    backends.add(std::make_shared<Liar>(BackendRegistry::load().find("openvino").value()));
    return backends;
  };
  InferenceRuntime runtime = this->runtime();
  const auto handle = runtime.open(affine(), {});
  ASSERT_TRUE(handle.ok()) << handle.status().to_string();
  EXPECT_NE(runtime.label(*handle), "liar");
  const auto choice = runtime.choice_of(affine(), {}, {}).value();
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->candidates.back().backend, "liar");
  EXPECT_THAT(choice->candidates.back().refused, HasSubstr("wanted at"));
  EXPECT_THAT(logger_->text(), HasSubstr("liar cannot serve"));
}

TEST_F(Choice, quantised_layers_in_f32_are_held_against_themselves) {
  InferenceRuntime runtime = this->runtime();
  const Model quantised = Model::from_file(tiny_model("conv_qdq_7bit")).value();
  const auto reference = [&](const Model& model) {
    const auto handle = runtime.open(model, {.precision = Precision::kF32}, {.backend = "first"}).value();
    return runtime.manifest(handle).value().golden;
  };
  const auto of_quantised = reference(quantised), of_float = reference(affine());
  EXPECT_EQ(of_quantised.reference, "first") << "another runtime may round to another level";
  EXPECT_FALSE(of_quantised.independent);
  EXPECT_EQ(of_float.reference, "second");
  EXPECT_TRUE(of_float.independent);
}

TEST_F(Choice, where_all_fail_the_error_is_the_first_ones) {
  const auto opened = this->runtime().open(Model::from_file(tiny_model("unknown_op")).value(), {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(opened.status().to_string(), HasSubstr("OpenVINO does not support com.example::Frobnicate"));
}

TEST_F(Choice, where_nothing_may_be_built_what_is_stored_is_used_and_nothing_is_measured) {
  ASSERT_TRUE(this->runtime().compile_engine(affine(), {}, {.backend = "second"}).ok());
  second_->clear();
  InferenceRuntime runtime = this->runtime();
  const auto handle = runtime.open(affine(), {}, {.allow_build = false});
  ASSERT_TRUE(handle.ok()) << handle.status().to_string();
  EXPECT_EQ(runtime.label(*handle), "second");
  EXPECT_EQ(second_->count("compile"), 0U);
  const auto missing = runtime.open(affine(), {.max_batch = 3}, {.allow_build = false});
  EXPECT_EQ(missing.status().code(), StatusCode::kEngineGateError);
}

TEST_F(Choice, without_a_store_and_into_a_folder_it_chooses_too) {
  slow_down(*first_);
  options_.use_store = false;
  {
    InferenceRuntime runtime = this->runtime();
    const auto handle = runtime.open(affine(), {});
    ASSERT_TRUE(handle.ok()) << handle.status().to_string();
    EXPECT_EQ(runtime.label(*handle), "second");
  }
  options_.config.state_path = folder_ / "another state";
  const CompiledEngine flat = this->runtime().compile_engine(affine(), {}, {.output_dir = folder_ / "flat"}).value();
  EXPECT_EQ(flat.backend, "second");
  const GatedEngine gated = gate_files(flat.entry).value();
  EXPECT_TRUE(gated.manifest.choice);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "flat"), fs::directory_iterator()), 4)
      << "the winner's files alone";
}

TEST_F(Choice, a_stop_ends_it) {
  std::stop_source stop;
  stop.request_stop();
  const auto opened = this->runtime().open(affine(), {}, {.stop = stop.get_token()});
  EXPECT_EQ(opened.status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace tern::testing
