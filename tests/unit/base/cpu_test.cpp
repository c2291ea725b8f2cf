// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"

#include <gtest/gtest.h>

namespace tern {
namespace {

TEST(Cpu, features_come_weakest_first_from_the_flags_line) {
  const CpuIdentity cpu = cpu_from_proc(
      "processor\t: 0\nflags\t\t: fpu avx512_vnni avx avx2 avx512f sse4_2\nbugs\t: avx512_fp16\n", "x86_64");
  EXPECT_EQ(cpu.isa(), "sse4 avx avx2 avx512 avx512_vnni");
  EXPECT_EQ(cpu.target(), "x86_64_avx512_vnni");
}

TEST(Cpu, arm_has_its_own_line) {
  EXPECT_EQ(cpu_from_proc("Features\t: fp asimd asimdhp asimddp\n", "aarch64").target(), "aarch64_neon_dot");
}

TEST(Cpu, without_any_set_it_is_base) {
  for (const char* text : {"", "flags", "flags :", "model name: avx2", "flags\t: avx2x"})
    EXPECT_EQ(cpu_from_proc(text, "x86_64").target(), "x86_64_base") << text;
}

TEST(Cpu, the_host_has_a_name) {
  EXPECT_FALSE(host_cpu().arch.empty());
  EXPECT_EQ(&host_cpu(), &host_cpu());
}

}  // namespace
}  // namespace tern
