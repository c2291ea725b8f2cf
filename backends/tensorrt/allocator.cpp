// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "allocator.h"

#include <cstdint>

namespace tern::trt_backend {

void* CountingAllocator::allocate(std::uint64_t size, std::uint64_t alignment,
                                  nvinfer1::AllocatorFlags /*flags*/) noexcept {
  if (size == 0) return nullptr;
  try {
    const cuda::DeviceGuard guard(device_);
    cuda::DeviceBuffer block(size);
    void* const address = block.data();
    if (alignment > 1 && reinterpret_cast<std::uintptr_t>(address) % alignment != 0) return nullptr;
    const std::lock_guard lock(mutex_);
    blocks_.emplace(address, std::move(block));
    bytes_ += size;
    return address;
  } catch (...) {
    return nullptr;  // TensorRT reports it
  }
}

bool CountingAllocator::deallocate(void* memory) noexcept {
  if (memory == nullptr) return true;
  const std::lock_guard lock(mutex_);
  const auto block = blocks_.find(memory);
  if (block == blocks_.end()) return false;
  bytes_ -= block->second.bytes();
  blocks_.erase(block);
  return true;
}

}  // namespace tern::trt_backend
