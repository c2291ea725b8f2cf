// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/handles.h"
#include "tern/engine.h"

namespace tern::trt_backend {

/// Waits for `event` within the limits of `options`: Timeout or Cancelled when one ends the wait first (the GPU goes on), InferenceError
/// when the GPU failed. Returns at once when the event has passed, whatever the limits say.
[[nodiscard]] Status wait_for(const cuda::Event& event, const WaitOptions& options);
/// Whether `event` has passed, well or not.
[[nodiscard]] bool has_passed(const cuda::Event& event) noexcept;

/// A CUDA stream that does not wait for the default stream.
class CudaStream final : public Stream {
 public:
  explicit CudaStream(int device) : device_(device) {}
  [[nodiscard]] Status synchronize() override;
  [[nodiscard]] void* native_handle() const noexcept override { return stream_.get(); }
  [[nodiscard]] cudaStream_t get() const noexcept { return stream_.get(); }
  [[nodiscard]] int device() const noexcept { return device_; }

 private:
  int device_;
  cuda::Stream stream_;
};

class CudaEvent final : public Event {
 public:
  [[nodiscard]] bool done() const noexcept override { return has_passed(event_); }
  [[nodiscard]] Status wait(const WaitOptions& options) override { return wait_for(event_, options); }
  void record(cudaStream_t stream) const { event_.record(stream); }

 private:
  cuda::Event event_{cudaEventDisableTiming};
};

}  // namespace tern::trt_backend
