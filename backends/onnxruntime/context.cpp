// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "context.h"

#include "convert.h"
#include "guard.h"

namespace tern::ort_backend {

Result<std::unique_ptr<ExecutionContext>> OnnxRuntimeContext::create(std::shared_ptr<const OnnxRuntimeEngine> engine) {
  LogRing log(engine->logger());
  std::unique_ptr<OnnxRuntimeContext> context;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot create an execution context", log,
                             [&] { context = std::make_unique<OnnxRuntimeContext>(engine); }));
  for (std::size_t i = 0; i < engine->outputs().size(); ++i) {
    const TensorSpec& spec = engine->outputs()[i];
    if (spec.shape.is_static()) {
      TERN_ASSIGN_OR_RETURN(context->own_outputs_[i], Tensor::create(spec.dtype, spec.shape));
    }
    TERN_RETURN_IF_ERROR(context->set_output(i, {}).at(spec.name));
  }
  return std::unique_ptr<ExecutionContext>(std::move(context));
}

OnnxRuntimeContext::OnnxRuntimeContext(std::shared_ptr<const OnnxRuntimeEngine> engine)
    : HostContext(engine),
      engine_(std::move(engine)),
      log_(engine_->logger()),
      binding_(engine_->session()),
      targets_(engine_->outputs().size()),
      own_outputs_(engine_->outputs().size()) {}

OnnxRuntimeContext::~OnnxRuntimeContext() {
  wait_until_idle();
}

Status OnnxRuntimeContext::set_input(std::size_t index, const TensorView& tensor) {
  if (!engine_->range(index).holds(tensor.shape())) {
    return make_error(StatusCode::kInputError, "the tensor has shape {}; this engine was built for {}",
                      tensor.shape().to_string(), engine_->range(index).to_string())
        .with_hint("build it with a shape profile or max_batch that covers this shape");
  }
  return guard(StatusCode::kInputError, "ONNX Runtime refuses the input", log_,
               [&] { binding_.BindInput(engine_->inputs()[index].name.c_str(), to_ort(tensor)); });
}

Status OnnxRuntimeContext::set_output(std::size_t index, const TensorView& tensor) {
  const TensorView target = tensor.empty() ? own_outputs_[index].view() : tensor;
  const char* name = engine_->outputs()[index].name.c_str();
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInputError, "ONNX Runtime refuses the output", log_, [&] {
    if (target.empty()) {
      binding_.BindOutput(name, cpu_memory());
    } else {
      binding_.BindOutput(name, to_ort(target));
    }
  }));
  targets_[index] = target;
  return {};
}

Status OnnxRuntimeContext::run_to_end() noexcept {
  return guard(StatusCode::kInferenceError, "ONNX Runtime failed while running the model", log_, [&] {
    results_.clear();
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      // Otherwise the last run's tensor stands there still, and another shape would not go into it.
      if (targets_[i].empty()) binding_.BindOutput(engine_->outputs()[i].name.c_str(), cpu_memory());
    }
    engine_->session().Run(run_options_, binding_);
    results_ = binding_.GetOutputValues();
  });
}

Status OnnxRuntimeContext::run(const WaitOptions& options) {
  if (!options.deadline && !options.stop.stop_possible()) return run_to_end();
  if (helper_ == nullptr) {
    TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot start a thread", log_,
                               [&] { helper_ = std::make_unique<Helper>(); }));
  }
  const auto job = [](void* self) noexcept -> Status { return static_cast<OnnxRuntimeContext*>(self)->run_to_end(); };
  TERN_RETURN_IF_ERROR(helper_->stream.enqueue(job, this, helper_->event));
  const Status outcome = helper_->event.wait(options);
  const bool is_late = outcome.code() == StatusCode::kTimeout;
  if (!is_late && outcome.code() != StatusCode::kCancelled) return outcome;
  // Ends the run before its next node; the buffers are free only then.
  const Status told =
      guard(StatusCode::kInferenceError, "cannot end the inference", log_, [&] { run_options_.SetTerminate(); });
  const Status ended = helper_->event.wait({});
  const Status ready =
      guard(StatusCode::kInferenceError, "cannot use the context again", log_, [&] { run_options_.UnsetTerminate(); });
  TERN_RETURN_IF_ERROR(told);
  TERN_RETURN_IF_ERROR(ready);
  return is_late ? Status(StatusCode::kTimeout, "the deadline passed during the inference")
                 : Status(StatusCode::kCancelled, "the inference was cancelled");
}

Result<TensorView> OnnxRuntimeContext::read_output(std::size_t index) {
  const TensorSpec& spec = engine_->outputs()[index];
  TensorView found;
  Status inner;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot read the output", log_, [&] {
    Ort::Value& value = results_.at(index);
    const auto shape = Shape::from(value.GetTensorTypeAndShapeInfo().GetShape());
    inner = shape.status();
    if (shape.ok()) found = TensorView(value.GetTensorMutableRawData(), spec.dtype, *shape);
  }));
  TERN_RETURN_IF_ERROR(inner);
  const TensorView& target = targets_[index];
  if (!target.empty() && found.data() != target.data())
    return Status(StatusCode::kInferenceError, "ONNX Runtime put the output elsewhere than it was told to");
  return found;
}

}  // namespace tern::ort_backend
