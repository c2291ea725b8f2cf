// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"

#include <algorithm>
#include <array>
#include <sys/utsname.h>

#include "base/file.h"

namespace tern {
namespace {

struct Feature {
  std::string_view kernel_name;  ///< in /proc/cpuinfo
  std::string_view name;
};

// Weakest first: the last one that is there names the target.
constexpr std::array<Feature, 15> kFeatures{{{"sse4_2", "sse4"},
                                             {"avx", "avx"},
                                             {"avx2", "avx2"},
                                             {"avx_vnni", "avx2_vnni"},
                                             {"avx512f", "avx512"},
                                             {"avx512_vnni", "avx512_vnni"},
                                             {"avx512_bf16", "avx512_bf16"},
                                             {"avx512_fp16", "avx512_fp16"},
                                             {"amx_int8", "amx_int8"},
                                             {"amx_bf16", "amx_bf16"},
                                             // Arm
                                             {"asimd", "neon"},
                                             {"asimdhp", "neon_fp16"},
                                             {"asimddp", "neon_dot"},
                                             {"i8mm", "i8mm"},
                                             {"sve", "sve"}}};

// The words of the first "flags" (x86) or "Features" (Arm) line.
std::vector<std::string_view> flags_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with("flags") && !line.starts_with("Features")) continue;
    line.remove_prefix(std::min(line.find(':') + 1, line.size()));
    while (!line.empty()) {
      const std::size_t space = std::min(line.find(' '), line.size());
      if (space > 0) words.push_back(line.substr(0, space));
      line.remove_prefix(std::min(space + 1, line.size()));
    }
    break;
  }
  return words;
}

}  // namespace

std::string CpuIdentity::target() const {
  return arch + "_" + (features.empty() ? "base" : features.back());
}

std::string CpuIdentity::isa() const {
  std::string text;
  for (const std::string& feature : features)
    text += (text.empty() ? "" : " ") + feature;
  return text.empty() ? "base" : text;
}

bool CpuIdentity::sums_int8_exactly() const {
  if (arch != "x86_64") return true;
  return std::ranges::any_of(features,
                             [](const std::string& name) { return name.ends_with("_vnni") || name == "amx_int8"; });
}

CpuIdentity cpu_from_proc(std::string_view cpuinfo, std::string_view arch) {
  CpuIdentity cpu{std::string(arch), {}};
  const std::vector<std::string_view> flags = flags_of(cpuinfo);
  for (const Feature& feature : kFeatures) {
    if (std::ranges::find(flags, feature.kernel_name) != flags.end()) cpu.features.emplace_back(feature.name);
  }
  return cpu;
}

const CpuIdentity& host_cpu() {
  static const CpuIdentity kCpu = [] {
    utsname system{};
    const std::string arch = ::uname(&system) == 0 ? system.machine : "unknown";
    const auto text = read_text_file("/proc/cpuinfo", 64 << 20);
    return cpu_from_proc(text.ok() ? *text : std::string(), arch);
  }();
  return kCpu;
}

}  // namespace tern
