// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "ports.h"

#include "base/error.h"
#include "tern/dev/backend.h"

namespace tern::trt_backend {
namespace {

cudaPointerAttributes attributes_of(const void* address) noexcept {
  cudaPointerAttributes attributes{};
  if (cudaPointerGetAttributes(&attributes, address) != cudaSuccess) {
    cudaGetLastError();
    return {};
  }
  return attributes;
}

}  // namespace

Place place_of(const TensorView& tensor) noexcept {
  if (tensor.device().kind == DeviceKind::kCuda) return Place::kDevice;
  return is_pinned(tensor.data()) ? Place::kPinned : Place::kPageable;
}

bool is_pinned(const void* address) noexcept {
  return attributes_of(address).type == cudaMemoryTypeHost;
}

bool is_on_device(const void* address, int device) noexcept {
  const cudaPointerAttributes memory = attributes_of(address);
  return memory.type == cudaMemoryTypeManaged || (memory.type == cudaMemoryTypeDevice && memory.device == device);
}

Status check_view(const TensorView& tensor, const TensorSpec& spec, int device) {
  TERN_RETURN_IF_ERROR(dev::check_tensor(tensor, spec));
  if (tensor.device().kind != DeviceKind::kCuda) return {};
  const bool is_there = is_on_device(tensor.data(), tensor.device().index);
  if (tensor.device().index == device && is_there) {
    constexpr std::uintptr_t kAlignment = 256;  // TensorRT's demand
    if (reinterpret_cast<std::uintptr_t>(tensor.data()) % kAlignment == 0) return {};
    return make_error(StatusCode::kInputError, "the tensor's address on the GPU is not a multiple of {}", kAlignment)
        .at(spec.name)
        .with_hint("give it memory of its own");
  }
  return make_error(StatusCode::kInputError, "the tensor is said to be on {}{}; this engine runs on cuda:{}",
                    tensor.device().to_string(), is_there ? "" : ", but its memory is not", device)
      .at(spec.name);
}

Status check_index(std::size_t index, const std::vector<TensorSpec>& specs, std::string_view what) {
  if (index < specs.size()) return {};
  return make_error(StatusCode::kInputError, "{} {} does not exist; the engine has {}", what, index, specs.size());
}

void* OutputMemory::reallocateOutput(const char* /*name*/, void* /*current*/, std::uint64_t size,
                                     std::uint64_t /*alignment*/) noexcept {
  try {
    memory_.reserve(size);
    return memory_.data();
  } catch (...) {
    return nullptr;  // TensorRT reports it
  }
}

void* OutputMemory::reallocateOutputAsync(const char* name, void* current, std::uint64_t size, std::uint64_t alignment,
                                          cudaStream_t /*stream*/) {
  return reallocateOutput(name, current, size, alignment);
}

}  // namespace tern::trt_backend
