// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What `auto` measured, in a manifest.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tern/manifest.h"
#include "unit/store/store_fixture.h"

namespace tern {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::vector<std::byte> kEngine = test::random_bytes(100);

BackendChoice choice() {
  return {.candidates = {{"abacus", "1.2", "f32", 10.0, ""},
                         {"slide rule", "3", "f32", 12.5, ""},
                         {"fingers", "10", "", 0, "it has too few"}},
          .runs = 30,
          .measured_at = "2026-11-25T10:00:00Z"};
}

EngineManifest with_choice() {
  EngineManifest manifest = test::complete_manifest(kEngine);
  manifest.choice = choice();
  return manifest;
}

TEST(BackendChoice, comes_back_from_a_manifest_as_it_was_written) {
  const EngineManifest m = with_choice();
  const EngineManifest back = EngineManifest::from_json(m.to_json(), "a.json").value();
  EXPECT_EQ(back.to_json(), m.to_json());
  ASSERT_TRUE(back.choice);
  EXPECT_DOUBLE_EQ(back.choice->margin(), 0.25);
  EXPECT_EQ(back.choice->to_string(),
            "abacus f32: 10.00 ms an inference, slide rule 12.50 ms (+25.0 %); fingers cannot serve: it has too few");
}

TEST(BackendChoice, manifests_without_one_are_read) {
  json document = json::parse(test::complete_manifest(kEngine).to_json());
  EXPECT_TRUE(document.at("choice").is_null());
  document.erase("choice");
  const auto manifest = EngineManifest::from_json(document.dump(), "old.json");
  ASSERT_TRUE(manifest.ok()) << manifest.status().to_string();
  EXPECT_FALSE(manifest->choice);
}

TEST(BackendChoice, damage_is_refused_with_its_place) {
  const std::vector<std::pair<std::string, std::function<void(json&)>>> damages{
      {"choice", [](json& c) { c = 7; }},
      {"choice.runs", [](json& c) { c["runs"] = -1; }},
      {"choice.candidates", [](json& c) { c["candidates"] = json::array(); }},
      {"choice.candidates", [](json& c) { std::swap(c["candidates"][0], c["candidates"][2]); }},
      {"choice.candidates[0].ms", [](json& c) { c["candidates"][0]["ms"] = 0; }},
      {"choice.candidates[2].ms", [](json& c) { c["candidates"][2]["ms"] = 1; }},
      {"choice.candidates[1].backend", [](json& c) { c["candidates"][1]["backend"] = ""; }},
      {"choice.candidates[1]", [](json& c) { c["candidates"][1]["version"] = "a\nb"; }},
      {"choice.candidates[1].'surprise'", [](json& c) { c["candidates"][1]["surprise"] = 1; }}};
  for (const auto& [where, damage] : damages) {
    json document = json::parse(with_choice().to_json());
    damage(document["choice"]);
    const Status status = EngineManifest::from_json(document.dump(), "a.json").status();
    EXPECT_EQ(status.code(), StatusCode::kEngineGateError) << where;
    EXPECT_THAT(status.to_string(), HasSubstr(where));
  }
}

TEST(BackendChoice, one_that_was_not_measured_has_no_margin) {
  BackendChoice alone{.candidates = {{"abacus", "1", "f32"}, {"fingers", "10", "", 0, "too few"}},
                      .measured_at = "now"};
  EXPECT_EQ(alone.second(), nullptr);
  EXPECT_EQ(alone.margin(), 0);
  EXPECT_EQ(alone.to_string(), "abacus f32; fingers cannot serve: too few");
}

}  // namespace
}  // namespace tern
