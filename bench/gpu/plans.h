// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "modes.h"
#include "tern/engine.h"

// Plans in files: the plan itself, and FILE.txt with what loads it, so that slow builds can run beside other work and be measured
// later, when the GPU is idle.

namespace tern::bench {

/// What a plan is built from. The command line's options of the same names.
struct PlanOptions {
  std::string model, precision = "auto", calibration, timing_cache, plan;
  int level = -1, batch = 1;
  bool tf32 = false;
};

/// The model and how it is built; the batch is the program's own.
inline void add_build_options(CLI::App& app, PlanOptions& options) {
  app.add_option("model", options.model)->required()->check(CLI::ExistingFile);
  app.add_option("--precision", options.precision);
  app.add_option("--level", options.level)->check(CLI::Range(-1, 5));
  app.add_option("--timing-cache", options.timing_cache);
  app.add_option("--calibration", options.calibration)->check(CLI::ExistingFile);
}

inline BuildConfig config_of(const PlanOptions& options) {
  BuildConfig config;
  config.precision = parse_precision(options.precision).value();
  config.optimization_level = options.level;
  config.max_batch = options.batch;
  config.timing_cache = options.timing_cache;
  config.calibration = options.calibration;
  config.tf32 = options.tf32;
  return config;
}

/// One JSON line tells what was built, and on what.
inline EngineBlob build_plan(Backend& backend, const PlanOptions& options) {
  const auto model = Model::from_file(options.model).value();
  const auto start = Clock::now();
  EngineBlob blob = backend.compile(model, config_of(options), {}, {}).value();
  const double seconds = milliseconds_since(start) / 1e3;
  std::string layers;
  for (const auto& [precision, count] : blob.layers)
    layers += fmt::format("{}\"{}\": {}", layers.empty() ? "" : ", ", precision, count);
  const HostFacts facts = backend.host_facts();
  std::string device;
  for (const auto& [name, value] : facts.info)
    device += fmt::format("\"{}\": \"{}\", ", name, value);
  fmt::print(
      "{{\"build\": \"{}\", \"tensorrt\": \"{}\", {}\"precision\": \"{}\", \"level\": {}, \"batch\": {}, "
      "\"asked\": \"{}\", \"calibration\": \"{}\", \"tf32\": {}, \"seconds\": {:.1f}, \"megabytes\": {:.2f}, "
      "\"layers\": {{{}}}}}\n",
      model.stem(), facts.version, device, to_string(blob.precision), options.level, options.batch, options.precision,
      options.calibration, options.tf32, seconds, static_cast<double>(blob.bytes.size()) / 1e6, layers);
  for (const std::string& note : blob.notes)
    fmt::print(stderr, "{}\n", note);
  return blob;
}

inline void save_plan(const EngineBlob& blob, const std::string& file) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(blob.bytes.data()), static_cast<std::streamsize>(blob.bytes.size()));
  std::ofstream(file + ".txt") << to_string(blob.precision) << ' ' << blob.backend_version << ' ' << blob.engine_id
                               << '\n';
}

inline EngineBlob load_plan(const std::string& file) {
  EngineBlob blob;
  std::string precision;
  std::ifstream(file + ".txt") >> precision >> blob.backend_version >> blob.engine_id;
  blob.backend = "tensorrt";
  blob.precision = parse_precision(precision).value();
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto raw = std::as_bytes(std::span(bytes));
  blob.own({raw.begin(), raw.end()});
  return blob;
}

/// From options.plan; built and put there where it is missing.
inline EngineBlob plan_of(Backend& backend, const PlanOptions& options) {
  if (options.plan.empty()) return build_plan(backend, options);
  if (!std::filesystem::exists(options.plan + ".txt")) {
    EngineBlob blob = build_plan(backend, options);
    save_plan(blob, options.plan);
    return blob;
  }
  EngineBlob blob = load_plan(options.plan);
  fmt::print("{{\"plan\": \"{}\", \"tensorrt\": \"{}\", \"precision\": \"{}\"}}\n", blob.engine_id,
             blob.backend_version, to_string(blob.precision));
  return blob;
}

}  // namespace tern::bench
