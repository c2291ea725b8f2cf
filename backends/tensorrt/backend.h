// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "builder.h"
#include "tern/engine.h"

namespace tern::trt_backend {

/// TensorRT on the GPUs that CUDA_VISIBLE_DEVICES leaves; the first where nothing else is asked for.
class TensorRtBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "tensorrt"; }
  /// 90, and one more for each newer major version, so that the newest that works is taken.
  [[nodiscard]] BackendScore score() const override;
  [[nodiscard]] HostFacts host_facts() const override { return host_facts_on({}); }
  [[nodiscard]] HostFacts host_facts_on(const std::optional<Device>& device) const override;
  [[nodiscard]] Result<EngineBlob> compile(const Model& model, const BuildConfig& config, const Progress& progress,
                                           std::stop_token stop) override;
  [[nodiscard]] Result<std::shared_ptr<Engine>> load(const EngineBlob& blob, const LoadOptions& options) override;

 private:
  /// BackendError with the driver's reason when there is no GPU, ConfigError when there is none of this number.
  [[nodiscard]] static Result<Gpu> gpu(const std::optional<Device>& device);
};

}  // namespace tern::trt_backend
