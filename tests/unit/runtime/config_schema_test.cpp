// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The published schemas and docs/configuration.md, held against the code.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "json_schema.h"
#include "runtime/config_keys.h"
#include "tern/engine.h"

namespace tern {
namespace {

using nlohmann::json;
using test::valid;
using ::testing::HasSubstr;

std::string source_text(const std::string& name) {
  return read_text_file(std::filesystem::path(TERN_SOURCE_DIR) / name, 1 << 20).value();
}

json schema_of(const std::string& name) {
  return json::parse(source_text("docs/schemas/" + name + ".schema.json"));
}

/// The keys of a schema ("store.path"), with the rule of each.
std::map<std::string, json> keys_of(const json& schema, const std::string& prefix = "") {
  std::map<std::string, json> keys;
  EXPECT_EQ(schema["additionalProperties"], false);
  for (const auto& [name, rule] : schema["properties"].items()) {
    if (name == "$schema") continue;
    if (rule.contains("properties")) {
      keys.merge(keys_of(rule, prefix + name + "."));
    } else {
      EXPECT_TRUE(rule.contains("description")) << prefix << name;
      keys[prefix + name] = rule;
    }
  }
  return keys;
}

/// Whether the code takes the text as a file, values included.
bool runtime_takes(const std::string& text) {
  const auto values = read_config_json(text);
  if (!values.ok()) return false;
  RuntimeConfig config;
  return std::ranges::all_of(config_keys(), [&](const ConfigKey& key) {
    const auto value = values->find(std::string(key.name));
    return value == values->end() || key.set(config, value->second, "/", "/home").ok();
  });
}

bool build_takes(const std::string& text) {
  return BuildConfig::from_json(text, "").ok();
}

const json kCandidates = json::parse(
    R"(["x", "", "~/x", "/x", "4GiB", "4 GiB", "4GB", "0", "1", "007", "128MiB", "1.5GiB", "-1", "4gib", "GiB",
  "90%", "100%", "0%", "101%", "1%", "05%", "%", 0, 1, 2, -1, 8, 600, 604800, 604801, 1024, 1025, 4096, 4097, 4294967296, 18446744073709551615,
  0.5, 1.5, true, false, null, [], [1], [1, 3, 640, 640], {}, "always", "first_load", "never", "at_load", "on_fault", "Always", "auto", "f32", "fp32",
  "f16", "fp16", "bf16", "i8", "int8", "mixed", "fp8", "latency", "throughput", "in_process", "process"])");

TEST(RuntimeConfigSchema, lists_the_keys_and_words_of_the_code) {
  const auto in_schema = keys_of(schema_of("runtime-config"));
  EXPECT_EQ(in_schema.size(), config_keys().size());
  for (const ConfigKey& key : config_keys()) {
    ASSERT_TRUE(in_schema.contains(std::string(key.name))) << key.name;
    const json& rule = in_schema.at(std::string(key.name));
    EXPECT_EQ(rule.value("enum", json::array()), json(key.words())) << key.name;
  }
}

TEST(RuntimeConfigSchema, judges_like_the_code) {
  const json schema = schema_of("runtime-config");
  int accepted = 0;
  const auto compare = [&](const json& file) {
    const bool ok = runtime_takes(file.dump());
    EXPECT_EQ(valid(schema, file), ok) << file.dump();
    accepted += ok ? 1 : 0;
  };
  compare(json::object());
  for (const json& value : kCandidates) {
    compare({{"unknown", value}});
    for (const auto& [name, rule] : schema["properties"].items()) {
      if (name == "$schema") continue;
      compare({{name, value}});
      if (!rule.contains("properties")) continue;
      for (const auto& [inner, ignored] : rule["properties"].items())
        compare({{name, {{inner, value}}}});
      compare({{name, {{"unknown", value}}}});
    }
  }
  EXPECT_GT(accepted, 100);
}

TEST(BuildConfigSchema, lists_the_keys_that_a_config_prints) {
  std::set<std::string> printed, in_schema;
  const json whole = json::parse(BuildConfig{}.to_json()), schema = schema_of("build-config");
  for (const auto& [name, value] : whole.items())
    printed.insert(name);
  for (const auto& [name, rule] : schema["properties"].items()) {
    if (name != "$schema") in_schema.insert(name);
  }
  EXPECT_EQ(printed, in_schema);
  EXPECT_TRUE(valid(schema, whole));
}

TEST(BuildConfigSchema, judges_like_the_code) {
  const json schema = schema_of("build-config");
  int accepted = 0;
  const auto compare = [&](const json& file) {
    const bool ok = build_takes(file.dump());
    EXPECT_EQ(valid(schema, file), ok) << file.dump();
    accepted += ok ? 1 : 0;
  };
  const json shape = json::array({1, 3, 8});
  for (const json& value : kCandidates) {
    compare({{"unknown", value}});
    compare({{"profiles", {{"x", value}}}});
    compare({{"profiles", {{"x", {{"min", value}, {"opt", value}, {"max", value}}}}}});
    compare({{"profiles", {{"x", {{"min", shape}, {"opt", shape}, {"max", shape}, {"unknown", value}}}}}});
    for (const auto& [name, rule] : schema["properties"].items()) {
      if (name != "$schema") compare({{name, value}});
    }
  }
  for (const json& dims : {json::array({1, 3, 8}), json::array({0}), json::array({-1}), json::array({1.5}),
                           json::array({"1"}), json::array({2147483648}), json::array({2147483647}),
                           json::array({1, 1, 1, 1, 1, 1, 1, 1}), json::array({1, 1, 1, 1, 1, 1, 1, 1, 1})})
    compare({{"profiles", {{"x", {{"min", dims}, {"opt", dims}, {"max", dims}}}}}});
  compare({{"profiles", {{"x", {{"min", shape}, {"max", shape}}}}}});
  EXPECT_GT(accepted, 30);
}

TEST(ConfigurationPage, its_examples_are_valid_and_it_explains_every_key) {
  const std::string page = source_text("docs/configuration.md");
  std::vector<std::string> examples;
  for (std::size_t at = page.find("```json\n"); at != std::string::npos; at = page.find("```json\n", at + 1))
    examples.push_back(page.substr(at + 8, page.find("```", at + 8) - at - 8));
  ASSERT_EQ(examples.size(), 2U);
  EXPECT_TRUE(runtime_takes(examples[0]));
  EXPECT_TRUE(valid(schema_of("runtime-config"), json::parse(examples[0])));
  EXPECT_TRUE(build_takes(examples[1]));
  EXPECT_TRUE(valid(schema_of("build-config"), json::parse(examples[1])));
  for (const ConfigKey& key : config_keys()) {
    const std::string flag = key.flag.empty() ? "" : "`" + std::string(key.flag) + "`";
    EXPECT_THAT(page, HasSubstr("| `" + std::string(key.name) + "` | " + flag)) << key.name;
    for (const std::string_view word : key.words())
      EXPECT_THAT(page, HasSubstr("`" + std::string(word) + "`"));
  }
  const json build_schema = schema_of("build-config");
  for (const auto& [name, rule] : build_schema["properties"].items()) {
    if (name == "$schema") continue;
    EXPECT_THAT(page, HasSubstr("| `" + name + "` |"));
  }
}

}  // namespace
}  // namespace tern
