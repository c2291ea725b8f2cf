// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "context.h"

#include "convert.h"
#include "guard.h"
#include "tern/dev/host_stream.h"

namespace tern::ov_backend {
namespace {

Status check_view(const TensorView& tensor, const TensorSpec& spec) {
  if (tensor.empty()) return Status(StatusCode::kInputError, "the tensor has no data").at(spec.name);
  if (tensor.device().kind != DeviceKind::kCpu) {
    return make_error(StatusCode::kInputError, "the tensor is on {}; this engine runs on the CPU",
                      tensor.device().to_string())
        .at(spec.name);
  }
  if (tensor.dtype() != spec.dtype) {
    return make_error(StatusCode::kInputError, "the tensor has element type {}; the model wants {}",
                      to_string(tensor.dtype()), to_string(spec.dtype))
        .at(spec.name);
  }
  if (!tensor.is_contiguous())
    return Status(StatusCode::kInputError, "the tensor is not contiguous")
        .at(spec.name)
        .with_hint("copy it with Tensor::copy_of");
  if (!spec.shape.accepts(tensor.shape())) {
    return make_error(StatusCode::kInputError, "the tensor has shape {}; the model wants {}",
                      tensor.shape().to_string(), spec.shape.to_string())
        .at(spec.name);
  }
  return {};
}

Status check_index(std::size_t index, const std::vector<TensorSpec>& specs, std::string_view what) {
  if (index < specs.size()) return {};
  return make_error(StatusCode::kInputError, "{} {} does not exist; the engine has {}", what, index, specs.size());
}

}  // namespace

OpenVinoContext::OpenVinoContext(std::shared_ptr<const OpenVinoEngine> engine, ov::InferRequest request)
    : engine_(std::move(engine)),
      request_(std::move(request)),
      inputs_(engine_->inputs().size()),
      bound_(engine_->outputs().size()),
      outputs_(engine_->outputs().size()) {
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    own_outputs_.push_back(request_.get_output_tensor(i));
}

OpenVinoContext::~OpenVinoContext() {
  for (int pending = in_flight_.load(); pending != 0; pending = in_flight_.load())
    in_flight_.wait(pending);
}

Status OpenVinoContext::bind_input(std::size_t index, const TensorView& tensor) {
  TERN_RETURN_IF_ERROR(check_index(index, engine_->inputs(), "input"));
  const TensorSpec& spec = engine_->inputs()[index];
  TERN_RETURN_IF_ERROR(check_view(tensor, spec));
  if (in_flight_ != 0)
    return Status(StatusCode::kInputError, "an inference is in flight on this context").at(spec.name);
  if (inputs_[index].data() == tensor.data() && inputs_[index].shape() == tensor.shape()) return {};
  if (!engine_->input_bounds(index).compatible(ov::PartialShape(to_ov(tensor.shape())))) {
    return make_error(StatusCode::kInputError, "the tensor has shape {}; this engine was built for {}",
                      tensor.shape().to_string(), engine_->input_bounds(index).to_string())
        .at(spec.name)
        .with_hint("build it with a shape profile or max_batch that covers this shape");
  }
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInputError, "OpenVINO refuses the input", [&] {
                         request_.set_input_tensor(
                             index, ov::Tensor(to_ov(tensor.dtype()), to_ov(tensor.shape()), tensor.data()));
                       }).at(spec.name));
  inputs_[index] = tensor;
  return {};
}

Status OpenVinoContext::bind_output(std::size_t index, const TensorView& tensor) {
  TERN_RETURN_IF_ERROR(check_index(index, engine_->outputs(), "output"));
  const TensorSpec& spec = engine_->outputs()[index];
  if (in_flight_ != 0)
    return Status(StatusCode::kInputError, "an inference is in flight on this context").at(spec.name);
  if (!tensor.empty()) TERN_RETURN_IF_ERROR(check_view(tensor, spec));
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInputError, "OpenVINO refuses the output", [&] {
                         request_.set_output_tensor(
                             index, tensor.empty()
                                        ? own_outputs_[index]
                                        : ov::Tensor(to_ov(tensor.dtype()), to_ov(tensor.shape()), tensor.data()));
                       }).at(spec.name));
  bound_[index] = tensor;
  has_results_ = false;
  return {};
}

Status OpenVinoContext::check_ready() const {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].empty())
      return Status(StatusCode::kInputError, "the input is not bound").at(engine_->inputs()[i].name);
  }
  return {};
}

Status OpenVinoContext::enqueue(Stream& stream, Event& event) {
  auto* host_stream = dynamic_cast<dev::HostStream*>(&stream);
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
    auto* self = static_cast<OpenVinoContext*>(object);
    Status status = self->run({});
    self->in_flight_.store(0);
    self->in_flight_.notify_all();
    return status;
  };
  Status queued = host_stream->enqueue(job, this, event);
  if (!queued.ok()) in_flight_.store(0);
  return queued;
}

Status OpenVinoContext::infer(const WaitOptions& options) {
  TERN_RETURN_IF_ERROR(check_ready());
  if (in_flight_ != 0)
    return {StatusCode::kInputError, "an inference is in flight on this context; use one context for each thread"};
  return run(options);
}

Status OpenVinoContext::run(const WaitOptions& options) {
  has_results_ = false;
  if (options.stop.stop_requested()) return {StatusCode::kCancelled, "stopped before the inference began"};
  if (options.deadline && *options.deadline <= std::chrono::steady_clock::now()) {
    return {StatusCode::kTimeout, "the deadline passed before the inference began"};
  }
  if (options.deadline || options.stop.stop_possible()) {
    TERN_RETURN_IF_ERROR(run_interruptible(options));
  } else {
    TERN_RETURN_IF_ERROR(
        guard(StatusCode::kInferenceError, "OpenVINO failed while running the model", [&] { request_.infer(); }));
  }
  return collect_outputs();
}

Status OpenVinoContext::run_interruptible(const WaitOptions& options) {
  bool late = false;
  const Status status = guard(StatusCode::kInferenceError, "OpenVINO failed while running the model", [&] {
    request_.start_async();
    const std::stop_callback cancel_on_stop(options.stop, [this] { request_.cancel(); });
    if (options.deadline) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(*options.deadline - std::chrono::steady_clock::now());
      late = !request_.wait_for(std::max(left, std::chrono::milliseconds(0)));
      if (late) request_.cancel();
    }
    request_.wait();  // also after a cancel: the buffers are free only then
  });
  if (late) return {StatusCode::kTimeout, "the deadline passed during the inference"};
  return status;
}

Status OpenVinoContext::collect_outputs() {
  Status shapes;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot read the outputs", [&] {
    for (std::size_t i = 0; i < outputs_.size() && shapes.ok(); ++i) {
      ov::Tensor tensor = request_.get_output_tensor(i);
      const TensorSpec& spec = engine_->outputs()[i];
      const auto shape = from_ov(ov::PartialShape(tensor.get_shape()));
      if (!shape.ok()) {
        shapes = shape.status();
      } else if (!bound_[i].empty() && *shape != bound_[i].shape()) {
        shapes = make_error(StatusCode::kInferenceError, "the run produced shape {}; the bound tensor has {}",
                            shape->to_string(), bound_[i].shape().to_string())
                     .at(spec.name);
      } else {
        outputs_[i] = TensorView(tensor.data(), spec.dtype, *shape);
      }
    }
  }));
  has_results_ = shapes.ok();
  return shapes;
}

Result<TensorView> OpenVinoContext::output(std::size_t index) const {
  TERN_RETURN_IF_ERROR(check_index(index, engine_->outputs(), "output"));
  if (in_flight_ != 0)
    return Status(StatusCode::kInputError, "an inference is in flight on this context; wait for its event first");
  if (!has_results_) return Status(StatusCode::kInputError, "no inference has succeeded on this context yet");
  return outputs_[index];
}

}  // namespace tern::ov_backend
