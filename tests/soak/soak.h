// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include "base/sanitizers.h"

#if defined(TERN_ASAN)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // GCC ships no header for it
#endif

namespace tern::test {

/// SOAK_SECONDS (environment, default 20) from now.
inline std::chrono::steady_clock::time_point end_of_soak() {
  const char* seconds = std::getenv("SOAK_SECONDS");
  return std::chrono::steady_clock::now() + std::chrono::seconds(seconds != nullptr ? std::atoi(seconds) : 20);
}

/// Memory that the process uses, in MiB: what lies in RAM. Under AddressSanitizer what is allocated and not freed, since its
/// own records (a stack for each allocation, new ones with every kernel that OpenVINO generates) grow with the work done.
inline double used_mib() {
#if defined(TERN_ASAN)
  return static_cast<double>(__sanitizer_get_current_allocated_bytes()) / (1 << 20);
#else
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
#endif
}

inline std::filesystem::path model_file(const std::string& name) {
  return std::filesystem::path(TERN_SOURCE_DIR) / "models" / (name + ".onnx");
}

}  // namespace tern::test
