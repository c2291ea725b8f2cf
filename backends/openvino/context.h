// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <openvino/runtime/infer_request.hpp>

#include "engine.h"
#include "tern/engine.h"

namespace tern::ov_backend {

class OpenVinoContext final : public ExecutionContext {
 public:
  OpenVinoContext(std::shared_ptr<const OpenVinoEngine> engine, ov::InferRequest request);
  ~OpenVinoContext() override;  // waits for work that is still in flight

  [[nodiscard]] Status bind_input(std::size_t index, const TensorView& tensor) override;
  [[nodiscard]] Status bind_output(std::size_t index, const TensorView& tensor) override;
  [[nodiscard]] Status enqueue(Stream& stream, Event& event) override;
  [[nodiscard]] Status infer(const WaitOptions& options) override;
  [[nodiscard]] Result<TensorView> output(std::size_t index) const override;

 private:
  [[nodiscard]] Status check_ready() const;
  [[nodiscard]] Status run(const WaitOptions& options);
  [[nodiscard]] Status run_interruptible(const WaitOptions& options);
  [[nodiscard]] Status collect_outputs();

  std::shared_ptr<const OpenVinoEngine> engine_;
  ov::InferRequest request_;
  std::vector<ov::Tensor> own_outputs_;  // where outputs go when the caller binds nothing
  std::vector<TensorView> inputs_, bound_, outputs_;
  std::atomic<int> in_flight_{0};
  bool has_results_ = false;
};

}  // namespace tern::ov_backend
