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
TEST(Cpu, int8_sums_are_exact_with_vnni_or_amx_and_on_arm) {
  const auto is_exact = [](std::string_view flags) { return cpu_from_proc(flags, "x86_64").sums_int8_exactly(); };
  EXPECT_FALSE(is_exact("flags : sse4_2 avx avx2\n"));
  EXPECT_FALSE(is_exact("flags : avx2 avx512f\n"));
  EXPECT_TRUE(is_exact("flags : avx2 avx_vnni\n"));
  EXPECT_TRUE(is_exact("flags : avx2 avx512f avx512_vnni\n"));
  EXPECT_TRUE(is_exact("flags : avx2 amx_int8\n"));
  EXPECT_TRUE(cpu_from_proc("Features : fp asimd\n", "aarch64").sums_int8_exactly());
}

}  // namespace tern
