// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "context.h"

#include <algorithm>
#include <cstring>

#include "convert.h"
#include "guard.h"
#include "logger.h"

namespace tern::trt_backend {
namespace {

using std::chrono::steady_clock;

Status busy_status() {
  return {StatusCode::kInputError, "an inference is in flight on this context; wait for it, or use another context"};
}

Status limit_status(const WaitOptions& options, std::string_view when) {
  if (options.stop.stop_requested()) return make_error(StatusCode::kCancelled, "stopped {} the inference", when);
  if (options.deadline && *options.deadline <= steady_clock::now())
    return make_error(StatusCode::kTimeout, "the deadline passed {} the inference", when);
  return {};
}

constexpr std::string_view kFailed = "TensorRT failed while running the model";

}  // namespace

TensorRtContext::TensorRtContext(std::shared_ptr<const TensorRtEngine> engine,
                                 std::unique_ptr<nvinfer1::IExecutionContext> context)
    : engine_(std::move(engine)),
      inputs_(engine_->inputs().size()),
      outputs_(engine_->outputs().size()),
      data_dependent_(engine_->outputs().size()),
      context_(std::move(context)),
      results_(engine_->outputs().size()) {
  if (engine_->options().device_times) marks_.emplace();
  const std::size_t bytes = engine_->facts().activation_bytes;
  activations_.reserve(bytes);
  use_activations(*context_);
}

void TensorRtContext::use_activations(nvinfer1::IExecutionContext& context) const noexcept {
  context.setDeviceMemoryV2(activations_.data(), static_cast<std::int64_t>(activations_.bytes()));
}

TensorRtContext::~TensorRtContext() {
  static_cast<void>(guard(StatusCode::kInternalError, "cannot free the context", [&] {
    const cuda::DeviceGuard current(engine_->device());
    if (in_flight_) static_cast<void>(cudaEventSynchronize(done_.get()));
    variants_.drop_graphs();
    context_.reset();
  }));
}

Status TensorRtContext::bind_input(std::size_t index, const TensorView& tensor) {
  TERN_RETURN_IF_ERROR(check_index(index, engine_->inputs(), "input"));
  const TensorSpec& spec = engine_->inputs()[index];
  TERN_RETURN_IF_ERROR(check_view(tensor, spec, engine_->device()));
  if (is_busy()) return busy_status().at(spec.name);
  const auto& profiles = engine_->facts().profiles;
  if (std::ranges::none_of(profiles, [&](const Profile& p) { return p[index].contains(tensor.shape()); })) {
    return make_error(StatusCode::kInputError, "the tensor has shape {}; this engine was built for {} to {}",
                      tensor.shape().to_string(), profiles.front()[index].min.to_string(),
                      profiles.back()[index].max.to_string())
        .at(spec.name)
        .with_hint("build it with a shape profile or max_batch that covers this shape");
  }
  inputs_[index].bind(tensor);
  return {};
}

Status TensorRtContext::bind_output(std::size_t index, const TensorView& tensor) {
  TERN_RETURN_IF_ERROR(check_index(index, engine_->outputs(), "output"));
  const TensorSpec& spec = engine_->outputs()[index];
  if (is_busy()) return busy_status().at(spec.name);
  if (!tensor.empty()) TERN_RETURN_IF_ERROR(check_view(tensor, spec, engine_->device()));
  outputs_[index].bind(tensor);
  has_results_ = false;
  return {};
}

Status TensorRtContext::check_ready() const {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].bound().empty())
      return Status(StatusCode::kInputError, "the input is not bound").at(engine_->inputs()[i].name);
  }
  return is_busy() ? busy_status() : Status();
}

Status TensorRtContext::infer(const WaitOptions& options) {
  TERN_RETURN_IF_ERROR(check_ready());
  has_results_ = false;
  TERN_RETURN_IF_ERROR(limit_status(options, "before"));
  const auto start = steady_clock::now();
  const CapturedLog log(engine_->options().logger, CapturedLog::Scope::kThisThread);
  const Status status = guard(StatusCode::kInferenceError, kFailed, [&] {
    const cuda::DeviceGuard current(engine_->device());
    Status ran = run(options);
    // What was enqueued before a failure uses the buffers still.
    if (!ran.ok()) static_cast<void>(cudaStreamSynchronize(stream_.get()));
    return ran;
  });
  if (status.code() == StatusCode::kInferenceError && !log.text().empty()) return status.with_cause(log.text());
  Logger& logger = *engine_->options().logger;
  if (status.ok() && logger.level() >= LogLevel::kDebug) {
    const std::chrono::duration<double, std::milli> ms = steady_clock::now() - start;
    const auto times = device_times();
    const std::string parts = times ? fmt::format(" (on the GPU: in {:.3f}, run {:.3f}, out {:.3f})", times->copy_in,
                                                  times->run, times->copy_out)
                                    : std::string();
    logger.log(LogLevel::kDebug, "tensorrt", fmt::format("{}: {:.3f} ms{}", engine_->id(), ms.count(), parts));
  }
  return status;
}

Status TensorRtContext::run(const WaitOptions& options) {
  TERN_ASSIGN_OR_RETURN(Variant* const variant, prepare());
  copy_inputs();
  TERN_RETURN_IF_ERROR(limit_status(options, "before"));
  if (should_record(*variant)) {
    TERN_RETURN_IF_ERROR(record(*variant, stream_.get()));
    TERN_RETURN_IF_ERROR(limit_status(options, "during"));
  } else {
    TERN_RETURN_IF_ERROR(launch(*variant, stream_.get()));
    done_.record(stream_.get());
    TERN_RETURN_IF_ERROR(wait_for(done_, options));
  }
  remember_outputs(*variant);
  copy_outputs();
  has_results_ = true;
  return {};
}

Status TensorRtContext::enqueue(Stream& stream, Event& event) {
  auto* const cuda_stream = dynamic_cast<CudaStream*>(&stream);
  auto* const cuda_event = dynamic_cast<CudaEvent*>(&event);
  if (cuda_stream == nullptr || cuda_event == nullptr || cuda_stream->device() != engine_->device()) {
    return {StatusCode::kInputError,
            "the stream or event belongs to another backend or device; create it with this engine's create_stream() "
            "and create_event()"};
  }
  TERN_RETURN_IF_ERROR(check_ready());
  has_results_ = false;
  const CapturedLog log(engine_->options().logger, CapturedLog::Scope::kThisThread);
  const Status status = guard(StatusCode::kInferenceError, kFailed, [&] {
    const cuda::DeviceGuard current(engine_->device());
    Status started = start(*cuda_stream, *cuda_event);
    if (!started.ok()) static_cast<void>(cudaStreamSynchronize(cuda_stream->get()));
    return started;
  });
  if (status.code() == StatusCode::kInferenceError && !log.text().empty()) return status.with_cause(log.text());
  return status;
}

Status TensorRtContext::start(CudaStream& stream, CudaEvent& event) {
  TERN_ASSIGN_OR_RETURN(Variant* const variant, prepare());
  if (should_record(*variant)) {
    TERN_RETURN_IF_ERROR(stream.synchronize());  // once: from here on the caller's inputs hold what they will hold
    copy_inputs();
    TERN_RETURN_IF_ERROR(record(*variant, stream.get()));
  }
  if (has_pageable(inputs_)) {
    const auto copy = [](void* self) { static_cast<TensorRtContext*>(self)->copy_inputs(); };
    cuda::check(cudaLaunchHostFunc(stream.get(), copy, this), "cudaLaunchHostFunc");
  }
  TERN_RETURN_IF_ERROR(launch(*variant, stream.get()));
  remember_outputs(*variant);
  if (has_pageable(outputs_)) {
    const auto copy = [](void* self) { static_cast<TensorRtContext*>(self)->copy_outputs(); };
    cuda::check(cudaLaunchHostFunc(stream.get(), copy, this), "cudaLaunchHostFunc");
  }
  done_.record(stream.get());
  event.record(stream.get());
  in_flight_ = true;
  has_results_ = true;
  return {};
}

Result<TensorView> TensorRtContext::output(std::size_t index) const {
  TERN_RETURN_IF_ERROR(check_index(index, engine_->outputs(), "output"));
  if (is_busy()) return busy_status();
  const bool failed = in_flight_ && cudaEventQuery(done_.get()) != cudaSuccess;
  if (!has_results_ || failed) return Status(StatusCode::kInputError, "no inference has succeeded on this context yet");
  return results_[index];
}

std::optional<DeviceTimes> TensorRtContext::device_times() const {
  if (!marks_ || !has_results_ || is_busy()) return std::nullopt;
  DeviceTimes times;
  const auto between = [&](Mark from, Mark to) {
    return (*marks_)[static_cast<std::size_t>(from)].milliseconds_until((*marks_)[static_cast<std::size_t>(to)]);
  };
  const Status read = guard(StatusCode::kInferenceError, "the times of a run cannot be read", [&] {
    times = {between(Mark::kStart, Mark::kCopiedIn), between(Mark::kCopiedIn, Mark::kRan),
             between(Mark::kRan, Mark::kCopiedOut)};
  });
  return read.ok() ? std::optional(times) : std::nullopt;
}

void TensorRtContext::copy_inputs() noexcept {
  for (const Port& port : inputs_) {
    if (port.place() == Place::kPageable) std::memcpy(port.host_address(), port.bound().data(), port.bound().bytes());
  }
}

void TensorRtContext::copy_outputs() noexcept {
  for (const Port& port : outputs_) {
    if (port.place() == Place::kPageable) std::memcpy(port.bound().data(), port.host_address(), port.bound().bytes());
  }
}

bool TensorRtContext::has_pageable(const std::vector<Port>& ports) const noexcept {
  return std::ranges::any_of(ports, [](const Port& p) { return p.place() == Place::kPageable; });
}

void TensorRtContext::remember_outputs(const Variant& variant) {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Port& port = outputs_[i];
    results_[i] = port.place() == Place::kNone
                      ? TensorView(port.host_address(), engine_->outputs()[i].dtype, variant.output_shapes[i])
                      : port.bound();
  }
}

}  // namespace tern::trt_backend
