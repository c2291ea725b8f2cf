// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "onnx_builder.h"
#include "tern/manifest.h"
#include "unit/store/store_fixture.h"

namespace tern {
namespace {

using ::testing::ElementsAre;

Model model_of(float weight) {
  test::OnnxBuilder b;
  b.weights("w", {1, 3, 8, 8}, weight)
      .input("x", {1, 3, 8, 8})
      .node("Add", {"x", "w"}, {"y"})
      .output("y", {1, 3, 8, 8});
  return Model::from_bytes(b.bytes()).value();
}

const HostFacts kHost{.version = "2026.4.1",
                      .target = "x86_64_avx2",
                      .fit = {{"arch", "x86_64"}, {"isa", "avx2"}},
                      .info = {{"device", "some CPU"}}};

EngineKey key_with(const BuildConfig& config) {
  return EngineKey::of(model_of(1), "c0ffee", config, "openvino", kHost);
}

TEST(EngineKey, holds_model_contract_every_build_option_backend_and_fit) {
  const EngineKey key = key_with({});
  std::vector<std::string> names;
  for (const auto& [name, value] : key.fields)
    names.push_back(name);
  EXPECT_THAT(
      names, ElementsAre("aux_streams", "backend", "backend_version", "calibration", "contract", "dla_core", "fit.arch",
                         "fit.isa", "hardware", "hint", "max_batch", "model", "optimization_level", "plugins",
                         "precision", "profiles", "tf32", "threads", "version_compatible", "workspace"));
  EXPECT_EQ(key.fields.at("model"), model_of(1).content_hash());
  EXPECT_EQ(key.fields.at("contract"), "c0ffee");
  EXPECT_EQ(key.fields.at("fit.isa"), "avx2");
  EXPECT_EQ(key.fields.at("workspace"), "default");
  EXPECT_EQ(key.fields.at("profiles"), "{}");
}

TEST(EngineKey, is_the_same_for_the_same_build) {
  EXPECT_EQ(key_with({}).hash(), key_with({}).hash());
  EXPECT_THAT(key_with({}).differences(key_with({})), ElementsAre());
  EXPECT_EQ(key_with({}).hash().size(), 64U);
}

TEST(EngineKey, knows_nothing_of_where_the_build_ran) {
  const std::string hash = key_with({}).hash();
  EXPECT_EQ(key_with({.timing_cache = "x"}).hash(), hash);
  EXPECT_EQ(key_with({.device = Device{DeviceKind::kCuda, 3}}).hash(), hash) << "equal GPUs share an engine";
  EXPECT_EQ(key_with({.timeout = std::chrono::seconds(1)}).hash(), hash);
}

TEST(EngineKey, is_the_same_on_all_gpus_that_may_load_the_engine) {
  HostFacts a = kHost, b = kHost;
  a.fit = {{"tensorrt", "10.6"}, {"cc", "8.6"}, {"sm_count", "84"}};
  b.fit = {{"tensorrt", "10.6"}, {"cc", "9.0"}, {"sm_count", "132"}};
  const auto key = [](const BuildConfig& config, const HostFacts& host) {
    return EngineKey::of(model_of(1), "c0ffee", config, "tensorrt", host);
  };
  EXPECT_THAT(key({}, a).differences(key({}, b)), ElementsAre("fit.cc", "fit.sm_count"));
  const BuildConfig all{.hardware = HardwareLevel::kAmperePlus};
  EXPECT_EQ(key(all, a).hash(), key(all, b).hash());
  EXPECT_EQ(key(all, a).fields.at("fit.cc"), "8.0+");
  EXPECT_FALSE(key(all, a).fields.contains("fit.sm_count"));
  EXPECT_EQ(key(all, a).fields.at("fit.tensorrt"), "10.6");
  EXPECT_NE(key(all, a).hash(), key({}, a).hash());
}

TEST(EngineKey, each_part_changes_the_hash_and_is_named) {
  const EngineKey key = key_with({});
  std::set<std::string> hashes{key.hash()};
  const auto differs = [&](const EngineKey& other, const std::string& field) {
    EXPECT_THAT(key.differences(other), ElementsAre(field));
    EXPECT_THAT(other.differences(key), ElementsAre(field));
    EXPECT_TRUE(hashes.insert(other.hash()).second) << field;
  };
  differs(EngineKey::of(model_of(2), "c0ffee", {}, "openvino", kHost), "model");
  differs(EngineKey::of(model_of(1), "", {}, "openvino", kHost), "contract");
  differs(EngineKey::of(model_of(1), "c0ffee", {}, "tensorrt", kHost), "backend");
  HostFacts host = kHost;
  host.version = "2026.4.2";
  differs(EngineKey::of(model_of(1), "c0ffee", {}, "openvino", host), "backend_version");
  host = kHost;
  host.fit[1].second = "avx512";
  differs(EngineKey::of(model_of(1), "c0ffee", {}, "openvino", host), "fit.isa");
  host = kHost;
  host.fit.emplace_back("driver", "1");
  differs(EngineKey::of(model_of(1), "c0ffee", {}, "openvino", host), "fit.driver");
  differs(key_with({.precision = Precision::kF32}), "precision");
  differs(key_with({.max_batch = 2}), "max_batch");
  differs(key_with({.threads = 2}), "threads");
  differs(key_with({.hint = PerformanceHint::kThroughput}), "hint");
  differs(key_with({.workspace = Workspace{.bytes = 1 << 20}}), "workspace");
  differs(key_with({.workspace = Workspace{.percent = 90}}), "workspace");
  differs(key_with({.optimization_level = 0}), "optimization_level");
  differs(key_with({.tf32 = true}), "tf32");
  differs(key_with({.version_compatible = true}), "version_compatible");
  differs(key_with({.aux_streams = 0}), "aux_streams");
  differs(key_with({.dla_core = 0}), "dla_core");
  differs(key_with({.profiles = {parse_profile("x=1x3x8x8").value()}}), "profiles");
  differs(key_with({.profiles = {parse_profile("x=1x3x8x8:2x3x8x8:2x3x8x8").value()}}), "profiles");
  differs(key_with({.profiles = {parse_profile("x=1x3x8x8:1x3x8x8:2x3x8x8").value()}}), "profiles");
}

TEST(EngineKey, timeout_isolation_timing_cache_target_and_info_do_not_count) {
  BuildConfig config;
  config.timing_cache = "/var/cache/timing";
  config.timeout = std::chrono::seconds(7);
  config.isolation = BuildConfig::Isolation::kProcess;
  HostFacts host = kHost;
  host.info = {};
  EXPECT_THAT(key_with({}).differences(EngineKey::of(model_of(1), "c0ffee", config, "openvino", host)), ElementsAre());
}

TEST(EngineKey, the_order_of_profiles_does_not_count_but_one_that_stands_twice_does) {
  const ShapeProfile a = parse_profile("a=1x3x8x8").value(), b = parse_profile("b=2x3x8x8").value(),
                     a2 = parse_profile("a=4x3x8x8").value();
  EXPECT_EQ(key_with({.profiles = {a, b}}).hash(), key_with({.profiles = {b, a}}).hash());
  EXPECT_NE(key_with({.profiles = {a, a2}}).hash(), key_with({.profiles = {a2, a}}).hash());
  EXPECT_NE(key_with({.profiles = {a, a2}}).hash(), key_with({.profiles = {a2}}).hash());
}

TEST(EngineKey, the_hash_is_that_of_the_canonical_text) {
  EngineKey key;
  key.fields = {{"b", "2"}, {"a", "\"1\"\n"}};
  Sha256 hash;
  hash.update("tern-key-v1\n{\"a\":\"\\\"1\\\"\\n\",\"b\":\"2\"}");
  EXPECT_EQ(key.hash(), to_hex(hash.finish())) << "stored engines are found by this hash: it must never change";
}

TEST(EngineKey, fields_that_could_run_into_each_other_stay_apart) {
  std::set<std::string> hashes;
  const std::vector<std::map<std::string, std::string>> keys{
      {},
      {{"a", ""}},
      {{"", "a"}},
      {{"a", "b"}},
      {{"ab", ""}},
      {{"a", "b"}, {"c", "d"}},
      {{"a", "b\",\"c\":\"d"}},
      {{"a", "\xff"}},
      {{"a", "\xfe"}},
      {{"a", "\xef\xbf\xbd"}},
      {{"61", "ff"}},
      {{"\xff", "a"}},
  };
  for (const auto& fields : keys)
    EXPECT_TRUE(hashes.insert(EngineKey{fields}.hash()).second) << hashes.size();
}

TEST(EngineKey, differences_name_fields_of_either_side_once_and_sorted) {
  const EngineKey one{{{"b", "1"}, {"c", "1"}, {"same", "1"}}}, other{{{"a", "1"}, {"c", "2"}, {"same", "1"}}};
  EXPECT_THAT(one.differences(other), ElementsAre("a", "b", "c"));
  EXPECT_THAT(other.differences(one), ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace tern
