// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The published schema and docs/pipelines.md, held against the code. JSON is YAML, so both can judge the same text.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "json_schema.h"
#include "tern/pipeline_spec.h"

namespace tern {
namespace {

using nlohmann::json;
using test::valid;
using ::testing::HasSubstr;

std::string source_text(const std::string& name) {
  return read_text_file(std::filesystem::path(TERN_SOURCE_DIR) / name, 1 << 20).value();
}

const json& schema() {
  static const json loaded = json::parse(source_text("docs/schemas/pipeline.schema.json"));
  return loaded;
}

/// A document with an entry of each kind, in which any value may be changed and still be judged by itself.
json document() {
  return json::parse(R"({"version": 1,
    "sources": [
      {"name": "a", "kind": "images", "path": "p", "deadline": "1s"},
      {"name": "b", "kind": "video", "path": "p", "deadline": "1s"},
      {"name": "c", "kind": "rtsp", "url": "rtsp://h", "deadline": "1s"},
      {"name": "d", "kind": "v4l2", "device": "/dev/video0", "deadline": "1s"},
      {"name": "e", "kind": "pattern", "rate": 1, "width": 4, "height": 4, "deadline": "1s"}],
    "models": [{"name": "m", "file": "m.onnx"}, {"name": "n", "file": "n.onnx"},
      {"name": "o", "file": "o.onnx", "crops_of": "m"}, {"name": "s", "file": "s.onnx", "standby": true}],
    "sinks": [{"kind": "json_lines", "path": "p"}, {"kind": "video", "path": "p", "source": "a"}, {"kind": "web"},
      {"kind": "http", "url": "http://h"}],
    "policy": {"batching": "fixed"},
    "thermal": {"steps": [{"at": 149, "back": -39}]}})");
}

const json kCandidates = json::parse(
    R"(["x", "", "m", "n", "a", "1s", "33.3ms", "5", "5 ms", "2min", "250000us", ".5s", 0, 1, 2, -1, 0.5, 1.5, -101, 64, 65, 100, 101, 1000, 1001,
  1024, 1025, 4096, 4097, 16384, 16385, 65535, 65536, 1e3, true, false, null, [], {}, [1], ["m"], ["n", "m"], [""], "newest", "queue", "tcp", "udp",
  "images", "video", "rtsp", "web", "http", "load", "single", "fixed", "fifo", "earliest_deadline", "round_robin", "auto", "int8", "i8", "f32", "fp8",
  "mixed", "rtsp://x", "rtsps://x", "http://x", "https://x", "ftp://x", "127.0.0.1", "-x", "a b"])");

/// What a schema cannot say: names must exist and be unique, keys may depend on each other, durations and names have their bounds.
bool is_beyond_schemas(const Status& status) {
  for (const std::string_view part : {"there is no model",
                                      "there is no source",
                                      "is the name of",
                                      "needs its own results",
                                      "a model cannot need",
                                      "either boxes or masks",
                                      "add up to",
                                      "which is not among them",
                                      "nothing would run",
                                      "is on standby",
                                      "is not on standby",
                                      "needs the other side",
                                      "only frames: queue",
                                      "only a model with crops_of",
                                      "only a model with region_mask",
                                      "only batching",
                                      "loses nearly all",
                                      "must be within 1ms",
                                      "must be within 0s",
                                      "can be reached from other machines",
                                      "stands twice",
                                      "must be below",
                                      "no name"}) {
    if (status.message().find(part) != std::string::npos) return true;
  }
  return false;
}

int compare(const json& file) {
  const auto spec = PipelineSpec::parse(file.dump(), "p");
  const bool ok = valid(schema(), file);
  if (spec.ok()) {
    EXPECT_TRUE(ok) << file.dump();
  }
  if (!spec.ok() && !is_beyond_schemas(spec.status())) {
    EXPECT_FALSE(ok) << file.dump() << "\n" << spec.status().to_string();
  }
  return spec.ok() ? 1 : 0;
}

/// Every key that a schema of an object knows, with those of its alternatives.
std::set<std::string> keys_of(const json& rule) {
  std::set<std::string> keys;
  if (rule.contains("oneOf")) {
    for (const json& one : rule["oneOf"]) {
      for (const std::string& key : keys_of(one))
        keys.insert(key);
    }
  }
  if (rule.contains("properties")) {
    for (const auto& [key, ignored] : rule["properties"].items())
      keys.insert(key);
  }
  return keys;
}

/// The document with entry `index` of `section` alone, and what it refers to: small, since it is judged many times.
json with_one(const std::string& section, std::size_t index) {
  json file = document();
  const json entry = file[section][index];
  file["models"] = json::array({file["models"][0]});
  if (section != "sources") file["sources"] = json::array({file["sources"][0]});
  if (section != "sinks") file["sinks"] = json::array();
  if (section == "models" && index > 0) {
    file[section].push_back(entry);
  } else {
    file[section] = json::array({entry});
  }
  return file;
}

TEST(PipelineSchema, judges_like_the_code) {
  ASSERT_EQ(compare(document()), 1);
  int accepted = 0;
  const json& properties = schema()["properties"];
  for (const auto& [section, rule] : properties.items()) {
    for (std::size_t i = 0; rule.contains("items") && i < document()[section].size(); ++i) {
      const json one = with_one(section, i);
      ASSERT_EQ(compare(one), 1) << one.dump();
      for (const std::string& key : keys_of(rule["items"])) {
        const json& entry = rule["items"];
        const bool is_own = !entry.contains("oneOf") || (keys_of(entry["oneOf"][i]).contains(key) &&
                                                         (i == 0 || !keys_of(entry["oneOf"][0]).contains(key)));
        // A key of another kind is refused whatever its value is, and one that all kinds have is tried with the first: a few will do.
        const std::size_t count = is_own ? kCandidates.size() : 3;
        for (std::size_t value = 0; value < count; ++value) {
          json changed = one;
          changed[section].back()[key] = kCandidates[value];
          accepted += compare(changed);
        }
      }
    }
    json changed = with_one("sources", 0);
    for (const json& value : kCandidates) {
      changed[section] = value;
      accepted += compare(changed);
    }
  }
  EXPECT_GT(accepted, 200);
}

TEST(PipelineSchema, judges_sections_like_the_code) {
  int accepted = 0;
  const json& properties = schema()["properties"];
  for (const json& value : kCandidates) {
    for (const std::string section : {"policy", "thermal"}) {
      for (const std::string& key : keys_of(properties[section])) {
        json changed = with_one("sources", 0);
        changed[section][key] = value;
        accepted += compare(changed);
      }
    }
    for (const std::string& key : keys_of(properties["thermal"]["properties"]["steps"]["items"])) {
      json changed = with_one("sources", 0);
      changed["thermal"]["steps"][0][key] = value;
      accepted += compare(changed);
    }
  }
  EXPECT_GT(accepted, 20);
}

TEST(PipelineSchema, judges_missing_keys_like_the_code) {
  for (const std::string section : {"sources", "models", "sinks"}) {
    for (std::size_t i = 0; i < document()[section].size(); ++i) {
      const json one = with_one(section, i);
      for (const auto& [key, ignored] : one[section].back().items()) {
        json changed = one;
        changed[section].back().erase(key);
        (void)compare(changed);
      }
    }
  }
  const json whole = document();
  for (const auto& [key, ignored] : whole.items()) {
    json changed = whole;
    changed.erase(key);
    (void)compare(changed);
  }
}

TEST(PipelinePage, its_example_is_valid_and_it_explains_every_key_and_end) {
  const std::string page = source_text("docs/pipelines.md");
  const std::size_t begin = page.find("```yaml\n") + 8;
  const std::string example = page.substr(begin, page.find("```", begin) - begin);
  const auto spec = PipelineSpec::parse(example, "docs/pipelines.md");
  EXPECT_TRUE(spec.ok()) << spec.status().to_string();
  const json& properties = schema()["properties"];
  for (const auto& [section, rule] : properties.items()) {
    const std::set<std::string> keys = keys_of(rule.contains("items") ? rule["items"] : rule);
    for (const std::string& key : keys) {
      if (key != "steps") {
        EXPECT_THAT(page, HasSubstr("`" + key + "`")) << section;
      }
    }
  }
  for (std::size_t i = 0; i < kFrameEnds; ++i)
    EXPECT_THAT(page, HasSubstr("| `" + std::string(to_string(static_cast<FrameEnd>(i))) + "` |"));
}

}  // namespace
}  // namespace tern
