// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// tern_cuda_check LIBRARY [--quick]: runs every check on every GPU. Ends with 0, 1 when one failed, 77 when there is no GPU to
// run on. --quick is for memory checkers, which take failed calls of CUDA for findings: a short self-test alone.
#include <cstdio>
#include <cstring>
#include <exception>

#include "checks.h"

namespace {

using namespace tern;

/// What the GPU is and how fast memory moves; false when it cannot tell.
bool print_device(const dev::CudaPlugin& plugin, std::int32_t device, std::uint64_t mebibytes) {
  dev::CudaFailure failure{};
  dev::CudaDeviceFacts facts{};
  dev::CudaMemory memory{};
  dev::CudaSelfTest result{};
  if (plugin.device_facts(device, &facts, &failure) != 0 || plugin.memory(device, &memory, &failure) != 0 ||
      plugin.self_test(device, mebibytes << 20U, &result, &failure) != 0) {
    std::printf("gpu %d: %s\n", device, failure.text);
    return false;
  }
  const auto gibibytes = [](std::uint64_t bytes) { return static_cast<double>(bytes) / (1U << 30U); };
  std::printf("gpu %d: %s, cc_%d.%d_sm_%d%s, PCI %s, %.1f of %.1f GiB free\n", device, facts.name, facts.cc_major,
              facts.cc_minor, facts.sm_count, facts.is_integrated != 0 ? ", integrated" : "", facts.pci_bus_id,
              gibibytes(memory.free_bytes), gibibytes(memory.total_bytes));
  std::printf("  %d copy engines, L2 %.1f MiB, %.0f KiB of shared memory a block\n", facts.copy_engines,
              static_cast<double>(facts.l2_bytes) / (1U << 20U), static_cast<double>(facts.shared_memory_bytes) / 1024);
  std::printf("  %d MiB: to the GPU %.1f GB/s, back %.1f GB/s, through a kernel %.0f GB/s\n",
              static_cast<int>(mebibytes), result.to_device_gb_s, result.to_host_gb_s, result.on_device_gb_s);
  return true;
}

int run(const char* library, bool is_quick) {
  std::string error;
  const dev::CudaPlugin* plugin = test::open_cuda_plugin(library, error);
  if (plugin == nullptr) {
    std::printf("%s: %s\n", library, error.c_str());
    return 1;
  }
  const std::int32_t count = test::count_gpus(*plugin, error);
  if (count <= 0) {
    std::printf("%s: %s\n", count == 0 ? "SKIPPED, no GPU" : "FAILED", error.c_str());
    return count == 0 ? 77 : 1;
  }
  int failures = 0, total = 0;
  for (std::int32_t device = 0; device < count; ++device) {
    ++total;
    if (!print_device(*plugin, device, is_quick ? 16 : 256)) ++failures;
    if (is_quick) continue;
    for (const test::CudaCheck& check : test::cuda_checks()) {
      const std::string found = check.run(*plugin, device);
      std::printf("  %-4s %s%s%s\n", found.empty() ? "ok" : "FAIL", check.name, found.empty() ? "" : ": ",
                  found.c_str());
      ++total;
      if (!found.empty()) ++failures;
    }
  }
  std::printf("%d of %d checks passed on %d GPUs\n", total - failures, total, count);
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_quick = argc == 3 && std::strcmp(argv[2], "--quick") == 0;
  if (argc != 2 && !is_quick) {
    std::fputs("usage: tern_cuda_check LIBRARY [--quick]\n", stderr);
    return 1;
  }
  try {
    return run(argv[1], is_quick);
  } catch (const std::exception& error) {
    std::printf("FAILED: %s\n", error.what());
    return 1;
  }
}
