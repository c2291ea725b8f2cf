// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>

#include "allocator.h"
#include "facts.h"
#include "library.h"
#include "tern/engine.h"

namespace tern::trt_backend {

class TensorRtEngine final : public Engine, public std::enable_shared_from_this<TensorRtEngine> {
 public:
  /// Deserialises on the GPU `device`. EngineGateError when TensorRT refuses the plan or runs it in another precision than the blob says.
  [[nodiscard]] static Result<std::shared_ptr<TensorRtEngine>> create(const Library& library, int device,
                                                                      const EngineBlob& blob,
                                                                      const LoadOptions& options);
  explicit TensorRtEngine(int device) : device_(device), allocator_(device) {}
  ~TensorRtEngine() override;

  [[nodiscard]] std::string_view backend() const noexcept override { return "tensorrt"; }
  [[nodiscard]] std::string_view id() const noexcept override { return id_; }
  [[nodiscard]] Precision precision() const noexcept override { return precision_; }
  /// The thread that enqueues.
  [[nodiscard]] int threads() const noexcept override { return 1; }
  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override { return facts_.inputs; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override { return facts_.outputs; }
  [[nodiscard]] EngineMemory memory() const noexcept override;
  [[nodiscard]] Result<std::unique_ptr<ExecutionContext>> create_context() override;
  [[nodiscard]] Result<std::unique_ptr<Stream>> create_stream() override;
  [[nodiscard]] Result<std::unique_ptr<Event>> create_event() override;
  [[nodiscard]] Result<std::unique_ptr<FramePath>> create_frame_path(const Contract& contract,
                                                                     const FramePathOptions& options) override;

  [[nodiscard]] int device() const noexcept { return device_; }
  [[nodiscard]] const EngineFacts& facts() const noexcept { return facts_; }
  [[nodiscard]] const LoadOptions& options() const noexcept { return options_; }
  /// A context of TensorRT without activation memory, on the current device; null when TensorRT refuses. Thread-safe.
  [[nodiscard]] std::unique_ptr<nvinfer1::IExecutionContext> make_trt_context() const;

 private:
  // In the order in which they must die, last first.
  int device_;
  CountingAllocator allocator_;
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  mutable std::mutex contexts_;  // TensorRT makes one context at a time
  EngineFacts facts_;
  LoadOptions options_;
  std::string id_;
  Precision precision_ = Precision::kF32;
};

}  // namespace tern::trt_backend
