// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "tern/engine.h"

namespace tern::test {

/// What happens to the outputs of a real engine, by their index, before anybody sees them. A failure is the run's.
using Disturbance = std::function<Status(std::size_t output, Tensor& tensor)>;

/// A context that runs a real one and then disturbs a copy of its outputs.
class DisturbedContext final : public ExecutionContext {
 public:
  DisturbedContext(std::unique_ptr<ExecutionContext> real, std::size_t outputs, Disturbance disturb)
      : real_(std::move(real)), outputs_(outputs), disturb_(std::move(disturb)) {}
  Status bind_input(std::size_t index, const TensorView& tensor) override { return real_->bind_input(index, tensor); }
  Status bind_output(std::size_t index, const TensorView& tensor) override { return real_->bind_output(index, tensor); }
  Status enqueue(Stream& stream, Event& event) override { return real_->enqueue(stream, event); }
  Status infer(const WaitOptions& options) override {
    TERN_RETURN_IF_ERROR(real_->infer(options));
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      TERN_ASSIGN_OR_RETURN(const TensorView view, real_->output(i));
      TERN_ASSIGN_OR_RETURN(outputs_[i], Tensor::copy_of(view));
      TERN_RETURN_IF_ERROR(disturb_(i, outputs_[i]));
    }
    return {};
  }
  Result<TensorView> output(std::size_t index) const override { return outputs_[index].view(); }

 private:
  std::unique_ptr<ExecutionContext> real_;
  std::vector<Tensor> outputs_;
  Disturbance disturb_;
};

/// A real engine whose outputs are disturbed.
class DisturbedEngine final : public Engine {
 public:
  DisturbedEngine(std::shared_ptr<Engine> real, Disturbance disturb)
      : real_(std::move(real)), disturb_(std::move(disturb)) {}
  std::string_view backend() const noexcept override { return real_->backend(); }
  std::string_view id() const noexcept override { return real_->id(); }
  Precision precision() const noexcept override { return real_->precision(); }
  int threads() const noexcept override { return real_->threads(); }
  const std::vector<TensorSpec>& inputs() const noexcept override { return real_->inputs(); }
  const std::vector<TensorSpec>& outputs() const noexcept override { return real_->outputs(); }
  EngineMemory memory() const noexcept override { return real_->memory(); }
  Result<std::unique_ptr<Stream>> create_stream() override { return real_->create_stream(); }
  Result<std::unique_ptr<Event>> create_event() override { return real_->create_event(); }
  Result<std::unique_ptr<ExecutionContext>> create_context() override {
    TERN_ASSIGN_OR_RETURN(std::unique_ptr<ExecutionContext> context, real_->create_context());
    return std::unique_ptr<ExecutionContext>(
        std::make_unique<DisturbedContext>(std::move(context), real_->outputs().size(), disturb_));
  }

 private:
  std::shared_ptr<Engine> real_;
  Disturbance disturb_;
};

}  // namespace tern::test
