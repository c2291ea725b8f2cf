// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "engine/turns.h"
#include "tern/dev/int8_build.h"

namespace tern::dev {
namespace {

/// int8 costs accuracy, so it must be faster than f32 by more than two measurements differ.
constexpr double kPays = 0.95;

struct Runner {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<ExecutionContext> context;
  std::vector<Tensor> inputs;
};

/// What stays open is run as in the profile, else as one.
Shape shape_of(const TensorSpec& spec, const BuildConfig& config) {
  Shape shape = spec.shape;
  const auto profile = std::ranges::find(config.profiles, spec.name, &ShapeProfile::tensor);
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (shape[i] == Shape::kDynamic) shape[i] = profile != config.profiles.end() ? profile->opt[i] : 1;
  }
  return shape;
}

Result<Runner> make_runner(Backend& backend, const EngineBlob& blob, const BuildConfig& config) {
  Runner runner;
  TERN_ASSIGN_OR_RETURN(runner.engine, backend.load(blob, {.threads = config.threads, .hint = config.hint}));
  TERN_ASSIGN_OR_RETURN(runner.context, runner.engine->create_context());
  for (std::size_t i = 0; i < runner.engine->inputs().size(); ++i) {
    const TensorSpec& spec = runner.engine->inputs()[i];
    TERN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::create(spec.dtype, shape_of(spec, config)));
    std::memset(tensor.view().data(), 0, tensor.bytes());
    TERN_RETURN_IF_ERROR(runner.context->bind_input(i, tensor.view()));
    runner.inputs.push_back(std::move(tensor));
  }
  return runner;
}

/// Times both engines of one model on zeros of the shapes that `config` aims at.
Result<TurnTimes> race(Backend& backend, const EngineBlob& first, const EngineBlob& second, const BuildConfig& config,
                       const std::stop_token& stop) {
  TERN_ASSIGN_OR_RETURN(const Runner one, make_runner(backend, first, config));
  TERN_ASSIGN_OR_RETURN(const Runner other, make_runner(backend, second, config));
  const std::array<std::function<Status()>, 2> runners{[&] { return one.context->infer(); },
                                                       [&] { return other.context->infer(); }};
  return time_in_turns(runners, stop);
}

}  // namespace

Result<EngineBlob> compile_calibrated(Backend& backend, const Model& model, const Model& quantised,
                                      const BuildConfig& config, const Progress& progress,
                                      const std::stop_token& stop) {
  BuildConfig plain = config;
  plain.calibration.clear();
  plain.precision = Precision::kI8;
  if (config.precision == Precision::kI8) return backend.compile(quantised, plain, progress, stop);
  const auto part = [&](double from, double to) -> Progress {
    if (!progress) return {};
    return [&progress, from, to](std::string_view phase, double f) { progress(phase, from + f * (to - from)); };
  };
  auto int8 = backend.compile(quantised, plain, part(0, 0.4), stop);
  plain.precision = Precision::kF32;
  // What is wrong with the config or the model is told by this one.
  TERN_ASSIGN_OR_RETURN(EngineBlob f32, backend.compile(model, plain, part(0.4, 0.8), stop));
  if (!int8.ok()) {
    f32.notes.push_back("runs in f32, though there is a calibration: " + int8.status().message());
    return f32;
  }
  if (progress) progress("compare", 0.8);
  TERN_ASSIGN_OR_RETURN(const TurnTimes times, race(backend, *int8, f32, config, stop));
  if (progress) progress("done", 1.0);
  const bool pays = times.ms[0] < kPays * times.ms[1];
  EngineBlob& better = pays ? *int8 : f32;
  better.notes.push_back(fmt::format("runs in {}: one inference takes {:.2f} ms in i8 and {:.2f} ms in f32",
                                     pays ? "i8" : "f32", times.ms[0], times.ms[1]));
  return std::move(better);
}

}  // namespace tern::dev
