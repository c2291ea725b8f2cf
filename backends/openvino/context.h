// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include <openvino/runtime/infer_request.hpp>

#include "engine.h"
#include "tern/dev/host_context.h"

namespace tern::ov_backend {

class OpenVinoContext final : public dev::HostContext {
 public:
  OpenVinoContext(std::shared_ptr<const OpenVinoEngine> engine, ov::InferRequest request);
  ~OpenVinoContext() override;  // waits for work that is still in flight

 private:
  [[nodiscard]] Status set_input(std::size_t index, const TensorView& tensor) override;
  [[nodiscard]] Status set_output(std::size_t index, const TensorView& tensor) override;
  [[nodiscard]] Status run(const WaitOptions& options) override;
  [[nodiscard]] Result<TensorView> read_output(std::size_t index) override;
  [[nodiscard]] Status run_interruptible(const WaitOptions& options);

  std::shared_ptr<const OpenVinoEngine> engine_;
  ov::InferRequest request_;
  std::vector<ov::Tensor> own_outputs_;  // where outputs go when the caller binds nothing
};

}  // namespace tern::ov_backend
