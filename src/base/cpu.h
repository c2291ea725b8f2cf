// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tern/export.h"

namespace tern {

/// The processor as engines built for it are bound to it.
struct CpuIdentity {
  std::string arch;  ///< "x86_64", "aarch64"
  std::vector<std::string>
      features;  ///< instruction sets that inference kernels choose by, weakest first: "avx2", "avx512_vnni"

  /// For engine names: the architecture and the strongest set, "x86_64_avx512_vnni"; "x86_64_base" without any.
  [[nodiscard]] TERN_API std::string target() const;
  /// All sets with spaces between them.
  [[nodiscard]] TERN_API std::string isa() const;
  /// Whether kernels for 8-bit integers add their products in 32 bits. On x86-64 without VNNI or AMX they add them in pairs in 16 bits
  /// (vpmaddubsw), and what passes 32767 is cut off: exact only where every weight lies within -64..64.
  [[nodiscard]] TERN_API bool sums_int8_exactly() const;
};

/// This machine's, from /proc/cpuinfo: what both the processor and the kernel offer. Read once.
[[nodiscard]] TERN_API const CpuIdentity& host_cpu();
/// From the text of a /proc/cpuinfo.
[[nodiscard]] TERN_API CpuIdentity cpu_from_proc(std::string_view cpuinfo, std::string_view arch);

}  // namespace tern
