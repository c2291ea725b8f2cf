// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tern/runtime.h"

namespace tern {

struct DevicePoolOptions {
  std::vector<Device> devices{};  ///< none: every GPU that the CUDA driver shows
  CompileOptions compile{};
  EngineOptions engine{};  ///< its contexts are those on each GPU
};

/// One model on several GPUs: on each the engine and its contexts. GPUs of one kind share one engine file. Thread-safe; movable.
class TERN_API DevicePool {
 public:
  struct Member {
    Device device;
    InferenceRuntime::Handle handle;
    std::uint64_t runs = 0;  ///< inferences that it has finished, well or not
  };

  /// Opens the model on one GPU after the other. The first failure is returned, with the GPU, and nothing stays loaded.
  /// ConfigError when a GPU is named twice; BackendError when there is none.
  [[nodiscard]] static Result<DevicePool> open(std::shared_ptr<InferenceRuntime> runtime, const Model& model,
                                               const BuildConfig& config, const DevicePoolOptions& options = {});
  DevicePool(DevicePool&&) noexcept;
  DevicePool& operator=(DevicePool&&) noexcept;
  ~DevicePool();  ///< releases the engines

  /// InferenceRuntime::infer() on the GPU with the fewest inferences under way; of equals the one that has waited longest.
  [[nodiscard]] Status infer(std::span<const TensorView> inputs, std::vector<Tensor>& outputs,
                             const WaitOptions& wait = {});
  [[nodiscard]] std::vector<Member> members() const;

 private:
  class Impl;
  explicit DevicePool(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tern
