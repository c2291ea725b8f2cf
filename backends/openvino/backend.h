// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openvino/runtime/core.hpp>

#include "tern/engine.h"

namespace tern::ov_backend {

/// OpenVINO's CPU device. Every property that could change results or timing (precision, threads, hint) is set
/// explicitly, since OpenVINO's defaults depend on the CPU (bf16 or f16 on some), and read back after loading.
class OpenVinoBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "openvino"; }
  [[nodiscard]] BackendScore score() const override;
  [[nodiscard]] HostFacts host_facts() const override;
  [[nodiscard]] Result<EngineBlob> compile(const Model& model, const BuildConfig& config, const Progress& progress,
                                           std::stop_token stop) override;
  [[nodiscard]] Result<std::shared_ptr<Engine>> load(const EngineBlob& blob, const LoadOptions& options) override;

 private:
  ov::Core core_;
};

}  // namespace tern::ov_backend
