// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "race.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace tern::ov_backend {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUps = 3;
constexpr std::size_t kMinRounds = 5, kMaxRounds = 50;
constexpr std::chrono::milliseconds kLongEnough{1000};

struct Runner {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<ExecutionContext> context;
  std::vector<Tensor> inputs;
  std::vector<double> milliseconds;

  Status run() {
    const auto start = Clock::now();
    TERN_RETURN_IF_ERROR(context->infer());
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    return {};
  }
  double median() {
    const auto middle = milliseconds.begin() + static_cast<std::ptrdiff_t>(milliseconds.size() / 2);
    std::ranges::nth_element(milliseconds, middle);
    return *middle;
  }
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

}  // namespace

Result<RaceTimes> race(Backend& backend, const EngineBlob& first, const EngineBlob& second, const BuildConfig& config,
                       const std::stop_token& stop) {
  TERN_ASSIGN_OR_RETURN(Runner one, make_runner(backend, first, config));
  TERN_ASSIGN_OR_RETURN(Runner other, make_runner(backend, second, config));
  for (int i = 0; i < kWarmUps; ++i) {
    TERN_RETURN_IF_ERROR(one.run());
    TERN_RETURN_IF_ERROR(other.run());
  }
  one.milliseconds.clear();
  other.milliseconds.clear();
  const auto start = Clock::now();
  while (one.milliseconds.size() < kMaxRounds &&
         (one.milliseconds.size() < kMinRounds || Clock::now() - start < kLongEnough)) {
    if (stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped while comparing int8 with f32");
    TERN_RETURN_IF_ERROR(one.run());
    TERN_RETURN_IF_ERROR(other.run());
  }
  return RaceTimes{one.median(), other.median()};
}

}  // namespace tern::ov_backend
