// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/log_ring.h"
#include "engine.h"
#include "tern/dev/host_context.h"
#include "tern/dev/host_stream.h"

namespace tern::ort_backend {

/// Inputs and outputs stay bound (Ort::IoBinding) from run to run, so that a run with equal bindings builds nothing.
class OnnxRuntimeContext final : public dev::HostContext {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ExecutionContext>> create(
      std::shared_ptr<const OnnxRuntimeEngine> engine);
  explicit OnnxRuntimeContext(std::shared_ptr<const OnnxRuntimeEngine> engine);
  ~OnnxRuntimeContext() override;  // waits for work that is still in flight

 private:
  /// Where runs with a deadline or a stop happen, so that the caller's thread can watch the clock.
  struct Helper {
    dev::HostStream stream;
    dev::HostEvent event;
  };

  [[nodiscard]] Status set_input(std::size_t index, const TensorView& tensor) override;
  [[nodiscard]] Status set_output(std::size_t index, const TensorView& tensor) override;
  [[nodiscard]] Status run(const WaitOptions& options) override;
  [[nodiscard]] Result<TensorView> read_output(std::size_t index) override;
  [[nodiscard]] Status run_to_end() noexcept;

  std::shared_ptr<const OnnxRuntimeEngine> engine_;
  LogRing log_;
  Ort::IoBinding binding_;
  Ort::RunOptions run_options_;
  std::vector<TensorView> targets_;  // where each output is to go; empty: ONNX Runtime allocates it anew in each run
  std::vector<Tensor> own_outputs_;  // of outputs whose shape is known beforehand
  std::vector<Ort::Value> results_;
  std::unique_ptr<Helper> helper_;
};

}  // namespace tern::ort_backend
