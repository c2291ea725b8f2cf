// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "task/runner.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tern::detail {
namespace {

/// Height and width to build for: the contract's, or its default where the model leaves them open.
std::pair<int, int> input_size(const InputContract& input) {
  return {input.height > 0 ? input.height : InputContract::kDefaultSide,
          input.width > 0 ? input.width : InputContract::kDefaultSide};
}

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

}  // namespace

TaskRunner::TaskRunner(Model model, Contract contract, std::shared_ptr<Backend> backend, std::shared_ptr<Engine> engine,
                       Preprocessor preprocessor, Postprocessor postprocessor)
    : model_(std::move(model)),
      contract_(std::move(contract)),
      backend_(std::move(backend)),
      engine_(std::move(engine)),
      preprocessor_(std::move(preprocessor)),
      postprocessor_(std::move(postprocessor)) {}

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
  TERN_ASSIGN_OR_RETURN(Preprocessor preprocessor, Preprocessor::create(contract.input));
  TERN_ASSIGN_OR_RETURN(Postprocessor postprocessor, Postprocessor::create(contract.output));
  TERN_ASSIGN_OR_RETURN(std::shared_ptr<Backend> backend, BackendRegistry::load(options.logger).find(options.backend));

  const auto [height, width] = input_size(contract.input);
  BuildConfig config{.precision = options.precision,
                     .profiles = {},
                     .max_batch = options.max_batch,
                     .threads = options.threads,
                     .hint = options.hint};
  for (const ValueInfo& input : model.inputs()) {
    if (input.name != contract.input.tensor || input.shape.is_static()) continue;
    const bool is_batch_open = input.shape[0] == Shape::kDynamic;
    const std::int64_t min = is_batch_open ? 1 : input.shape[0],
                       max = is_batch_open ? options.max_batch : input.shape[0];
    config.profiles.push_back({input.name, input_shape(contract.input, min, height, width),
                               input_shape(contract.input, max, height, width),
                               input_shape(contract.input, max, height, width)});
  }
  TERN_ASSIGN_OR_RETURN(const EngineBlob blob, backend->compile(model, config, options.progress, {}));
  TERN_ASSIGN_OR_RETURN(std::shared_ptr<Engine> engine,
                        backend->load(blob, {options.threads, options.hint, options.logger}));
  std::unique_ptr<TaskRunner> runner(new TaskRunner(std::move(model), std::move(contract), std::move(backend),
                                                    std::move(engine), std::move(preprocessor),
                                                    std::move(postprocessor)));
  const Status ready = runner->prepare(options, width, height);
  if (!ready.ok()) return ready.at(path.string());
  return runner;
}

Status TaskRunner::prepare(const TaskOptions& options, int width, int height) {
  if (engine_->inputs().size() != 1) {
    return make_error(StatusCode::kContractError, "the model has {} inputs; a task feeds the image alone",
                      engine_->inputs().size())
        .with_hint("`tern run` takes any number of tensors");
  }
  TERN_ASSIGN_OR_RETURN(input_, find_port(engine_->inputs(), contract_.input.tensor, "input"));
  TERN_ASSIGN_OR_RETURN(output_, find_port(engine_->outputs(), contract_.output.tensor, "output"));
  is_batch_fixed_ = engine_->inputs()[input_].shape[0] != Shape::kDynamic;
  batch_ = is_batch_fixed_ ? static_cast<int>(engine_->inputs()[input_].shape[0]) : options.max_batch;
  TERN_ASSIGN_OR_RETURN(input_tensor_,
                        Tensor::create(contract_.input.dtype, input_shape(contract_.input, batch_, height, width)));
  std::memset(input_tensor_.view().data(), 0, input_tensor_.bytes());  // rows that no image fills hold no garbage
  geometry_.resize(static_cast<std::size_t>(batch_));
  TERN_ASSIGN_OR_RETURN(context_, engine_->create_context());
  info_ = {engine_->backend(), engine_->id(), to_string(engine_->precision()), {}};
  return {};
}

Status TaskRunner::infer_step(std::span<const ImageView> images, std::span<const ImageView> regions, std::size_t first,
                              const WaitOptions& wait) {
  using Clock = std::chrono::steady_clock;
  const std::size_t count = std::min(images.size() - first, static_cast<std::size_t>(batch_));
  const auto rows = static_cast<std::int64_t>(count);
  const auto start = Clock::now();
  const auto step_regions = regions.empty() ? regions : regions.subspan(first, count);
  TERN_RETURN_IF_ERROR(preprocessor_.run(images.subspan(first, count), step_regions, input_tensor_.view().rows(0, rows),
                                         std::span(geometry_).first(count)));
  const auto preprocessed = Clock::now();
  TERN_RETURN_IF_ERROR(
      context_->bind_input(input_, is_batch_fixed_ ? input_tensor_.view() : input_tensor_.view().rows(0, rows)));
  TERN_RETURN_IF_ERROR(context_->infer(wait));
  TERN_ASSIGN_OR_RETURN(TensorView output, context_->output(output_));
  if (output.shape().rank() == 0 || output.shape()[0] < rows) {
    return make_error(StatusCode::kInferenceError, "the model gave shape {} for {} images", output.shape().to_string(),
                      count)
        .at(contract_.output.tensor);
  }
  step_ = {output.rows(0, rows), std::span<const Geometry>(geometry_).first(count), first};
  info_.times.preprocess += preprocessed - start;
  info_.times.infer += Clock::now() - preprocessed;
  return {};
}

}  // namespace tern::detail
