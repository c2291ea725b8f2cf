// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "builder.h"
#include "tern/engine.h"

namespace tern::trt_backend {

/// TensorRT on the first GPU that CUDA_VISIBLE_DEVICES leaves.
class TensorRtBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "tensorrt"; }
  /// 90, and one more for each newer major version, so that the newest that works is taken.
  [[nodiscard]] BackendScore score() const override;
  [[nodiscard]] HostFacts host_facts() const override;
  [[nodiscard]] Result<EngineBlob> compile(const Model& model, const BuildConfig& config, const Progress& progress,
                                           std::stop_token stop) override;
  [[nodiscard]] Result<std::shared_ptr<Engine>> load(const EngineBlob& blob, const LoadOptions& options) override;

 private:
  static constexpr int kDevice = 0;
  /// BackendError with the driver's reason when there is none.
  [[nodiscard]] static Result<Gpu> gpu();
};

}  // namespace tern::trt_backend
