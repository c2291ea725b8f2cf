// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What tern adds to TensorRT: a bare enqueue loop (what trtexec measures) and tern's context on the same plan, in one process, in
// turns. Every mode copies its input to the GPU and its outputs back, but for `tern_device`, which does neither.
//
//   tern_tensorrt_latency MODEL.onnx [--precision auto] [--calibration FILE] [--tf32] [--level N] [--batch 1] [--rounds 20]
//     [--runs 50] [--timing-cache FILE] [--plan FILE] [--build-only] [--rebuild] [--explain]
//
// --plan: the plan lies in FILE, with what loads it in FILE.txt; built and put there where it is missing, so that slow builds can
// run beside other work and be measured later, when the GPU is idle.
//
// One JSON line for the build, one for loading the plan 20 times, then one for each mode, times in milliseconds. --rebuild builds
// once more, with what the first build left in the timing cache. --explain measures the bare loop in tern's ways (memory of its
// own, a context that is not the engine's first, an event to wait for) and both in several instances: what differs between equal
// instances comes from where their memory lies, not from what they do.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "loops.h"
#include "modes.h"
#include "plans.h"
#include "tern/engine.h"

namespace {

using namespace tern;         // NOLINT(google-build-using-namespace): a program of one file
using namespace tern::bench;  // NOLINT(google-build-using-namespace)

struct Options : PlanOptions {
  int rounds = 20, runs = 50;
  bool build_only = false, rebuild = false, explain = false;
};

/// The largest difference of output 0, in f32, or bytes that differ.
double difference(const void* a, const TensorView& b) {
  double largest = 0;
  if (b.dtype() == DType::kF32) {
    for (std::size_t i = 0; i < b.elements(); ++i)
      largest = std::max(largest, std::fabs(static_cast<double>(static_cast<const float*>(a)[i]) - b.as<float>()[i]));
  }
  return largest;
}

void measure_rebuild(Backend& backend, const Options& options) {
  const auto model = Model::from_file(options.model).value();
  const auto start = Clock::now();
  const EngineBlob blob = backend.compile(model, config_of(options), {}, {}).value();
  fmt::print("{{\"rebuild\": \"{}\", \"precision\": \"{}\", \"seconds\": {:.1f}}}\n", model.stem(),
             to_string(blob.precision), milliseconds_since(start) / 1e3);
}

/// From bytes to a context that can run.
void measure_load(Backend& backend, const EngineBlob& blob) {
  constexpr int kLoads = 20;
  std::vector<double> times;
  for (int i = 0; i < kLoads; ++i) {
    const auto start = Clock::now();
    const auto context = backend.load(blob, {}).value()->create_context().value();
    times.push_back(milliseconds_since(start));
  }
  std::ranges::sort(times);
  fmt::print("{{\"load_ms\": {{\"p50\": {:.1f}, \"p95\": {:.1f}, \"most\": {:.1f}}}, \"loads\": {}}}\n",
             percentile(times, 0.5), percentile(times, 0.95), times.back(), kLoads);
}

void measure(const Options& options, std::vector<Mode>& modes) {
  run_in_turns(modes, options.rounds, options.runs);
  for (const Mode& mode : modes) {
    fmt::print(
        "{{\"mode\": \"{}\", \"p50\": {:.4f}, \"p95\": {:.4f}, \"p99\": {:.4f}, \"least\": {:.4f}, \"runs\": {}}}\n",
        mode.name, percentile(mode.times, 0.5), percentile(mode.times, 0.95), percentile(mode.times, 0.99),
        mode.times.front(), mode.times.size());
  }
}

/// Everything that is measured on one plan. Loops are made in one order and never move.
class Comparison {
 public:
  Comparison(Backend& backend, const EngineBlob& blob, int batch) : blob_(blob) {
    LoadOptions without;
    without.cuda_graph = false;
    engine_ = backend.load(blob, {}).value();
    eager_ = backend.load(blob, without).value();
    for (const TensorSpec& spec : engine_->inputs())
      inputs_.push_back(with_batch(spec, batch));
    for (const TensorSpec& spec : engine_->outputs())
      outputs_.push_back(with_batch(spec, batch));
  }

  void add_usual_modes() {
    add_bare("bare_eager", {}, false);
    add_tern("tern_eager", *eager_, TernLoop::Memory::kPinned);
    add_bare("bare_graph", {}, true);
    add_tern("tern_graph", *engine_, TernLoop::Memory::kPinned);
    add_tern("tern_graph_pageable", *engine_, TernLoop::Memory::kPageable);
    add_tern("tern_graph_device", *engine_, TernLoop::Memory::kDevice);
    ternloops_[1]->run();
    fmt::print("{{\"largest_difference\": {:.3g}}}\n", difference(bareloops_[0]->output(0), ternloops_[1]->output(0)));
  }
  void add_explaining_modes() {
    for (int i = 1; i <= 3; ++i) {
      add_bare(fmt::format("bare_graph_again_{}", i), {}, true);
      add_tern(fmt::format("tern_graph_again_{}", i), *engine_, TernLoop::Memory::kPinned);
    }
    add_bare("bare_graph_own_memory", {.own_memory = true}, true);
    add_bare("bare_graph_second_context", {.second_context = true}, true);
    add_bare("bare_graph_event", {.waits_for_event = true}, true);
  }
  [[nodiscard]] std::vector<Mode>& modes() noexcept { return modes_; }

 private:
  void add_bare(const std::string& name, const BareSetup& setup, bool graph) {
    BareLoop& loop = *bareloops_.emplace_back(std::make_unique<BareLoop>(blob_, inputs_, outputs_, setup));
    fill(loop.input(0));
    if (graph) fmt::print("{{\"captured\": \"{}\", \"nodes\": {}}}\n", name, loop.capture());
    loop.run_eager();
    modes_.push_back({name, [&loop, graph] { graph ? loop.run_graph() : loop.run_eager(); }});
  }
  void add_tern(const std::string& name, Engine& engine, TernLoop::Memory memory) {
    TernLoop& loop = *ternloops_.emplace_back(std::make_unique<TernLoop>(engine, inputs_, outputs_, memory));
    if (memory != TernLoop::Memory::kDevice) fill(loop.memory(0));
    modes_.push_back({name, [&loop] { loop.run(); }});
  }
  /// The same picture for all.
  void fill(void* memory) const {
    std::minstd_rand random(1);
    if (inputs_[0].spec.dtype != DType::kF32) return;
    for (std::size_t i = 0; i < inputs_[0].bytes / sizeof(float); ++i)
      static_cast<float*>(memory)[i] = static_cast<float>(random() % 1024U) / 1024.0F;
  }

  const EngineBlob& blob_;
  std::shared_ptr<Engine> engine_, eager_;
  std::vector<PortShape> inputs_, outputs_;
  std::vector<std::unique_ptr<BareLoop>> bareloops_;
  std::vector<std::unique_ptr<TernLoop>> ternloops_;
  std::vector<Mode> modes_;
};

int run(const Options& options) {
  const auto backend = BackendRegistry::load().find("tensorrt").value();
  const EngineBlob blob = plan_of(*backend, options);
  if (options.build_only) return 0;
  if (options.rebuild) measure_rebuild(*backend, options);
  measure_load(*backend, blob);
  Comparison comparison(*backend, blob, options.batch);
  comparison.add_usual_modes();
  if (options.explain) comparison.add_explaining_modes();
  measure(options, comparison.modes());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("tern against a bare TensorRT loop");
  add_build_options(app, options);
  app.add_option("--batch", options.batch)->check(CLI::Range(1, 4096));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100000));
  app.add_option("--runs", options.runs)->check(CLI::Range(1, 100000));
  app.add_flag("--tf32", options.tf32);
  app.add_option("--plan", options.plan);
  app.add_flag("--build-only", options.build_only)->needs("--plan");
  app.add_flag("--rebuild", options.rebuild);
  app.add_flag("--explain", options.explain);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
