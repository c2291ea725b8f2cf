// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "cuda/device.h"
#include "cuda/failure.h"
#include "cuda/frame_memory.h"
#include "tern/version.h"

namespace {

using namespace tern;

std::int32_t versions(dev::CudaVersionNumbers* numbers, dev::CudaFailure* failure) noexcept {
  return cuda::guard(*failure, [&] { *numbers = cuda::versions(); });
}

std::int32_t device_count(std::int32_t* count, dev::CudaFailure* failure) noexcept {
  return cuda::guard(*failure, [&] { *count = cuda::device_count(); });
}

std::int32_t device_facts(std::int32_t device, dev::CudaDeviceFacts* facts, dev::CudaFailure* failure) noexcept {
  return cuda::guard(*failure, [&] { *facts = cuda::device_facts(device); });
}

std::int32_t device_memory(std::int32_t device, dev::CudaMemory* memory, dev::CudaFailure* failure) noexcept {
  return cuda::guard(*failure, [&] { *memory = cuda::device_memory(device); });
}

std::int32_t self_test(std::int32_t device, std::uint64_t bytes, dev::CudaSelfTest* result,
                       dev::CudaFailure* failure) noexcept {
  return cuda::guard(*failure, [&] { *result = cuda::self_test(device, bytes); });
}

std::int32_t frame_create(std::int32_t device, void** frame, dev::CudaFailure* failure) noexcept {
  return cuda::guard(*failure, [&] { *frame = new cuda::FrameMemory(device); });
}

std::int32_t frame_upload(void* frame, dev::CudaPlane* planes, std::int32_t count, dev::CudaFailure* failure) noexcept {
  return cuda::guard(*failure, [&] {
    static_cast<cuda::FrameMemory*>(frame)->upload({planes, static_cast<std::size_t>(count)});
  });
}

void frame_destroy(void* frame) noexcept {
  delete static_cast<cuda::FrameMemory*>(frame);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const tern::dev::CudaPlugin* tern_cuda_v1() noexcept {
  static constexpr dev::CudaPlugin kPlugin{.abi = dev::kCudaAbi,
                                           .tern_version = TERN_VERSION_STRING,
                                           .compiler = TERN_COMPILER_TAG,
                                           .versions = versions,
                                           .device_count = device_count,
                                           .device_facts = device_facts,
                                           .memory = device_memory,
                                           .self_test = self_test,
                                           .frame_create = frame_create,
                                           .frame_upload = frame_upload,
                                           .frame_destroy = frame_destroy};
  return &kPlugin;
}
