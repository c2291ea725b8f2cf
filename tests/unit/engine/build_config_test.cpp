// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/dev/backend.h"
#include "tern/engine.h"

namespace tern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Isolation = BuildConfig::Isolation;

Status refusal(const std::string& json) {
  const auto config = BuildConfig::from_json(json, "build.json");
  EXPECT_EQ(config.status().code(), StatusCode::kConfigError) << json;
  EXPECT_THAT(config.status().where(), ::testing::StartsWith("build.json")) << json;
  EXPECT_TRUE(std::ranges::none_of(config.status().to_string(), [](unsigned char c) { return c < 0x20 && c != '\n'; }));
  return config.status();
}

TEST(BuildConfig, an_empty_object_gives_the_defaults) {
  const BuildConfig config = BuildConfig::from_json("{}", "").value();
  EXPECT_EQ(config.to_json(), BuildConfig{}.to_json());
  EXPECT_EQ(
      config.to_json(),
      R"({"aux_streams":null,"calibration":null,"device":null,"dla_core":null,"hardware":"this_gpu","hint":"latency",)"
      R"("isolation":"in_process","max_batch":0,"optimization_level":null,"precision":"auto","profiles":{},)"
      R"("tf32":false,"threads":0,"timeout_s":600,"timing_cache":null,"version_compatible":false,)"
      R"("workspace":null})");
}

TEST(BuildConfig, every_key_is_read) {
  const BuildConfig config =
      BuildConfig::from_json(R"({"$schema": "x", "precision": "int8", "max_batch": 4096, "threads": 1024,
    "profiles": {"b": {"min": [1], "opt": [2], "max": [3]}, "a": {"min": [1, 2], "opt": [1, 2], "max": [1, 2]}},
    "hint": "throughput", "workspace": "90%", "timeout_s": 604800, "isolation": "process",
    "optimization_level": 5, "timing_cache": "/var/cache/a b", "tf32": true, "hardware": "ampere_plus",
    "version_compatible": true, "aux_streams": 16, "dla_core": 1, "device": "cuda:3"})",
                             "")
          .value();
  EXPECT_EQ(config.precision, Precision::kI8);
  EXPECT_EQ(config.max_batch, 4096);
  EXPECT_EQ(config.threads, 1024);
  ASSERT_EQ(config.profiles.size(), 2U);
  EXPECT_EQ(config.profiles[1].tensor, "b");
  EXPECT_EQ(config.profiles[1].min, Shape{1});
  EXPECT_EQ(config.profiles[1].opt, Shape{2});
  EXPECT_EQ(config.profiles[1].max, Shape{3});
  EXPECT_EQ(config.hint, PerformanceHint::kThroughput);
  ASSERT_TRUE(config.workspace.has_value());
  EXPECT_EQ(config.workspace->percent, 90);
  EXPECT_EQ(config.timeout, std::chrono::hours(168));
  EXPECT_EQ(config.isolation, Isolation::kProcess);
  EXPECT_EQ(config.optimization_level, 5);
  EXPECT_EQ(config.timing_cache, "/var/cache/a b");
  EXPECT_TRUE(config.tf32);
  EXPECT_EQ(config.hardware, HardwareLevel::kAmperePlus);
  EXPECT_TRUE(config.version_compatible);
  EXPECT_EQ(config.aux_streams, 16);
  EXPECT_EQ(config.dla_core, 1);
  EXPECT_EQ(config.device, (Device{DeviceKind::kCuda, 3}));
}

TEST(BuildConfig, every_bad_value_is_refused_with_its_key) {
  for (const auto& [key, values] : std::map<std::string, std::vector<std::string>>{
           {"precision", {"1", "null", R"("f64")", R"("F32")", R"("")", "[]"}},
           {"max_batch", {"-1", "4097", "1.5", R"("1")", "null", "18446744073709551615"}},
           {"threads", {"-1", "1025", "1.5", R"("1")", "true"}},
           {"hint", {"1", R"("speed")", "null"}},
           {"workspace", {"1", R"("0%")", R"("101%")", R"("0")", R"("much")", R"("")", "true", R"("-1%")"}},
           {"timeout_s", {"0", "-1", "604801", "1.5", R"("600")", "null"}},
           {"isolation", {"1", R"("thread")", "null"}},
           {"optimization_level", {"-1", "6", "1.5", R"("3")", "true"}},
           {"timing_cache", {"1", "true", "[]"}},
           {"tf32", {"1", R"("on")", "null"}},
           {"hardware", {"1", R"("hopper")", R"("")", "null"}},
           {"version_compatible", {"1", R"("yes")", "null"}},
           {"aux_streams", {"-1", "17", "1.5", R"("3")", "true"}},
           {"dla_core", {"-1", "16", "1.5", R"("0")", "true"}},
           {"device",
            {"0", "true", R"("")", R"("cuda")", R"("cuda:")", R"("cuda:-1")", R"("cuda:64")", R"("cuda:01")",
             R"("cuda:1 ")", R"("cpu")", R"("gpu:0")"}},
           {"profiles", {"1", "[]", "null", R"("images=1")"}}}) {
    for (const std::string& value : values) {
      const Status status = refusal("{\"" + key + "\": " + value + "}");
      EXPECT_THAT(status.where(), HasSubstr(key)) << value;
    }
  }
}

TEST(BuildConfig, every_bad_profile_is_refused_with_its_place) {
  const auto profile = [](const std::string& inner) { return refusal(R"({"profiles": {"images": )" + inner + "}}"); };
  for (const char* inner :
       {"1", "[]", "[1]", "{}", R"({"min": [1], "opt": [1]})", R"({"min": [], "opt": [], "max": []})",
        R"({"min": [0], "opt": [1], "max": [1]})", R"({"min": [-1], "opt": [1], "max": [1]})",
        R"({"min": [1.5], "opt": [2], "max": [2]})", R"({"min": ["1"], "opt": [1], "max": [1]})",
        R"({"min": [1], "opt": [1], "max": [2147483648]})", R"({"min": 1, "opt": [1], "max": [1]})",
        R"({"min": [1], "opt": [1], "max": [1,1]})", R"({"min": [2], "opt": [1], "max": [3]})",
        R"({"min": [1], "opt": [4], "max": [3]})", R"({"min": [1], "opt": [1], "max": [1], "best": [1]})",
        R"({"min": [1,1,1,1,1,1,1,1,1], "opt": [1,1,1,1,1,1,1,1,1], "max": [1,1,1,1,1,1,1,1,1]})"})
    EXPECT_THAT(profile(inner).where(), HasSubstr("profiles.'images'")) << inner;
  EXPECT_THAT(refusal(R"({"profiles": {"a\u001bb": 1}})").where(), HasSubstr("\\x1b"));
  const std::string good = R"({"min": [1], "opt": [1], "max": [1]})";
  EXPECT_THAT(profile("[1]").where(), HasSubstr("profiles.'images'[0]"));
  EXPECT_THAT(profile("[" + good + R"(, {"min": [2], "opt": [1], "max": [3]}])").where(),
              HasSubstr("profiles.'images'[1].opt"));
  std::string many = good;
  for (int i = 0; i < 64; ++i)
    many += "," + good;
  EXPECT_THAT(profile("[" + many + "]").message(), HasSubstr("64"));
}

TEST(BuildConfig, unknown_keys_and_broken_json_are_refused) {
  EXPECT_THAT(refusal(R"({"max_bach": 1})").to_string(), AllOf(HasSubstr("'max_bach'"), HasSubstr("'max_batch'")));
  EXPECT_THAT(refusal(R"({"threads": 1, "threads": 2})").message(), HasSubstr("twice"));
  for (const char* text : {"", "[]", "{} {}", "{\"precision\": \"\xFF\"}"})
    EXPECT_FALSE(refusal(text).ok());
}

TEST(BuildConfig, names_of_the_file_cannot_steer_a_terminal) {
  for (const char* json : {R"({"precision": "\u001b[31m"})", R"({"hint": "\u001b[31m"})",
                           R"({"workspace": "\u001b[31m%"})", R"({"\u001b[31m": 1})"})
    EXPECT_FALSE(refusal(json).to_string().empty());
}

TEST(BuildConfig, what_is_printed_is_read_as_the_same) {
  std::mt19937 random(11);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int i = 0; i < 500; ++i) {
    BuildConfig config;
    config.precision = static_cast<Precision>(below(6));
    config.max_batch = below(4097);
    config.threads = below(1025);
    config.hint = static_cast<PerformanceHint>(below(2));
    config.isolation = static_cast<Isolation>(below(2));
    config.optimization_level = below(7) - 1;
    if (below(3) == 0) config.timing_cache = "a \"path\" " + std::to_string(below(10));
    config.tf32 = below(2) == 0;
    config.hardware = static_cast<HardwareLevel>(below(2));
    config.version_compatible = below(2) == 0;
    config.aux_streams = below(18) - 1;
    config.dla_core = below(17) - 1;
    if (below(3) == 0) config.device = Device{DeviceKind::kCuda, below(64)};
    config.timeout = std::chrono::seconds(1 + below(604800));
    if (below(3) == 0) config.workspace = Workspace{.bytes = 0, .percent = 1 + below(100)};
    if (below(3) == 0) config.workspace = Workspace{.bytes = 1ULL + random(), .percent = 0};
    for (int p = below(4); p > 0; --p) {
      ShapeProfile profile{"input " + std::to_string(p / 2) + "\n\"", {}, {}, {}};  // sometimes two for one input
      std::vector<std::int64_t> min, opt, max;
      for (int d = 1 + below(8); d > 0; --d) {
        min.push_back(1 + below(100));
        opt.push_back(min.back() + below(100));
        max.push_back(opt.back() + below(100));
      }
      profile.min = Shape::from(min).value();
      profile.opt = Shape::from(opt).value();
      profile.max = Shape::from(max).value();
      config.profiles.push_back(profile);
    }
    const std::string json = config.to_json();
    const auto again = BuildConfig::from_json(json, "");
    ASSERT_TRUE(again.ok()) << json << again.status().to_string();
    EXPECT_EQ(again->to_json(), json);
    EXPECT_EQ(again->precision, config.precision);
    EXPECT_EQ(again->timeout, config.timeout);
    EXPECT_EQ(again->profiles.size(), config.profiles.size());
  }
}

TEST(BuildConfig, profiles_of_one_input_keep_their_order) {
  BuildConfig config;
  config.profiles = {{"a", {1}, {2}, {3}}, {"b", {9}, {9}, {9}}, {"a", {4}, {5}, {6}}, {"a", {7}, {8}, {9}}};
  const BuildConfig again = BuildConfig::from_json(config.to_json(), "").value();
  ASSERT_EQ(again.profiles.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(again.profiles[i].tensor, "a");
    EXPECT_EQ(again.profiles[i].min, (Shape{static_cast<std::int64_t>(3 * i + 1)}));
  }
}

TEST(BuildConfig, the_order_of_profiles_does_not_show) {
  const ShapeProfile a{"a", {1}, {1}, {1}}, b{"b", {2}, {2}, {2}};
  BuildConfig one, two;
  one.profiles = {a, b};
  two.profiles = {b, a};
  EXPECT_EQ(one.to_json(), two.to_json());
}

TEST(GpuOptions, are_refused_by_name_where_there_is_no_gpu) {
  EXPECT_TRUE(dev::refuse_gpu_options(BuildConfig{}, "OpenVINO").ok());
  EXPECT_TRUE(dev::refuse_gpu_options(BuildConfig{.max_batch = 4, .timing_cache = "x"}, "OpenVINO").ok());
  EXPECT_TRUE(dev::refuse_gpu_options(LoadOptions{}, "OpenVINO").ok());
  const std::vector<std::pair<BuildConfig, std::string>> refused{{{.workspace = Workspace{.percent = 50}}, "workspace"},
                                                                 {{.optimization_level = 0}, "optimization_level"},
                                                                 {{.tf32 = true}, "tf32"},
                                                                 {{.hardware = HardwareLevel::kAmperePlus}, "hardware"},
                                                                 {{.version_compatible = true}, "version_compatible"},
                                                                 {{.aux_streams = 0}, "aux_streams"},
                                                                 {{.dla_core = 0}, "dla_core"},
                                                                 {{.device = Device{DeviceKind::kCuda, 0}}, "device"}};
  for (const auto& [config, option] : refused) {
    const Status status = dev::refuse_gpu_options(config, "OpenVINO");
    EXPECT_EQ(status.code(), StatusCode::kConfigError) << option;
    EXPECT_EQ(status.where(), option);
    EXPECT_THAT(status.message(), HasSubstr("OpenVINO"));
    EXPECT_FALSE(status.hint().empty());
  }
  EXPECT_EQ(dev::refuse_gpu_options(LoadOptions{.device = Device{DeviceKind::kCuda, 0}}, "OpenVINO").where(), "device");
  EXPECT_EQ(dev::refuse_gpu_options(LoadOptions{.persistent_cache_bytes = 0}, "OpenVINO").where(),
            "persistent_cache_bytes");
}

TEST(ParseWorkspace, takes_parts_and_bytes) {
  EXPECT_EQ(parse_workspace("1%")->percent, 1);
  EXPECT_EQ(parse_workspace("100%")->percent, 100);
  EXPECT_EQ(parse_workspace("90%")->bytes, 0U);
  EXPECT_EQ(parse_workspace("128MiB")->bytes, 128U << 20);
  EXPECT_EQ(parse_workspace("1000000")->bytes, 1'000'000U);
  for (const char* text :
       {"", "%", "0%", "101%", "-1%", "+1%", "1.5%", "9 0%", " 90%", "90% ", "90%%", "0", "0MiB", "much"}) {
    EXPECT_EQ(parse_workspace(text).status().code(), StatusCode::kConfigError) << text;
  }
  for (const char* text : {"7%", "100%", "12345"}) {
    EXPECT_EQ(to_string(parse_workspace(text).value()), text);
  }
}

TEST(ParseProfile, takes_three_shapes_or_one) {
  const ShapeProfile three = parse_profile("images=1x3x640x640:4x3x640x640:8x3x640x640").value();
  EXPECT_EQ(three.tensor, "images");
  EXPECT_EQ(three.min, (Shape{1, 3, 640, 640}));
  EXPECT_EQ(three.opt, (Shape{4, 3, 640, 640}));
  EXPECT_EQ(three.max, (Shape{8, 3, 640, 640}));
  const ShapeProfile one = parse_profile("x=7").value();
  EXPECT_EQ(one.min, Shape{7});
  EXPECT_EQ(one.max, Shape{7});
  EXPECT_EQ(parse_profile("a=b:c=1x2").value().tensor, "a=b:c");  // names hold what they like
  EXPECT_EQ(parse_profile("x=2147483647").value().max, Shape{2147483647});
}

TEST(ParseProfile, refuses_everything_else) {
  for (const char* text : {"",
                           "=",
                           "x",
                           "x=",
                           "=1",
                           "x=0",
                           "x=-1",
                           "x=1x",
                           "x=x1",
                           "x=1xx2",
                           "x=1:2",
                           "x=1:2:3:4",
                           "x=1:2:",
                           "x=:1:2",
                           "x=1,2",
                           "x=1X2",
                           "x= 1",
                           "x=1 ",
                           "x=1.5",
                           "x=2147483648",
                           "x=99999999999999999999",
                           "x=2:1:3",
                           "x=1:4:3",
                           "x=1:1x1:1",
                           "x=1x1x1x1x1x1x1x1x1",
                           "x=1::1"}) {
    EXPECT_EQ(parse_profile(text).status().code(), StatusCode::kConfigError) << text;
  }
  EXPECT_THAT(parse_profile("x=\x1B").status().message(), HasSubstr("\\x1b"));
}

TEST(ParseProfile, a_profile_that_is_cut_off_is_refused_but_for_whole_shapes) {
  const std::string text = "images=1x3x640x640:4x3x640x640:8x3x640x640";
  std::size_t accepted = 0;
  for (std::size_t length = 0; length < text.size(); ++length)
    accepted += parse_profile(text.substr(0, length)).ok() ? 1U : 0U;
  // "1", "1x3", "1x3x6", "1x3x64", "1x3x640", and three more with the last dimension: one shape for all. Two are never taken, and a
  // third that lost digits lies below the second.
  EXPECT_EQ(accepted, 8U);
}

}  // namespace
}  // namespace tern
