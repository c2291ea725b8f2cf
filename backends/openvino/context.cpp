// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "context.h"

#include "convert.h"
#include "guard.h"

namespace tern::ov_backend {

OpenVinoContext::OpenVinoContext(std::shared_ptr<const OpenVinoEngine> engine, ov::InferRequest request)
    : HostContext(engine), engine_(std::move(engine)), request_(std::move(request)) {
  for (std::size_t i = 0; i < engine_->outputs().size(); ++i)
    own_outputs_.push_back(request_.get_output_tensor(i));
}

OpenVinoContext::~OpenVinoContext() {
  wait_until_idle();
}

Status OpenVinoContext::set_input(std::size_t index, const TensorView& tensor) {
  if (!engine_->input_bounds(index).compatible(ov::PartialShape(to_ov(tensor.shape())))) {
    return make_error(StatusCode::kInputError, "the tensor has shape {}; this engine was built for {}",
                      tensor.shape().to_string(), engine_->input_bounds(index).to_string())
        .with_hint("build it with a shape profile or max_batch that covers this shape");
  }
  return guard(StatusCode::kInputError, "OpenVINO refuses the input", [&] {
    request_.set_input_tensor(index, ov::Tensor(to_ov(tensor.dtype()), to_ov(tensor.shape()), tensor.data()));
  });
}

Status OpenVinoContext::set_output(std::size_t index, const TensorView& tensor) {
  return guard(StatusCode::kInputError, "OpenVINO refuses the output", [&] {
    request_.set_output_tensor(index, tensor.empty()
                                          ? own_outputs_[index]
                                          : ov::Tensor(to_ov(tensor.dtype()), to_ov(tensor.shape()), tensor.data()));
  });
}

Status OpenVinoContext::run(const WaitOptions& options) {
  if (options.deadline || options.stop.stop_possible()) return run_interruptible(options);
  return guard(StatusCode::kInferenceError, "OpenVINO failed while running the model", [&] { request_.infer(); });
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

Result<TensorView> OpenVinoContext::read_output(std::size_t index) {
  TensorView found;
  Status inner;
  TERN_RETURN_IF_ERROR(guard(StatusCode::kInferenceError, "cannot read the output", [&] {
    ov::Tensor tensor = request_.get_output_tensor(index);
    const auto shape = from_ov(ov::PartialShape(tensor.get_shape()));
    inner = shape.status();
    if (shape.ok()) found = TensorView(tensor.data(), engine_->outputs()[index].dtype, *shape);
  }));
  TERN_RETURN_IF_ERROR(inner);
  return found;
}

}  // namespace tern::ov_backend
