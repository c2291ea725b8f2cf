// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api.h"
#include "tern/dev/cpu_build.h"
#include "tern/engine.h"

namespace tern::ort_backend {

class OnnxRuntimeEngine final : public Engine, public std::enable_shared_from_this<OnnxRuntimeEngine> {
 public:
  struct Parts {
    mutable Ort::Session session{nullptr};  ///< Run() may be called from any thread, though it is not const
    std::string label, id;
    Precision precision = Precision::kF32;
    int threads = 0;
    std::size_t blob_bytes = 0;
    std::vector<TensorSpec> inputs, outputs;
    std::vector<dev::ShapeRange> ranges;  ///< of the inputs
    std::shared_ptr<Logger> logger;
  };
  explicit OnnxRuntimeEngine(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::string_view backend() const noexcept override { return parts_.label; }
  [[nodiscard]] std::string_view id() const noexcept override { return parts_.id; }
  [[nodiscard]] Precision precision() const noexcept override { return parts_.precision; }
  [[nodiscard]] int threads() const noexcept override { return parts_.threads; }
  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override { return parts_.inputs; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override { return parts_.outputs; }
  [[nodiscard]] EngineMemory memory() const noexcept override;
  [[nodiscard]] Result<std::unique_ptr<ExecutionContext>> create_context() override;
  [[nodiscard]] Result<std::unique_ptr<Stream>> create_stream() override;
  [[nodiscard]] Result<std::unique_ptr<Event>> create_event() override;

  [[nodiscard]] Ort::Session& session() const noexcept { return parts_.session; }
  [[nodiscard]] const dev::ShapeRange& range(std::size_t input) const { return parts_.ranges[input]; }
  [[nodiscard]] const std::shared_ptr<Logger>& logger() const noexcept { return parts_.logger; }

 private:
  Parts parts_;
};

/// Bytes of the inputs and outputs of one context at their largest; 0 where they have no limit.
[[nodiscard]] std::uint64_t port_bytes(const std::vector<TensorSpec>& inputs, const std::vector<TensorSpec>& outputs,
                                       const std::vector<dev::ShapeRange>& ranges);

}  // namespace tern::ort_backend
