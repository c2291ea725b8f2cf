// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/golden_run.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "model/text.h"

namespace tern {
namespace {

template <typename... Args>
Status misfit(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(StatusCode::kGoldenCheckError, format, std::forward<Args>(args)...)
      .with_hint("the golden frames were made for another engine");
}

/// Whether one row of an input of `spec` has the shape of `tensor`, whose leading dimension is 1.
bool is_one_row(const TensorSpec& spec, const Shape& tensor) noexcept {
  if (spec.shape.rank() == 0 || tensor.rank() == 0 || tensor[0] != 1) return false;
  Shape any_rows = spec.shape;
  any_rows[0] = Shape::kDynamic;
  return any_rows.accepts(tensor);
}

Result<Tensor> repeat(const TensorView& row, std::int64_t rows) {
  Shape shape = row.shape();
  shape[0] = rows;
  TERN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::create(row.dtype(), shape));
  for (std::int64_t i = 0; i < rows && row.bytes() > 0; ++i)
    std::memcpy(tensor.view().rows(i, 1).data(), row.data(), row.bytes());
  return tensor;
}

}  // namespace

Result<GoldenRunner> GoldenRunner::create(Engine& engine) {
  TERN_ASSIGN_OR_RETURN(std::unique_ptr<ExecutionContext> context, engine.create_context());
  return GoldenRunner(engine, std::move(context));
}

Result<std::vector<const Tensor*>> GoldenRunner::find_inputs(const GoldenFrame& frame) const {
  const std::vector<TensorSpec>& specs = engine_->inputs();
  if (frame.inputs.size() != specs.size())
    return misfit("the frame has {} inputs, the engine {}", frame.inputs.size(), specs.size());
  std::vector<const Tensor*> inputs;
  for (const TensorSpec& spec : specs) {
    const auto found = std::ranges::find(frame.inputs, spec.name, &GoldenTensor::name);
    if (found == frame.inputs.end()) return misfit("the frame has no input {}", in_quotes(spec.name));
    const Tensor& tensor = found->tensor;
    if (tensor.dtype() != spec.dtype || !(spec.shape.accepts(tensor.shape()) || is_one_row(spec, tensor.shape()))) {
      return misfit("the frame's input is {} of {}, the engine's {} of {}", to_string(tensor.dtype()),
                    tensor.shape().to_string(), to_string(spec.dtype), spec.shape.to_string())
          .at(in_quotes(spec.name));
    }
    inputs.push_back(&tensor);
  }
  return inputs;
}

Result<std::int64_t> GoldenRunner::row_count(const std::vector<const Tensor*>& inputs, std::int64_t wanted) const {
  std::int64_t fixed = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorSpec& spec = engine_->inputs()[i];
    if (spec.shape.accepts(inputs[i]->shape())) continue;
    if (fixed != 0 && fixed != spec.shape[0])
      return misfit("the engine's inputs have batches of {} and {}", fixed, spec.shape[0]).at(in_quotes(spec.name));
    fixed = spec.shape[0];
  }
  return fixed != 0 ? fixed : wanted;
}

bool GoldenRunner::is_batch_open(const GoldenFrame& frame) const {
  const auto inputs = find_inputs(frame);
  if (!inputs.ok()) return false;
  const auto fixed = row_count(*inputs, 1);
  if (!fixed.ok() || *fixed != 1) return false;
  for (std::size_t i = 0; i < inputs->size(); ++i) {
    const TensorSpec& spec = engine_->inputs()[i];
    if (is_one_row(spec, (*inputs)[i]->shape()) && spec.shape[0] == Shape::kDynamic) return true;
  }
  return false;
}

Result<std::vector<GoldenRunner::Output>> GoldenRunner::run(const GoldenFrame& frame, std::int64_t rows) {
  TERN_ASSIGN_OR_RETURN(const std::vector<const Tensor*> inputs, find_inputs(frame));
  TERN_ASSIGN_OR_RETURN(rows, row_count(inputs, rows));
  std::vector<Tensor> repeated;
  bool is_repeated = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorSpec& spec = engine_->inputs()[i];
    TensorView view = inputs[i]->view();
    if (rows > 1 && is_one_row(spec, view.shape()) && spec.shape[0] != 1) {
      TERN_ASSIGN_OR_RETURN(Tensor tensor, repeat(view, rows));
      view = tensor.view();
      repeated.push_back(std::move(tensor));
      is_repeated = true;
    }
    TERN_RETURN_IF_ERROR(context_->bind_input(i, view));
  }
  repeated_ = std::move(repeated);
  TERN_RETURN_IF_ERROR(context_->infer());
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < engine_->outputs().size(); ++i) {
    TERN_ASSIGN_OR_RETURN(const TensorView view, context_->output(i));
    const std::string& name = engine_->outputs()[i].name;
    if (view.device().kind != DeviceKind::kCpu || !view.is_contiguous())
      return misfit("the output is on {}; it can be checked in host memory only", view.device().to_string()).at(name);
    outputs.push_back({name, view, is_repeated && view.shape().rank() > 0 && view.shape()[0] == rows});
  }
  return outputs;
}

}  // namespace tern
