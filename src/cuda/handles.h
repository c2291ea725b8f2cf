// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>

#include "cuda/failure.h"

namespace tern::cuda {

/// Owners of CUDA objects: move-only, made by the constructor (which throws CudaError), freed by the destructor (which
/// counts a failure, see failed_releases()). Every object belongs to the device that is current when it is made.

namespace detail {

/// `Release` frees a `Handle`; a null one is none.
template <typename Handle, auto Release>
class Owner {
 public:
  Owner(Owner&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owner& operator=(Owner&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

 protected:
  Owner() = default;
  ~Owner() {
    if (handle_ != nullptr) note(Release(handle_));
  }
  Handle handle_ = nullptr;
};

inline cudaError_t free_device(void* memory) noexcept {
  return cudaFree(memory);
}

}  // namespace detail

/// Makes `device` current in this thread, and puts back what was before.
class DeviceGuard {
 public:
  explicit DeviceGuard(int device) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    check(cudaSetDevice(device), "cudaSetDevice");
  }
  ~DeviceGuard() { note(cudaSetDevice(before_)); }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  int before_ = 0;
};

/// A stream that does not wait for the default stream.
class Stream : public detail::Owner<cudaStream_t, cudaStreamDestroy> {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags"); }
  [[nodiscard]] cudaStream_t get() const noexcept { return handle_; }
  void synchronize() const { check(cudaStreamSynchronize(handle_), "cudaStreamSynchronize"); }
};

/// A point in a stream, with its time unless `flags` say cudaEventDisableTiming.
class Event : public detail::Owner<cudaEvent_t, cudaEventDestroy> {
 public:
  explicit Event(unsigned flags = cudaEventDefault) {
    check(cudaEventCreateWithFlags(&handle_, flags), "cudaEventCreateWithFlags");
  }
  [[nodiscard]] cudaEvent_t get() const noexcept { return handle_; }
  void record(cudaStream_t stream) const { check(cudaEventRecord(handle_, stream), "cudaEventRecord"); }
  void record(const Stream& stream) const { record(stream.get()); }
  /// From this point to `end`; both have passed.
  [[nodiscard]] double milliseconds_until(const Event& end) const {
    float ms = 0;
    check(cudaEventElapsedTime(&ms, handle_, end.handle_), "cudaEventElapsedTime");
    return static_cast<double>(ms);
  }
};

/// Takes over a graph, null included.
class Graph : public detail::Owner<cudaGraph_t, cudaGraphDestroy> {
 public:
  explicit Graph(cudaGraph_t graph) noexcept { handle_ = graph; }
  [[nodiscard]] cudaGraph_t get() const noexcept { return handle_; }
};

/// A graph made ready to run.
class GraphExec : public detail::Owner<cudaGraphExec_t, cudaGraphExecDestroy> {
 public:
  explicit GraphExec(const Graph& graph) {
    check(cudaGraphInstantiate(&handle_, graph.get(), 0), "cudaGraphInstantiate");
  }
  void launch(cudaStream_t stream) const { check(cudaGraphLaunch(handle_, stream), "cudaGraphLaunch"); }
};

/// Memory on the GPU.
class DeviceBuffer : public detail::Owner<void*, detail::free_device> {
 public:
  explicit DeviceBuffer(std::size_t bytes) : bytes_(bytes) { check(cudaMalloc(&handle_, bytes), "cudaMalloc"); }
  [[nodiscard]] void* data() const noexcept { return handle_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t bytes_;
};

/// Host memory that the GPU's copy engines reach by themselves.
class PinnedBuffer : public detail::Owner<void*, cudaFreeHost> {
 public:
  explicit PinnedBuffer(std::size_t bytes) : bytes_(bytes) { check(cudaMallocHost(&handle_, bytes), "cudaMallocHost"); }
  [[nodiscard]] void* data() const noexcept { return handle_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t bytes_;
};

}  // namespace tern::cuda
