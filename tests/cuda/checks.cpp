// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <limits>
#include <thread>
#include <vector>

#include "cuda/failure.h"
#include "cuda/handles.h"
#include "tern/version.h"

namespace tern::test {
namespace {

using dev::CudaFailure;
using dev::CudaFailureCode;
using dev::CudaPlugin;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;

std::string failed(const char* what, const CudaFailure& failure) {
  return std::string(what) + " failed with code " + std::to_string(static_cast<int>(failure.code)) + ": " +
         failure.text;
}

std::string runs(const CudaPlugin& plugin, std::int32_t device, std::uint64_t bytes) {
  dev::CudaSelfTest result{};
  CudaFailure failure{};
  if (plugin.self_test(device, bytes, &result, &failure) != 0) return failed("the self-test", failure);
  if (result.bytes != bytes) return "the self-test copied " + std::to_string(result.bytes) + " bytes";
  if (!(result.to_device_gb_s > 0 && result.to_host_gb_s > 0 && result.on_device_gb_s > 0))
    return "a rate is not above 0";
  return {};
}

std::string versions_are_stated(const CudaPlugin& plugin, std::int32_t /*device*/) {
  dev::CudaVersionNumbers numbers{};
  CudaFailure failure{};
  if (plugin.versions(&numbers, &failure) != 0) return failed("versions()", failure);
  if (numbers.runtime != CUDART_VERSION) return "the runtime is " + std::to_string(numbers.runtime);
  // A driver of the same major version runs any newer minor one.
  if (numbers.driver / 1000 < numbers.runtime / 1000) return "the driver is " + std::to_string(numbers.driver);
  return {};
}

std::string facts_agree_with_the_device(const CudaPlugin& plugin, std::int32_t device) {
  dev::CudaDeviceFacts facts{};
  CudaFailure failure{};
  if (plugin.device_facts(device, &facts, &failure) != 0) return failed("device_facts()", failure);
  if (std::strlen(facts.name) == 0) return "it has no name";
  if (facts.cc_major < 5 || facts.cc_minor < 0 || facts.sm_count < 1)
    return "its compute capability or SM count is wrong";
  if (std::strlen(facts.pci_bus_id) < 12) return std::string("its PCI bus id is '") + facts.pci_bus_id + "'";
  int found = -1;
  if (cudaDeviceGetByPCIBusId(&found, facts.pci_bus_id) != cudaSuccess || found != device)
    return std::string("the driver finds another device under ") + facts.pci_bus_id;
  if (facts.shared_memory_bytes < 48 * 1024 || facts.shared_memory_bytes > kMebibyte)
    return "its shared memory is wrong";
  if (facts.l2_bytes == 0 || facts.l2_bytes > 1024 * kMebibyte) return "its L2 cache is wrong";
  if (facts.is_integrated == 0 && facts.copy_engines < 1) return "it has no copy engine";
  dev::CudaMemory memory{};
  if (plugin.memory(device, &memory, &failure) != 0) return failed("memory()", failure);
  if (memory.free_bytes == 0 || memory.free_bytes > memory.total_bytes) return "its free memory is wrong";
  const std::uint64_t larger = std::max(memory.total_bytes, facts.memory_bytes);
  const std::uint64_t smaller = std::min(memory.total_bytes, facts.memory_bytes);
  if (smaller == 0 || larger - smaller > larger / 50) return "two ways to ask for its memory differ by more than 2%";
  return {};
}

std::string a_wrong_index_is_refused(const CudaPlugin& plugin, std::int32_t /*device*/) {
  std::int32_t count = 0;
  CudaFailure failure{};
  if (plugin.device_count(&count, &failure) != 0) return failed("device_count()", failure);
  for (const std::int32_t index :
       {-1, count, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()}) {
    dev::CudaDeviceFacts facts{};
    dev::CudaMemory memory{};
    dev::CudaSelfTest result{};
    const std::array codes{plugin.device_facts(index, &facts, &failure), plugin.memory(index, &memory, &failure),
                           plugin.self_test(index, 4, &result, &failure)};
    for (const std::int32_t code : codes) {
      if (code != static_cast<std::int32_t>(CudaFailureCode::kNoSuchDevice))
        return "index " + std::to_string(index) + " gave code " + std::to_string(code);
    }
    if (std::strstr(failure.text, std::to_string(index).c_str()) == nullptr)
      return "the failure does not name the index";
  }
  return {};
}

std::string every_bit_comes_back_at_any_size(const CudaPlugin& plugin, std::int32_t device) {
  for (const std::uint64_t words : {1U, 31U, 256U, 257U, 65535U * 256 + 1, 20'000'003U}) {
    const std::string found = runs(plugin, device, words * 4);
    if (!found.empty()) return std::to_string(words) + " words: " + found;
  }
  return {};
}

std::string a_refused_test_leaves_the_device_usable(const CudaPlugin& plugin, std::int32_t device) {
  struct Case {
    std::uint64_t bytes;
    CudaFailureCode code;
  };
  for (const Case& refused : {Case{0, CudaFailureCode::kFailed}, Case{6, CudaFailureCode::kFailed},
                              Case{std::uint64_t{1} << 60, CudaFailureCode::kOutOfMemory}}) {
    dev::CudaSelfTest result{};
    CudaFailure failure{};
    if (plugin.self_test(device, refused.bytes, &result, &failure) != static_cast<std::int32_t>(refused.code))
      return std::to_string(refused.bytes) + " bytes gave code " + std::to_string(static_cast<int>(failure.code));
    if (failure.text[0] == '\0') return "a refusal has no text";
  }
  return runs(plugin, device, kMebibyte);
}

/// Planes of odd sizes with padding between their rows, from memory of either kind, growing and shrinking; each byte is read back.
std::string frames_arrive(const CudaPlugin& plugin, std::int32_t device) {
  const cuda::DeviceGuard guard(device);
  void* frame = nullptr;
  CudaFailure failure{};
  if (plugin.frame_create(device, &frame, &failure) != 0) return failed("frame_create()", failure);
  struct Size {
    std::int64_t row_bytes, rows, padding;
  };
  std::string found;
  for (const Size& size :
       {Size{1, 1, 0}, Size{1921, 1081, 7}, Size{5760, 1080, 0}, Size{3, 2, 5}, Size{11520, 2161, 64}}) {
    for (const bool is_pinned : {false, true}) {
      const std::int64_t stride = size.row_bytes + size.padding;
      const auto bytes = static_cast<std::size_t>(stride * size.rows);
      std::vector<std::uint8_t> pageable(is_pinned ? 0 : bytes);
      const cuda::PinnedBuffer pinned(is_pinned ? bytes : 1);
      auto* const pixels = is_pinned ? static_cast<std::uint8_t*>(pinned.data()) : pageable.data();
      for (std::size_t i = 0; i < bytes; ++i)
        pixels[i] = static_cast<std::uint8_t>(i * 2'654'435'761U >> 11);
      // The same rows as two planes, so that planes must not overlap.
      std::array<dev::CudaPlane, 2> planes{};
      planes.fill({pixels, stride, size.rows, size.row_bytes, nullptr, 0});
      if (plugin.frame_upload(frame, planes.data(), 2, &failure) != 0) found = failed("frame_upload()", failure);
      for (const dev::CudaPlane& plane : planes) {
        std::vector<std::uint8_t> back(static_cast<std::size_t>(size.row_bytes * size.rows));
        if (!found.empty()) break;
        cuda::check(
            cudaMemcpy2D(back.data(), static_cast<std::size_t>(size.row_bytes), plane.device_data,
                         static_cast<std::size_t>(plane.device_stride), static_cast<std::size_t>(size.row_bytes),
                         static_cast<std::size_t>(size.rows), cudaMemcpyDeviceToHost),
            "cudaMemcpy2D");
        for (std::int64_t row = 0; row < size.rows && found.empty(); ++row) {
          if (std::memcmp(back.data() + row * size.row_bytes, pixels + row * stride,
                          static_cast<std::size_t>(size.row_bytes)) != 0)
            found = "row " + std::to_string(row) + " of " + std::to_string(size.row_bytes) + " bytes differs";
        }
      }
    }
  }
  plugin.frame_destroy(frame);
  return found;
}

std::string memory_goes_back(const CudaPlugin& plugin, std::int32_t device) {
  constexpr std::uint64_t kEach = 64 * kMebibyte;
  const auto free_now = [&] {
    dev::CudaMemory memory{};
    CudaFailure failure{};
    return plugin.memory(device, &memory, &failure) == 0 ? memory.free_bytes : 0;
  };
  const std::string warm = runs(plugin, device, kEach);
  if (!warm.empty()) return warm;
  const std::uint64_t before = free_now();
  for (int i = 0; i < 20; ++i) {
    const std::string found = runs(plugin, device, kEach);
    if (!found.empty()) return found;
  }
  const std::uint64_t after = free_now();
  // One test's buffers may be another program's doing; twenty would be ours.
  if (before == 0 || after + 4 * kEach < before) return std::to_string(before - after) + " bytes did not come back";
  return {};
}

std::string threads_test_side_by_side(const CudaPlugin& plugin, std::int32_t device) {
  std::array<std::string, 4> found;
  std::vector<std::thread> threads;
  for (std::string& each : found)
    threads.emplace_back([&plugin, device, &each] {
      for (int i = 0; i < 5 && each.empty(); ++i)
        each = runs(plugin, device, kMebibyte);
    });
  for (std::thread& thread : threads)
    thread.join();
  for (const std::string& each : found) {
    if (!each.empty()) return each;
  }
  return {};
}

std::string failed_releases_are_counted(const CudaPlugin& /*plugin*/, std::int32_t device) {
  const cuda::DeviceGuard guard(device);
  const unsigned before = cuda::failed_releases();
  {
    const cuda::DeviceBuffer buffer(1024);
    if (cudaFree(buffer.data()) != cudaSuccess) return "cudaFree failed";
  }  // the owner frees it a second time
  if (cuda::failed_releases() != before + 1) return "freeing twice was not noticed";
  if (cudaGetLastError() != cudaSuccess) return "the failure was left for the next call to find";
  cuda::DeviceBuffer first(1024);
  void* const memory = first.data();
  cuda::DeviceBuffer second(std::move(first));
  if (second.data() != memory || second.bytes() != 1024) return "a moved owner lost its memory";
  return {};
}

std::string the_current_device_stays(const CudaPlugin& plugin, std::int32_t device) {
  int before = -1, after = -1;
  if (cudaGetDevice(&before) != cudaSuccess) return "cudaGetDevice failed";
  const std::string found = runs(plugin, device, 4096);
  if (!found.empty()) return found;
  if (cudaGetDevice(&after) != cudaSuccess || after != before) return "the current device changed";
  return {};
}

}  // namespace

std::span<const CudaCheck> cuda_checks() {
  static constexpr std::array kChecks{
      CudaCheck{"versions_are_stated", versions_are_stated},
      CudaCheck{"facts_agree_with_the_device", facts_agree_with_the_device},
      CudaCheck{"a_wrong_index_is_refused", a_wrong_index_is_refused},
      CudaCheck{"every_bit_comes_back_at_any_size", every_bit_comes_back_at_any_size},
      CudaCheck{"a_refused_test_leaves_the_device_usable", a_refused_test_leaves_the_device_usable},
      CudaCheck{"frames_arrive", frames_arrive},
      CudaCheck{"memory_goes_back", memory_goes_back},
      CudaCheck{"threads_test_side_by_side", threads_test_side_by_side},
      CudaCheck{"failed_releases_are_counted", failed_releases_are_counted},
      CudaCheck{"the_current_device_stays", the_current_device_stays}};
  return kChecks;
}

const CudaPlugin* open_cuda_plugin(const char* library, std::string& error) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    error = reason != nullptr ? reason : "it does not load";
    return nullptr;
  }
  const auto entry = reinterpret_cast<dev::CudaEntry>(dlsym(handle, dev::kCudaEntry));
  const CudaPlugin* plugin = entry == nullptr ? nullptr : entry();
  if (plugin == nullptr) {
    error = std::string("it has no ") + dev::kCudaEntry;
    return nullptr;
  }
  if (plugin->abi != dev::kCudaAbi || std::strcmp(plugin->tern_version, TERN_VERSION_STRING) != 0 ||
      std::strcmp(plugin->compiler, TERN_COMPILER_TAG) != 0) {
    error = "its ABI, tern version or compiler is not that of this program";
    return nullptr;
  }
  return plugin;
}

std::int32_t count_gpus(const CudaPlugin& plugin, std::string& reason) {
  std::int32_t count = 0;
  CudaFailure failure{};
  plugin.device_count(&count, &failure);
  reason = failure.text;
  switch (failure.code) {
    case CudaFailureCode::kNone:
      return count;
    case CudaFailureCode::kNoDriver:
    case CudaFailureCode::kDriverTooOld:
    case CudaFailureCode::kNoDevice:
      return 0;
    case CudaFailureCode::kNoSuchDevice:
    case CudaFailureCode::kOutOfMemory:
    case CudaFailureCode::kWrongResult:
    case CudaFailureCode::kFailed:
      break;
  }
  return -1;
}

}  // namespace tern::test
