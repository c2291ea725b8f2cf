// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "provider.h"
#include "tern/engine.h"

namespace tern::ort_backend {

/// ONNX Runtime on one of its execution providers. The engine file is the optimised model as ONNX, with the ranges of its inputs as
/// metadata: it is bound to the exact version, since the operators of the optimiser are ONNX Runtime's own, and to the processor, since
/// the layout of weights is chosen for it.
class OnnxRuntimeBackend final : public Backend {
 public:
  /// REQUIRES: open_library() succeeded.
  explicit OnnxRuntimeBackend(Provider provider) noexcept : provider_(provider) {}

  [[nodiscard]] std::string_view name() const noexcept override { return label_of(provider_); }
  [[nodiscard]] BackendScore score() const override;
  [[nodiscard]] HostFacts host_facts() const override;
  [[nodiscard]] Result<EngineBlob> compile(const Model& model, const BuildConfig& config, const Progress& progress,
                                           std::stop_token stop) override;
  [[nodiscard]] Result<std::shared_ptr<Engine>> load(const EngineBlob& blob, const LoadOptions& options) override;

 private:
  Provider provider_;
};

}  // namespace tern::ort_backend
