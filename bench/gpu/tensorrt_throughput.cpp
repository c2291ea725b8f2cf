// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// How many images a second one engine gives with several contexts at once, each in a thread of its own, by batch. Pinned memory in,
// CUDA graphs, copies both ways.
//
//   tern_tensorrt_throughput MODEL.onnx [--precision auto] [--calibration FILE] [--level N] [--batch 1 4 16 32]
//     [--contexts 1 2 4 8] [--seconds 2] [--timing-cache FILE]
//
// One engine for each batch. One JSON line for each pair: images a second over all contexts, latency of one run in milliseconds.
#include <barrier>
#include <chrono>
#include <thread>

#include <CLI/CLI.hpp>

#include "loops.h"
#include "plans.h"

namespace {

using namespace tern;         // NOLINT(google-build-using-namespace): a program of one file
using namespace tern::bench;  // NOLINT(google-build-using-namespace)

struct Options : PlanOptions {
  double seconds = 2;
  std::vector<int> batches{1, 4, 16, 32}, contexts{1, 2, 4, 8};
};

std::vector<double> run_for(TernLoop& loop, std::barrier<>& start, double seconds) {
  for (int i = 0; i < 5; ++i)
    loop.run();  // the graph is captured
  start.arrive_and_wait();
  std::vector<double> times;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (auto now = Clock::now(); now < end;) {
    loop.run();
    const auto after = Clock::now();
    times.push_back(std::chrono::duration<double, std::milli>(after - now).count());
    now = after;
  }
  return times;
}

void measure(Engine& engine, int batch, int contexts, double seconds) {
  std::vector<PortShape> inputs, outputs;
  for (const TensorSpec& spec : engine.inputs())
    inputs.push_back(with_batch(spec, batch));
  for (const TensorSpec& spec : engine.outputs())
    outputs.push_back(with_batch(spec, batch));
  std::vector<std::unique_ptr<TernLoop>> loops;
  for (int i = 0; i < contexts; ++i)
    loops.push_back(std::make_unique<TernLoop>(engine, inputs, outputs, TernLoop::Memory::kPinned));
  std::barrier start(contexts);
  std::vector<std::vector<double>> times(loops.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < loops.size(); ++i)
      threads.emplace_back([&, i] { times[i] = run_for(*loops[i], start, seconds); });
  }
  std::vector<double> all;
  for (const auto& one : times)
    all.insert(all.end(), one.begin(), one.end());
  std::ranges::sort(all);
  const auto at = [&](double part) {
    return all[static_cast<std::size_t>(part * static_cast<double>(all.size() - 1))];
  };
  fmt::print(
      "{{\"batch\": {}, \"contexts\": {}, \"images_per_second\": {:.0f}, \"p50\": {:.3f}, \"p99\": {:.3f}, "
      "\"runs\": {}}}\n",
      batch, contexts, static_cast<double>(all.size()) * batch / seconds, at(0.5), at(0.99), all.size());
}

int run(const Options& options) {
  const auto backend = BackendRegistry::load().find("tensorrt").value();
  const auto model = Model::from_file(options.model).value();
  for (const int batch : options.batches) {
    BuildConfig config = config_of(options);
    config.max_batch = batch;
    const EngineBlob blob = backend->compile(model, config, {}, {}).value();
    const auto engine = backend->load(blob, {}).value();
    fmt::print(
        "{{\"throughput\": \"{}\", \"tensorrt\": \"{}\", \"precision\": \"{}\", \"level\": {}, \"batch\": {}}}\n",
        model.stem(), blob.backend_version, to_string(blob.precision), options.level, batch);
    for (const int contexts : options.contexts)
      measure(*engine, batch, contexts, options.seconds);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("images a second, by batch and contexts");
  add_build_options(app, options);
  app.add_option("--batch", options.batches)->check(CLI::Range(1, 4096));
  app.add_option("--contexts", options.contexts)->check(CLI::Range(1, 64));
  app.add_option("--seconds", options.seconds)->check(CLI::Range(0.1, 3600.0));
  CLI11_PARSE(app, argc, argv);
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
