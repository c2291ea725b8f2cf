// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "host.h"

#include <algorithm>

#include <fmt/format.h>

namespace tern::trt_backend {
namespace {

std::string target_of(const dev::CudaDeviceFacts& facts) {
  return fmt::format("cc_{}.{}_sm_{}", facts.cc_major, facts.cc_minor, facts.sm_count);
}

/// CUDA's 13000 -> "13.0".
std::string cuda_version(int number) {
  return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

}  // namespace

Gpu Gpu::of(int device, const dev::CudaDeviceFacts& facts) {
  return {.device = device,
          .name = facts.name,
          .target = target_of(facts),
          .compute_capability = facts.cc_major * 10 + facts.cc_minor,
          .is_integrated = facts.is_integrated != 0};
}

std::string driver_version_in(std::string_view text) {
  // The first number with a dot that stands alone: "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  ..."
  constexpr std::string_view kDigits = "0123456789";
  for (std::size_t at = 0; (at = text.find_first_of(kDigits, at)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789.", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const bool stands_alone = (at == 0 || text[at - 1] == ' ') && (end == text.size() || text[end] == ' ');
    if (stands_alone && word.find('.') != std::string_view::npos) return std::string(word);
    at = end;
  }
  return {};
}

void add_gpu(HostFacts& facts, const dev::CudaDeviceFacts& device, const dev::CudaVersionNumbers& versions,
             std::string_view driver) {
  facts.target = target_of(device);
  facts.fit.emplace_back("cc", fmt::format("{}.{}", device.cc_major, device.cc_minor));
  facts.fit.emplace_back("sm_count", fmt::format("{}", device.sm_count));
  facts.info.emplace_back("device", device.name);
  facts.info.emplace_back("driver", driver.empty() ? "CUDA " + cuda_version(versions.driver) : std::string(driver));
  facts.info.emplace_back("cuda_driver", cuda_version(versions.driver));
  facts.info.emplace_back("cuda_runtime", cuda_version(versions.runtime));
  facts.info.emplace_back("memory", fmt::format("{}", device.memory_bytes));
}

}  // namespace tern::trt_backend
