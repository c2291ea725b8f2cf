// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "cuda/device.h"

#include <algorithm>
#include <cstring>

#include "cuda/handles.h"

namespace tern::cuda {
namespace {

int attribute(int device, cudaDeviceAttr which) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
  return value;
}

std::uint64_t bytes_attribute(int device, cudaDeviceAttr which) {
  return static_cast<std::uint64_t>(std::max(0, attribute(device, which)));
}

/// Some calls take a wrong index for another error, or for the last device.
void check_index(int device) {
  const int count = device_count();
  if (device < 0 || device >= count) {
    throw CudaError(dev::CudaFailureCode::kNoSuchDevice,
                    "there is no GPU " + std::to_string(device) + "; the last one is " + std::to_string(count - 1));
  }
}

}  // namespace

dev::CudaVersionNumbers versions() {
  dev::CudaVersionNumbers numbers{};
  check(cudaRuntimeGetVersion(&numbers.runtime), "cudaRuntimeGetVersion");
  check(cudaDriverGetVersion(&numbers.driver), "cudaDriverGetVersion");
  if (numbers.driver == 0) throw CudaError(dev::CudaFailureCode::kNoDriver, "there is no CUDA driver (libcuda.so.1)");
  return numbers;
}

std::int32_t device_count() {
  static_cast<void>(versions());  // where there is no driver, it says so in better words
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (count == 0) throw CudaError(dev::CudaFailureCode::kNoDevice, "the CUDA driver sees no GPU");
  return count;
}

dev::CudaDeviceFacts device_facts(int device) {
  check_index(device);
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  dev::CudaDeviceFacts facts{};
  static_assert(sizeof(facts.name) == sizeof(properties.name));
  std::memcpy(facts.name, properties.name, sizeof(facts.name) - 1);
  check(cudaDeviceGetPCIBusId(facts.pci_bus_id, sizeof(facts.pci_bus_id), device), "cudaDeviceGetPCIBusId");
  facts.cc_major = properties.major;
  facts.cc_minor = properties.minor;
  facts.memory_bytes = properties.totalGlobalMem;
  facts.sm_count = attribute(device, cudaDevAttrMultiProcessorCount);
  facts.is_integrated = attribute(device, cudaDevAttrIntegrated) != 0 ? 1 : 0;
  facts.copy_engines = attribute(device, cudaDevAttrAsyncEngineCount);
  facts.l2_bytes = bytes_attribute(device, cudaDevAttrL2CacheSize);
  facts.shared_memory_bytes = bytes_attribute(device, cudaDevAttrMaxSharedMemoryPerBlockOptin);
  return facts;
}

dev::CudaMemory device_memory(int device) {
  check_index(device);
  const DeviceGuard guard(device);
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return {free, total};
}

}  // namespace tern::cuda
