// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "task/runner.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tern::detail {
namespace {

Shape input_shape(const InputContract& input, std::int64_t batch, std::int64_t height, std::int64_t width) {
  const std::int64_t channels = input.channels();
  return input.layout == TensorLayout::kNchw ? Shape{batch, channels, height, width}
                                             : Shape{batch, height, width, channels};
}

Result<std::size_t> find_port(const std::vector<TensorSpec>& specs, std::string_view name, std::string_view what) {
  const auto found = std::ranges::find(specs, name, &TensorSpec::name);
  if (found == specs.end()) return make_error(StatusCode::kContractError, "the engine has no {} '{}'", what, name);
  return static_cast<std::size_t>(found - specs.begin());
}

/// A task feeds the image alone.
Status check_ports(const Model& model, const Contract& contract) {
  if (model.inputs().size() == 1) return {};
  return make_error(StatusCode::kContractError, "the model has {} inputs; a task feeds '{}' alone",
                    model.inputs().size(), contract.input.tensor)
      .with_hint("`tern run` takes any number of tensors");
}

BuildConfig build_config(const TaskOptions& options) {
  BuildConfig config = options.build;
  config.precision = options.precision;
  config.max_batch = options.max_batch;
  config.threads = options.threads;
  config.hint = options.hint;
  config.timeout = options.build_timeout;
  config.isolation = options.isolation;
  return config;
}

Result<std::shared_ptr<InferenceRuntime>> runtime_of(const TaskOptions& options) {
  if (options.runtime != nullptr) return options.runtime;
  RuntimeOptions own;
  TERN_ASSIGN_OR_RETURN(own.config, RuntimeConfig::resolve());
  own.logger = options.logger;
  TERN_ASSIGN_OR_RETURN(InferenceRuntime runtime, InferenceRuntime::create(std::move(own)));
  return std::make_shared<InferenceRuntime>(std::move(runtime));
}

}  // namespace

TaskRunner::TaskRunner(Model model, Contract contract, Preprocessor preprocessor, Postprocessor postprocessor,
                       std::shared_ptr<InferenceRuntime> runtime)
    : model_(std::move(model)),
      contract_(std::move(contract)),
      preprocessor_(std::move(preprocessor)),
      postprocessor_(std::move(postprocessor)),
      runtime_(std::move(runtime)) {}

TaskRunner::~TaskRunner() {
  path_.reset();
  context_.reset();
  engine_.reset();
  runtime_->release_engine(handle_);
}

Result<std::unique_ptr<TaskRunner>> TaskRunner::open(const std::filesystem::path& path, const TaskOptions& options,
                                                     Task expected) {
  if (options.max_batch < 1)
    return make_error(StatusCode::kConfigError, "max_batch is {}; it must be at least 1", options.max_batch);
  if (options.threads < 0)
    return make_error(StatusCode::kConfigError, "threads is {}; it must be 0 (all) or more", options.threads);
  TERN_ASSIGN_OR_RETURN(Model model, Model::from_file(path));
  TERN_ASSIGN_OR_RETURN(Contract contract, Contract::resolve(model, options.contract_file, options.overrides));
  if (contract.task != expected) {
    return make_error(StatusCode::kContractError, "the model is made to {}, not to {}", to_string(contract.task),
                      to_string(expected))
        .at(path.string())
        .with_hint(fmt::format("use `tern {}`, or set the task in the contract", to_string(contract.task)));
  }
  TERN_RETURN_IF_ERROR(check_ports(model, contract).at(path.string()));
  TERN_ASSIGN_OR_RETURN(Preprocessor preprocessor, Preprocessor::create(contract.input));
  TERN_ASSIGN_OR_RETURN(Postprocessor postprocessor, Postprocessor::create(contract.output));
  TERN_ASSIGN_OR_RETURN(std::shared_ptr<InferenceRuntime> runtime, runtime_of(options));
  std::unique_ptr<TaskRunner> runner(new TaskRunner(std::move(model), std::move(contract), std::move(preprocessor),
                                                    std::move(postprocessor), std::move(runtime)));
  runner->logger_ = options.logger;
  const BuildConfig config = with_task_profile(build_config(options), runner->model_, runner->contract_);
  CompileOptions compile;
  compile.backend = options.backend;
  compile.contract = &runner->contract_;
  compile.allow_build = options.allow_build;
  compile.progress = options.progress;
  compile.stop = options.stop;
  EngineOptions load;
  load.load = {
      .threads = options.threads, .hint = options.hint, .device = options.build.device, .logger = options.logger};
  load.contexts = 0;  // the runner makes its own
  TERN_ASSIGN_OR_RETURN(runner->handle_, runner->runtime_->open(runner->model_, config, compile, load));
  runner->max_batch_ = options.max_batch;
  runner->wants_path_ = options.frame_path;
  const Status ready = runner->connect();
  if (!ready.ok()) return ready.at(path.string());
  return runner;
}

void TaskRunner::say_line(const std::string& headline) const {
  const auto ms = [](StageTimes::Duration time) { return std::chrono::duration<double, std::milli>(time).count(); };
  logger_->log(LogLevel::kDebug, "task",
               fmt::format("{} on {} {}: {:.3f} ms to the input, {:.3f} ms inference, {:.3f} ms to the result: {}",
                           model_.stem(), info_.backend, info_.precision, ms(info_.times.preprocess),
                           ms(info_.times.infer), ms(info_.times.postprocess), headline));
}

Status TaskRunner::connect() {
  TERN_ASSIGN_OR_RETURN(engine_, runtime_->engine(handle_));
  TERN_ASSIGN_OR_RETURN(input_, find_port(engine_->inputs(), contract_.input.tensor, "input"));
  TERN_ASSIGN_OR_RETURN(output_, find_port(engine_->outputs(), contract_.output.tensor, "output"));
  is_batch_fixed_ = engine_->inputs()[input_].shape[0] != Shape::kDynamic;
  batch_ = is_batch_fixed_ ? static_cast<int>(engine_->inputs()[input_].shape[0]) : max_batch_;
  path_.reset();
  context_.reset();
  if (wants_path_) {
    TERN_ASSIGN_OR_RETURN(path_, engine_->create_frame_path(contract_, {.max_batch = batch_}));
  }
  if (path_ == nullptr) {
    TERN_ASSIGN_OR_RETURN(context_, engine_->create_context());
    TERN_RETURN_IF_ERROR(make_input());
  }
  info_ = {engine_->backend(), engine_->id(), to_string(engine_->precision()), info_.times, path_ != nullptr};
  return {};
}

Status TaskRunner::make_input() {
  const auto [width, height] = contract_.input.default_size();
  TERN_ASSIGN_OR_RETURN(input_tensor_,
                        Tensor::create(contract_.input.dtype, input_shape(contract_.input, batch_, height, width)));
  std::memset(input_tensor_.view().data(), 0, input_tensor_.bytes());  // rows that no image fills hold no garbage
  geometry_.resize(static_cast<std::size_t>(batch_));
  return {};
}

Status TaskRunner::infer_step(std::span<const ImageView> images, std::span<const ImageView> regions, std::size_t first,
                              const WaitOptions& wait) {
  const std::size_t count = std::min(images.size() - first, static_cast<std::size_t>(batch_));
  const auto step_images = images.subspan(first, count);
  const auto step_regions = regions.empty() ? regions : regions.subspan(first, count);
  // After a fallback whose engine could not be connected.
  if (path_ == nullptr && context_ == nullptr) TERN_RETURN_IF_ERROR(connect());
  const auto run = [&] {
    return path_ != nullptr ? run_path(step_images, step_regions, wait) : run_stages(step_images, step_regions, wait);
  };
  const Status status = run();
  if (status.code() == StatusCode::kInferenceError) {
    // The other engine is built from the same model and config, so what runs together stays the same.
    TERN_RETURN_IF_ERROR(runtime_->fall_back(handle_, status));
    TERN_RETURN_IF_ERROR(connect());
    TERN_RETURN_IF_ERROR(run());
  } else if (!status.ok()) {
    return status;
  }
  step_ = {path_.get(), {}, {}, first, count};
  if (path_ != nullptr) return {};
  TERN_ASSIGN_OR_RETURN(TensorView output, context_->output(output_));
  const auto rows = static_cast<std::int64_t>(count);
  if (output.shape().rank() == 0 || output.shape()[0] < rows) {
    return make_error(StatusCode::kInferenceError, "the model gave shape {} for {} images", output.shape().to_string(),
                      count)
        .at(contract_.output.tensor);
  }
  step_.output = output.rows(0, rows);
  step_.geometry = std::span<const Geometry>(geometry_).first(count);
  return {};
}

Status TaskRunner::run_path(std::span<const ImageView> images, std::span<const ImageView> regions,
                            const WaitOptions& wait) {
  TERN_RETURN_IF_ERROR(path_->run(images, regions, wait));
  const StageTimes times = path_->times();
  info_.times.preprocess += times.preprocess;
  info_.times.infer += times.infer;
  info_.times.postprocess += times.postprocess;
  return {};
}

Status TaskRunner::run_stages(std::span<const ImageView> images, std::span<const ImageView> regions,
                              const WaitOptions& wait) {
  using Clock = std::chrono::steady_clock;
  const auto rows = static_cast<std::int64_t>(images.size());
  const TensorView& input = input_tensor_.view();
  const auto start = Clock::now();
  TERN_RETURN_IF_ERROR(
      preprocessor_.run(images, regions, input.rows(0, rows), std::span(geometry_).first(images.size())));
  const auto preprocessed = Clock::now();
  TERN_RETURN_IF_ERROR(context_->bind_input(input_, is_batch_fixed_ ? input : input.rows(0, rows)));
  TERN_RETURN_IF_ERROR(context_->infer(wait));
  info_.times.preprocess += preprocessed - start;
  info_.times.infer += Clock::now() - preprocessed;
  return {};
}

}  // namespace tern::detail
