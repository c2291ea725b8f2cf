// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openvino/runtime/compiled_model.hpp>

#include "tern/engine.h"

namespace tern::ov_backend {

/// Inputs, outputs and the bytes they take where their shapes are known.
[[nodiscard]] Status describe(const ov::CompiledModel& compiled, EngineBlob& blob);

class OpenVinoEngine final : public Engine, public std::enable_shared_from_this<OpenVinoEngine> {
 public:
  /// `blob` is what the engine was imported from: OpenVINO may keep pointing into it, so its owner is kept.
  [[nodiscard]] static Result<std::shared_ptr<Engine>> create(ov::CompiledModel compiled, const EngineBlob& blob,
                                                              Precision precision);

  [[nodiscard]] std::string_view backend() const noexcept override { return "openvino"; }
  [[nodiscard]] std::string_view id() const noexcept override { return id_; }
  [[nodiscard]] Precision precision() const noexcept override { return precision_; }
  [[nodiscard]] int threads() const noexcept override { return threads_; }
  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override { return outputs_; }
  [[nodiscard]] EngineMemory memory() const noexcept override;
  [[nodiscard]] Result<std::unique_ptr<ExecutionContext>> create_context() override;
  [[nodiscard]] Result<std::unique_ptr<Stream>> create_stream() override;
  [[nodiscard]] Result<std::unique_ptr<Event>> create_event() override;

  /// Exact bounds of input `index`, tighter than its spec where a profile limits a dimension.
  [[nodiscard]] const ov::PartialShape& input_bounds(std::size_t index) const {
    return compiled_.input(index).get_partial_shape();
  }

 private:
  std::shared_ptr<const void> blob_owner_;  // before compiled_: it must die last
  std::size_t blob_bytes_ = 0;
  ov::CompiledModel compiled_;
  std::string id_;
  Precision precision_ = Precision::kF32;
  int threads_ = 0;
  std::vector<TensorSpec> inputs_, outputs_;
  std::size_t context_bytes_ = 0;
};

}  // namespace tern::ov_backend
