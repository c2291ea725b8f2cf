// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInferRuntime.h>
#include <span>

#include "allocator.h"
#include "tern/engine.h"

namespace tern::trt_backend {

/// Where a caller's tensor lies, which decides how its bytes reach the GPU.
enum class Place : std::uint8_t {
  kNone,      ///< nothing bound: the context's own pinned memory
  kPageable,  ///< copied by the CPU to or from the context's pinned memory
  kPinned,    ///< the GPU's copy engines reach it
  kDevice,    ///< used as it is
};

/// InputError when `tensor` cannot stand where `spec` is declared, is not where it says, or is on the GPU at an address that is no
/// multiple of 256.
[[nodiscard]] Status check_view(const TensorView& tensor, const TensorSpec& spec, int device);
[[nodiscard]] Place place_of(const TensorView& tensor) noexcept;
/// Whether host memory can be reached by the GPU's copy engines.
[[nodiscard]] bool is_pinned(const void* address) noexcept;
/// Whether kernels on `device` can read this memory as their own.
[[nodiscard]] bool is_on_device(const void* address, int device) noexcept;
[[nodiscard]] Status check_index(std::size_t index, const std::vector<TensorSpec>& specs, std::string_view what);

/// An input or output of a context: the caller's memory, and the context's own beside it.
class Port {
 public:
  void bind(const TensorView& tensor) {
    bound_ = tensor;
    place_ = tensor.empty() ? Place::kNone : place_of(tensor);
  }
  [[nodiscard]] const TensorView& bound() const noexcept { return bound_; }
  [[nodiscard]] Place place() const noexcept { return place_; }

  /// Memory for `bytes` on both sides, as far as this port needs its own. Whether any of it moved.
  bool reserve(std::size_t bytes) {
    const bool host = reserve_host(bytes), device = reserve_device(bytes);
    return host || device;
  }
  bool reserve_host(std::size_t bytes) {
    return (place_ == Place::kNone || place_ == Place::kPageable) && host_.reserve(bytes);
  }
  bool reserve_device(std::size_t bytes) { return place_ != Place::kDevice && device_.reserve(bytes); }

  [[nodiscard]] void* device_address() const noexcept {
    return place_ == Place::kDevice ? bound_.data() : device_.data();
  }
  /// What the copy engines read or write; null for kDevice.
  [[nodiscard]] void* host_address() const noexcept {
    return place_ == Place::kDevice ? nullptr : place_ == Place::kPinned ? bound_.data() : host_.data();
  }

 private:
  TensorView bound_;
  Place place_ = Place::kNone;
  Growing<cuda::DeviceBuffer> device_;
  Growing<cuda::PinnedBuffer> host_;
};

/// Memory for an output whose shape depends on the data: TensorRT asks for it while it runs.
class OutputMemory final : public nvinfer1::IOutputAllocator {
 public:
  void* reallocateOutput(const char* name, void* current, std::uint64_t size,
                         std::uint64_t alignment) noexcept override;
  void* reallocateOutputAsync(const char* name, void* current, std::uint64_t size, std::uint64_t alignment,
                              cudaStream_t stream) override;
  void notifyShape(const char* /*name*/, const nvinfer1::Dims& dims) noexcept override { dims_ = dims; }

  void reserve(std::size_t bytes) { memory_.reserve(bytes); }
  [[nodiscard]] void* data() const noexcept { return memory_.data(); }
  /// Of the last run; nbDims is -1 before it.
  [[nodiscard]] const nvinfer1::Dims& dims() const noexcept { return dims_; }
  void forget_shape() noexcept { dims_.nbDims = -1; }

 private:
  Growing<cuda::DeviceBuffer> memory_;
  nvinfer1::Dims dims_{-1, {}};
};

}  // namespace tern::trt_backend
