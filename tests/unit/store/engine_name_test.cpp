// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/engine_name.h"

#include <array>
#include <random>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

using ::testing::HasSubstr;

constexpr std::array kPrecisions{Precision::kF32, Precision::kF16, Precision::kBF16, Precision::kI8, Precision::kMixed};

TEST(EngineName, known_names_both_ways) {
  const std::vector<std::pair<std::string, EngineName>> names{
      {"yolo.cc_9.0_sm_132.engine", {"yolo", "cc_9.0_sm_132", false, Precision::kF16}},
      {"yolo.cc_9.0_sm_132.int8.engine", {"yolo", "cc_9.0_sm_132", false, Precision::kI8}},
      {"yolo.cc_12.1_sm_48.vc.fp32.engine", {"yolo", "cc_12.1_sm_48", true, Precision::kF32}},
      {"yolo.hw_ampere_plus.engine", {"yolo", "hw_ampere_plus", false, Precision::kF16}},
      {"yolo.hw_ampere_plus.vc.mixed.engine", {"yolo", "hw_ampere_plus", true, Precision::kMixed}},
      {"yolo.x86_64_avx512_vnni.fp32.engine", {"yolo", "x86_64_avx512_vnni", false, Precision::kF32}},
      {"yolo.aarch64_neon.fp16.engine", {"yolo", "aarch64_neon", false, Precision::kF16}},
      {"a.b.fp32.x86_64_avx2.bf16.engine", {"a.b.fp32", "x86_64_avx2", false, Precision::kBF16}},
      {"yolo.cc_9.0_sm_132.cc_8.6_sm_10.engine", {"yolo.cc_9.0_sm_132", "cc_8.6_sm_10", false, Precision::kF16}},
      {"yolo.engine.x86_64_avx2.fp32.engine", {"yolo.engine", "x86_64_avx2", false, Precision::kF32}},
      {"Fu\xc3\x9f ball (1).x86_64_avx2.int8.engine", {"Fu\xc3\x9f ball (1)", "x86_64_avx2", false, Precision::kI8}},
  };
  for (const auto& [text, name] : names) {
    EXPECT_EQ(EngineName::parse(text).value(), name) << text;
    EXPECT_EQ(name.format().value(), text);
  }
}

TEST(EngineName, bad_names_are_refused_with_the_reason) {
  const std::vector<std::tuple<std::string, std::string>> names{
      {"", "does not end in '.engine'"},
      {".engine", "names no device"},
      {"engine", "does not end in '.engine'"},
      {"yolo.engine", "names no device"},
      {"yolo.fp32.engine", "names no device"},
      {"yolo.x86_64_avx2.fp32.engine.json", "does not end in '.engine'"},
      {"yolo.x86_64_avx2.fp32.ENGINE", "does not end in '.engine'"},
      {"yolo.x86_64_avx2.engine", "names no precision"},
      {"yolo.x86_64_avx2.f32.engine", "names no device"},
      {"yolo.x86_64_avx2.FP32.engine", "names no device"},
      {"yolo.x86_64_avx2.vc.fp32.engine", "says vc"},
      {"yolo.x86_64.fp32.engine", "names no device"},
      {"yolo.x86_64_.fp32.engine", "names no device"},
      {"yolo.x86_64__avx2.fp32.engine", "names no device"},
      {"yolo.x86_64_AVX2.fp32.engine", "names no device"},
      {"yolo.riscv_v.fp32.engine", "names no device"},
      {"yolo.cc_9.0_sm_132.fp16.engine", "fp16, which a GPU engine's name leaves out"},
      {"yolo.cc_9_sm_132.engine", "names no device"},
      {"yolo.cc_9.0_sm_.engine", "names no device"},
      {"yolo.cc_.0_sm_132.engine", "names no device"},
      {"yolo.cc_09.0_sm_132.engine", "names no device"},
      {"yolo.cc_9.0_sm_0132.engine", "names no device"},
      {"yolo.cc_9.0_sm_132132.engine", "names no device"},
      {"yolo.cc_9.0_sm_-1.engine", "names no device"},
      {"yolo.cc_9.0.engine", "names no device"},
      {"yolo.hw_ampere.engine", "names no device"},
      {"yolo.cc_9.0_sm_132.fp32.vc.engine", "names no device"},
      {"yolo.cc_9.0_sm_132.vc.vc.engine", "names no device"},
      {"cc_9.0_sm_132.engine", "names no device"},
      {".cc_9.0_sm_132.engine", "names no model"},
      {"x86_64_avx2.fp32.engine", "names no"},
      {".x86_64_avx2.fp32.engine", "names no model"},
      {".hidden.x86_64_avx2.fp32.engine", "names no model"},
      {"..x86_64_avx2.fp32.engine", "names no model"},
      {"a/b.x86_64_avx2.fp32.engine", "names no model"},
      {"../b.x86_64_avx2.fp32.engine", "names no model"},
      {"a\nb.x86_64_avx2.fp32.engine", "names no model"},
      {std::string("a\0b.x86_64_avx2.fp32.engine", 27), "names no model"},
      {"a\x7f.x86_64_avx2.fp32.engine", "names no model"},
      {"a\xff.x86_64_avx2.fp32.engine", "names no model"},
      {std::string(230, 'a') + ".x86_64_avx2.fp32.engine", "254 bytes; the limit is 240"},
  };
  for (const auto& [text, reason] : names) {
    const auto name = EngineName::parse(text);
    ASSERT_FALSE(name.ok()) << text;
    EXPECT_EQ(name.status().code(), StatusCode::kEngineGateError);
    EXPECT_THAT(name.status().message(), HasSubstr(reason)) << text;
    EXPECT_FALSE(name.status().hint().empty());
  }
}

TEST(EngineName, what_could_not_be_parsed_back_is_not_formatted) {
  const std::vector<EngineName> names{
      {"", "x86_64_avx2", false, Precision::kF32},
      {"a/b", "x86_64_avx2", false, Precision::kF32},
      {".a", "x86_64_avx2", false, Precision::kF32},
      {"a", "", false, Precision::kF32},
      {"a", "x86_64", false, Precision::kF32},
      {"a", "b.x86_64_avx2", false, Precision::kF32},
      {"a", "x86_64_avx2", true, Precision::kF32},
      {"a", "x86_64_avx2", false, Precision::kAuto},
      {"a", "cc_9.0_sm_132", false, Precision::kAuto},
      {"a", "cc_9.0_sm_132.vc", false, Precision::kF32},
      {std::string(220, 'a'), "x86_64_avx2", false, Precision::kF32},
  };
  for (const EngineName& name : names) {
    const auto text = name.format();
    ASSERT_FALSE(text.ok()) << *text;
    EXPECT_EQ(text.status().code(), StatusCode::kConfigError);
  }
}

TEST(EngineName, the_longest_name_is_240_bytes) {
  const std::string rest = ".x86_64_avx2.fp32.engine";
  EXPECT_TRUE(EngineName::parse(std::string(240 - rest.size(), 'a') + rest).ok());
  EXPECT_FALSE(EngineName::parse(std::string(241 - rest.size(), 'a') + rest).ok());
}

// Whatever formats parses back to the same, and what the parts allow formats.
TEST(EngineName, property_format_and_parse_are_inverse) {
  std::mt19937 random(7);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const std::vector<std::string> words{
      "a",    "yolo",      ".",        "fp32", "vc",   "engine", "x86_64_avx2",   "cc_9.0",
      "_sm_", "hw_ampere", "\xc3\xa9", " ",    "int8", "\\",     "cc_9.0_sm_132", "hw_ampere_plus"};
  int formatted = 0;
  for (int round = 0; round < 20'000; ++round) {
    EngineName name;
    for (int i = pick(5); i >= 0; --i)
      name.stem += words[static_cast<std::size_t>(pick(static_cast<int>(words.size())))];
    const int kind = pick(3);
    if (kind == 0)
      name.target =
          "cc_" + std::to_string(pick(20)) + "." + std::to_string(pick(10)) + "_sm_" + std::to_string(pick(500));
    if (kind == 1) name.target = "hw_ampere_plus";
    if (kind == 2) name.target = pick(2) == 0 ? "x86_64_avx512_vnni" : "aarch64_neon_dotprod";
    name.version_compatible = kind != 2 && pick(2) == 0;
    name.precision = kPrecisions[static_cast<std::size_t>(pick(5))];
    const auto text = name.format();
    if (name.stem.front() == '.') {
      EXPECT_FALSE(text.ok()) << *text;
      continue;
    }
    ASSERT_TRUE(text.ok()) << text.status().to_string();
    ++formatted;
    EXPECT_EQ(EngineName::parse(*text).value(), name) << *text;
    EXPECT_EQ(EngineName::parse(*text).value().format().value(), *text);
  }
  EXPECT_GT(formatted, 15'000);
}

// Any name that parses is the one name of its parts.
TEST(EngineName, property_mangled_names_are_refused_or_mean_themselves) {
  std::mt19937 random(8);
  const std::vector<std::string> seeds{"yolo.cc_9.0_sm_132.vc.int8.engine", "a.b.x86_64_avx2.fp32.engine",
                                       "yolo.hw_ampere_plus.engine"};
  int accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text = seeds[random() % seeds.size()];
    for (auto edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) text[at] = static_cast<char>(random() % 128);
      if (random() % 3 == 0) text.erase(at, 1 + random() % 4);
      if (random() % 3 == 0) text.insert(std::min(at, text.size()), ".");
    }
    const auto name = EngineName::parse(text);
    if (!name.ok()) continue;
    ++accepted;
    EXPECT_EQ(name->format().value(), text);
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace tern
