// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInferRuntime.h>
#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>

#include "cuda/handles.h"

namespace tern::trt_backend {

/// GPU memory for one engine and its contexts, counted. Must outlive the runtime that it is given to. Thread-safe.
class CountingAllocator final : public nvinfer1::IGpuAllocator {
 public:
  explicit CountingAllocator(int device) : device_(device) {}

  void* allocate(std::uint64_t size, std::uint64_t alignment, nvinfer1::AllocatorFlags flags) noexcept override;
  bool deallocate(void* memory) noexcept override;

  /// What is allocated now.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  int device_;
  std::atomic<std::size_t> bytes_{0};
  std::mutex mutex_;
  std::map<void*, cuda::DeviceBuffer> blocks_;
};

/// Memory that grows and never shrinks. `Buffer` is DeviceBuffer or PinnedBuffer.
template <typename Buffer>
class Growing {
 public:
  /// Whether the memory moved. Throws CudaError; what was there stays then.
  bool reserve(std::size_t bytes) {
    // TensorRT wants an address for tensors without elements too.
    constexpr std::size_t kLeast = 256;
    bytes = bytes < kLeast ? kLeast : bytes;
    if (buffer_ && buffer_->bytes() >= bytes) return false;
    buffer_.emplace(Buffer(bytes));
    return true;
  }
  /// Null before the first reserve().
  [[nodiscard]] void* data() const noexcept { return buffer_ ? buffer_->data() : nullptr; }
  [[nodiscard]] std::size_t bytes() const noexcept { return buffer_ ? buffer_->bytes() : 0; }

 private:
  std::optional<Buffer> buffer_;
};

}  // namespace tern::trt_backend
