// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What it costs to open a model, step by step, on the best backend here: compiling against importing, the gate, the golden check,
// and InferenceRuntime::open() on a hit and on a miss.
#include <algorithm>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>

#include "tern/runtime.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

/// A model with its engine in a store of its own.
struct Subject {
  explicit Subject(const std::string& name)
      : model(Model::from_file(fs::path(TERN_SOURCE_DIR) / "models" / (name + ".onnx")).value()),
        contract(Contract::resolve(model).value()),
        config(with_task_profile({}, model, contract)) {
    std::string pattern = (fs::temp_directory_path() / "tern-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    folder = pattern;
    RuntimeOptions options;
    options.config.store_path = folder / "store";
    options.config.state_path = folder / "state";
    runtime = std::make_unique<InferenceRuntime>(InferenceRuntime::create(options).value());
    compile.contract = &contract;
    compiled = runtime->compile_engine(model, config, compile).value();
    backend = BackendRegistry::load().find("auto").value();
  }
  ~Subject() {
    runtime.reset();
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }

  Model model;
  Contract contract;
  BuildConfig config;
  CompileOptions compile{};
  fs::path folder;
  std::unique_ptr<InferenceRuntime> runtime;
  CompiledEngine compiled;
  std::shared_ptr<Backend> backend;
};

Subject& subject() {
  static Subject detector("overhead-detect");
  return detector;
}

void compile_model(benchmark::State& state) {
  Subject& s = subject();
  for (auto _ : state)
    benchmark::DoNotOptimize(s.backend->compile(s.model, s.config, {}, {}).value());
}

void import_engine(benchmark::State& state) {
  Subject& s = subject();
  const GatedEngine gated = gate_files(s.compiled.entry).value();
  for (auto _ : state)
    benchmark::DoNotOptimize(s.backend->load(gated.blob(), {}).value());
}

void gate_a(benchmark::State& state) {
  Subject& s = subject();
  for (auto _ : state)
    benchmark::DoNotOptimize(gate_files(s.compiled.entry).value());
}

void golden_check(benchmark::State& state) {
  Subject& s = subject();
  const GatedEngine gated = gate_files(s.compiled.entry).value();
  const auto engine = s.backend->load(gated.blob(), {}).value();
  const GoldenSet golden = GoldenSet::from_bytes(gated.golden, "golden").value();
  for (auto _ : state) {
    if (!check_golden(*engine, golden, &s.contract, GoldenTolerance::of(engine->precision())).ok())
      state.SkipWithError("the golden check failed");
  }
}

void open_hit(benchmark::State& state, GoldenPolicy policy) {
  Subject& s = subject();
  EngineOptions options;
  options.golden = policy;
  for (auto _ : state)
    s.runtime->release_engine(s.runtime->open(s.model, s.config, s.compile, options).value());
}

void open_miss(benchmark::State& state) {
  Subject& s = subject();
  CompileOptions flat = s.compile;
  flat.output_dir = s.folder / "flat";
  for (auto _ : state) {
    benchmark::DoNotOptimize(s.runtime->compile_engine(s.model, s.config, flat).value());
    state.PauseTiming();
    fs::remove_all(flat.output_dir);
    state.ResumeTiming();
  }
}

/// Each step once a repetition, since what counts is the slow case.
void steps(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMillisecond)->Iterations(1)->Repetitions(40)->ReportAggregatesOnly();
  bench->ComputeStatistics("p95", [](const std::vector<double>& values) {
    std::vector<double> sorted = values;
    std::ranges::sort(sorted);
    return sorted[(sorted.size() * 95 + 99) / 100 - 1];
  });
}

BENCHMARK(compile_model)->Apply(steps);
BENCHMARK(import_engine)->Apply(steps);
BENCHMARK(gate_a)->Apply(steps);
BENCHMARK(golden_check)->Apply(steps);
BENCHMARK_CAPTURE(open_hit, checked_before, GoldenPolicy::kFirstLoad)->Apply(steps);
BENCHMARK_CAPTURE(open_hit, checked_each_time, GoldenPolicy::kAlways)->Apply(steps);
BENCHMARK(open_miss)->Apply(steps);

}  // namespace
}  // namespace tern

BENCHMARK_MAIN();
