// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/dev/host_context.h"

#include <utility>

#include "base/error.h"
#include "tern/dev/backend.h"
#include "tern/dev/host_stream.h"

namespace tern::dev {
namespace {

Status check_view(const TensorView& tensor, const TensorSpec& spec) {
  if (!tensor.empty() && tensor.device().kind != DeviceKind::kCpu) {
    return make_error(StatusCode::kInputError, "the tensor is on {}; this engine runs on the CPU",
                      tensor.device().to_string())
        .at(spec.name);
  }
  return check_tensor(tensor, spec);
}

Status check_index(std::size_t index, const std::vector<TensorSpec>& specs, std::string_view what) {
  if (index < specs.size()) return {};
  return make_error(StatusCode::kInputError, "{} {} does not exist; the engine has {}", what, index, specs.size());
}

}  // namespace

HostContext::HostContext(std::shared_ptr<const Engine> engine)
    : engine_(std::move(engine)),
      inputs_(engine_->inputs().size()),
      bound_(engine_->outputs().size()),
      outputs_(engine_->outputs().size()) {}

HostContext::~HostContext() = default;

void HostContext::wait_until_idle() noexcept {
  for (int pending = in_flight_.load(); pending != 0; pending = in_flight_.load())
    in_flight_.wait(pending);
}

Status HostContext::check_idle(const TensorSpec& spec) const {
  if (in_flight_ == 0) return {};
  return Status(StatusCode::kInputError, "an inference is in flight on this context").at(spec.name);
}

Status HostContext::bind_input(std::size_t index, const TensorView& tensor) {
  TERN_RETURN_IF_ERROR(check_index(index, engine_->inputs(), "input"));
  const TensorSpec& spec = engine_->inputs()[index];
  TERN_RETURN_IF_ERROR(check_view(tensor, spec));
  TERN_RETURN_IF_ERROR(check_idle(spec));
  if (inputs_[index].data() == tensor.data() && inputs_[index].shape() == tensor.shape()) return {};
  TERN_RETURN_IF_ERROR(set_input(index, tensor).at(spec.name));
  inputs_[index] = tensor;
  return {};
}

Status HostContext::bind_output(std::size_t index, const TensorView& tensor) {
  TERN_RETURN_IF_ERROR(check_index(index, engine_->outputs(), "output"));
  const TensorSpec& spec = engine_->outputs()[index];
  TERN_RETURN_IF_ERROR(check_idle(spec));
  if (!tensor.empty()) TERN_RETURN_IF_ERROR(check_view(tensor, spec));
  TERN_RETURN_IF_ERROR(set_output(index, tensor).at(spec.name));
  bound_[index] = tensor;
  has_results_ = false;
  return {};
}

Status HostContext::check_ready() const {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].empty())
      return Status(StatusCode::kInputError, "the input is not bound").at(engine_->inputs()[i].name);
  }
  return {};
}

Status HostContext::enqueue(Stream& stream, Event& event) {
  auto* host_stream = dynamic_cast<HostStream*>(&stream);
  if (host_stream == nullptr) {
    return {StatusCode::kInputError,
            "the stream belongs to another backend; create it with this engine's create_stream()"};
  }
  TERN_RETURN_IF_ERROR(check_ready());
  int idle = 0;
  if (!in_flight_.compare_exchange_strong(idle, 1)) {
    return {StatusCode::kInputError, "an inference is in flight on this context; use one context for each stream"};
  }
  const auto job = [](void* object) noexcept -> Status {
    auto* self = static_cast<HostContext*>(object);
    Status status = self->run_and_read({});
    self->in_flight_.store(0);
    self->in_flight_.notify_all();
    return status;
  };
  Status queued = host_stream->enqueue(job, this, event);
  if (!queued.ok()) in_flight_.store(0);
  return queued;
}

Status HostContext::infer(const WaitOptions& options) {
  TERN_RETURN_IF_ERROR(check_ready());
  if (in_flight_ != 0)
    return {StatusCode::kInputError, "an inference is in flight on this context; use one context for each thread"};
  return run_and_read(options);
}

Status HostContext::run_and_read(const WaitOptions& options) {
  has_results_ = false;
  if (options.stop.stop_requested()) return {StatusCode::kCancelled, "stopped before the inference began"};
  if (options.deadline && *options.deadline <= std::chrono::steady_clock::now()) {
    return {StatusCode::kTimeout, "the deadline passed before the inference began"};
  }
  TERN_RETURN_IF_ERROR(run(options));
  return read_outputs();
}

Status HostContext::read_outputs() {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const TensorSpec& spec = engine_->outputs()[i];
    const auto found = read_output(i);
    if (!found.ok()) return found.status().at(spec.name);
    if (!bound_[i].empty() && found->shape() != bound_[i].shape()) {
      return make_error(StatusCode::kInferenceError, "the run produced shape {}; the bound tensor has {}",
                        found->shape().to_string(), bound_[i].shape().to_string())
          .at(spec.name);
    }
    outputs_[i] = *found;
  }
  has_results_ = true;
  return {};
}

Result<TensorView> HostContext::output(std::size_t index) const {
  TERN_RETURN_IF_ERROR(check_index(index, engine_->outputs(), "output"));
  if (in_flight_ != 0)
    return Status(StatusCode::kInputError, "an inference is in flight on this context; wait for its event first");
  if (!has_results_) return Status(StatusCode::kInputError, "no inference has succeeded on this context yet");
  return outputs_[index];
}

}  // namespace tern::dev
