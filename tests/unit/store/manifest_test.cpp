// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/manifest.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/places.h"
#include "unit/store/store_fixture.h"

namespace tern {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::vector<std::byte>& engine() {
  static const auto kBytes = test::random_bytes(EngineManifest::kChunkBytes + 5);
  return kBytes;
}

json whole() {
  return json::parse(test::complete_manifest(engine()).to_json());
}

Status read(const json& document) {
  return EngineManifest::from_json(document.dump(), "a.json").status();
}

TEST(EngineManifest, comes_back_as_it_was_written) {
  const EngineManifest m = test::complete_manifest(engine());
  const EngineManifest back = EngineManifest::from_json(m.to_json(), "a.json").value();
  EXPECT_EQ(back.to_json(), m.to_json());
  EXPECT_EQ(back.key.fields, m.key.fields);
  EXPECT_EQ(back.name, m.name);
  EXPECT_EQ(back.stem, m.stem);
  EXPECT_EQ(back.precision, m.precision);
  EXPECT_EQ(back.layers, m.layers);
  EXPECT_EQ(back.notes, m.notes);
  EXPECT_EQ(back.size, m.size);
  EXPECT_EQ(back.chunks, m.chunks);
  EXPECT_EQ(back.golden.frames, 2);
  EXPECT_TRUE(back.golden.independent);
  EXPECT_EQ(back.opt_buffer_bytes, 5'000'000'000U);
  EXPECT_EQ(back.inputs[0].shape, (Shape{Shape::kDynamic, 3, 640, 640}));
  EXPECT_EQ(back.outputs[1].shape.rank(), 0U);
  EXPECT_EQ(back.outputs[1].dtype, DType::kI64);
  EXPECT_EQ(back.contract, m.contract);
  EXPECT_EQ(back.build_config, m.build_config);
  EXPECT_EQ(back.build_seconds, 1.25);
}

TEST(EngineManifest, name_and_key_must_agree_on_who_may_load_the_engine) {
  const auto refused = [](const std::string& name, const std::map<std::string, std::string>& fields) {
    EngineManifest m = test::complete_manifest(engine());
    m.name = name;
    m.precision = Precision::kF32;
    for (const auto& [field, value] : fields)
      m.key.fields[field] = value;
    return EngineManifest::from_json(m.to_json(), "a.json").status();
  };
  const std::map<std::string, std::string> hardware{{"hardware", "ampere_plus"}},
      version{{"version_compatible", "true"}};
  EXPECT_TRUE(refused("yolo.v8.hw_ampere_plus.fp32.engine", hardware).ok());
  EXPECT_TRUE(refused("yolo.v8.cc_9.0_sm_132.vc.fp32.engine", version).ok());
  for (const Status& status :
       {refused("yolo.v8.hw_ampere_plus.fp32.engine", {}), refused("yolo.v8.cc_9.0_sm_132.fp32.engine", hardware),
        refused("yolo.v8.cc_9.0_sm_132.vc.fp32.engine", {}), refused("yolo.v8.cc_9.0_sm_132.fp32.engine", version)}) {
    EXPECT_EQ(status.code(), StatusCode::kEngineGateError);
    EXPECT_THAT(status.where(), ::testing::HasSubstr("name"));
  }
}

TEST(EngineManifest, without_golden_frames_and_contract_comes_back_too) {
  EngineManifest m = test::complete_manifest(engine());
  m.golden = {};
  m.contract.clear();
  m.driver = "570.1";
  m.layers.clear();
  const EngineManifest back = EngineManifest::from_json(m.to_json(), "a.json").value();
  EXPECT_EQ(back.to_json(), m.to_json());
  EXPECT_TRUE(back.golden.sha256.empty());
  EXPECT_TRUE(back.contract.empty());
  EXPECT_EQ(back.driver, "570.1");
}

// The seeds of the fuzzer were written by a program that shares nothing with this one: the format is what it was.
TEST(EngineManifest, manifests_of_another_writer_are_read) {
  for (const char* name : {"whole", "plain"}) {
    const std::string text = test::read(std::string(TERN_SOURCE_DIR "/fuzz/corpus/manifest/") + name);
    const auto manifest = EngineManifest::from_json(text, name);
    EXPECT_TRUE(manifest.ok()) << manifest.status().to_string();
  }
}

TEST(EngineManifest, is_written_with_sorted_keys_and_one_space) {
  const std::string text = test::complete_manifest(engine()).to_json();
  EXPECT_TRUE(text.starts_with("{\n \"backend\": \"openvino\",\n \"backend_version\":")) << text.substr(0, 80);
  EXPECT_TRUE(text.ends_with("}\n"));
  EXPECT_THAT(text, HasSubstr("\"shape\": [\n    -1,\n    3,"));
}

/// Calls `visit` with the path of every value but those that are free in kind (key fields, layers, contract, build config).
void each_path(const json& value, const json::json_pointer& at,
               const std::function<void(const json::json_pointer&)>& visit) {
  if (!value.is_object()) return;
  for (const auto& [name, inner] : value.items()) {
    visit(at / name);
    const std::string path = (at / name).to_string();
    if (path != "/key/fields" && path != "/layers" && path != "/contract" && path != "/build_config")
      each_path(inner, at / name, visit);
  }
}

TEST(EngineManifest, every_field_that_is_missing_is_named) {
  int fields = 0;
  each_path(whole(), json::json_pointer(), [&](const json::json_pointer& path) {
    if (path.to_string() == "/choice") return;  // only where backends were compared
    json document = whole();
    document[path.parent_pointer()].erase(path.back());
    const Status status = read(document);
    EXPECT_EQ(status.code(), StatusCode::kEngineGateError) << path.to_string();
    EXPECT_THAT(status.where(), HasSubstr(path.back())) << path.to_string();
    EXPECT_THAT(status.where(), HasSubstr("a.json"));
    EXPECT_THAT(status.message(), HasSubstr("is missing"));
    EXPECT_FALSE(status.hint().empty());
    ++fields;
  });
  for (const char* list : {"inputs", "outputs"}) {
    for (const char* field : {"name", "dtype", "shape"}) {
      json document = whole();
      document[list][0].erase(field);
      EXPECT_THAT(read(document).where(), HasSubstr(std::string(list) + "[0]." + field));
      ++fields;
    }
  }
  EXPECT_EQ(fields, 24 + 2 + 5 + 6);
}

TEST(EngineManifest, every_field_of_another_type_is_refused) {
  const std::vector<json> values{nullptr,
                                 true,
                                 -1,
                                 1.5,
                                 "text",
                                 json::array(),
                                 json::array({nullptr}),
                                 json::object(),
                                 json::object({{"a", nullptr}})};
  each_path(whole(), json::json_pointer(), [&](const json::json_pointer& path) {
    for (const json& value : values) {
      json document = whole();
      if (document[path].type() == value.type() || (document[path].is_number() && value.is_number())) continue;
      const bool may_be_null = path.to_string() == "/golden" || path.to_string() == "/contract";
      if (may_be_null && value.is_null()) continue;
      document[path] = value;
      EXPECT_EQ(read(document).code(), StatusCode::kEngineGateError) << path.to_string() << " = " << value;
    }
  });
}

TEST(EngineManifest, unknown_keys_are_refused_at_every_level) {
  for (const char* parent : {"", "/key", "/golden", "/inputs/0", "/outputs/1"}) {
    json document = whole();
    document[json::json_pointer(parent)]["extra"] = 1;
    EXPECT_THAT(read(document).where(), HasSubstr("'extra'")) << parent;
  }
  json document = whole();
  document["$schema"] = "x";
  EXPECT_FALSE(read(document).ok());
}

TEST(EngineManifest, values_that_cannot_be_are_refused_by_name) {
  const std::vector<std::tuple<std::string, json, std::string>> cases{
      {"/format", 2, "format"},
      {"/name", "", "name"},
      {"/name", "a/b.x86_64_avx2.fp32.engine", "name"},
      {"/name", "other.x86_64_avx2.fp32.engine", "stem"},
      {"/name", "yolo.v8.x86_64_avx2.int8.engine", "precision"},
      {"/stem", "yolo.v9", "stem"},
      {"/backend", "tensorrt", "backend"},
      {"/backend", "a\nb", "backend"},
      {"/backend_version", "2025.1", "backend_version"},
      {"/engine_id", "", "engine_id"},
      {"/precision", "auto", "precision"},
      {"/precision", "fp32", "precision"},
      {"/precision", "f16", "precision"},
      {"/layers/f32", -1, "layers.f32"},
      {"/layers/f32", "1", "layers.f32"},
      {"/layers/f32", 3'000'000'000, "layers.f32"},
      {"/notes", "text", "notes"},
      {"/notes", json::array({1}), "notes"},
      {"/notes", json::array({"a\x1b[2J"}), "notes"},
      {"/size", 0, "size"},
      {"/size", -5, "size"},
      {"/size", EngineManifest::kChunkBytes, "chunks"},
      {"/size", UINT64_MAX, "chunks"},
      {"/size", 2 * EngineManifest::kChunkBytes + 1, "chunks"},
      {"/sha256", std::string(64, 'G'), "sha256"},
      {"/sha256", std::string(64, 'A'), "sha256"},
      {"/sha256", std::string(63, 'a'), "sha256"},
      {"/chunks/0", std::string(64, '0'), "root"},
      {"/chunks/1", "0", "chunks"},
      {"/root", std::string(64, '0'), "root"},
      {"/key/hash", std::string(64, '0'), "key.hash"},
      {"/key/fields/model", "other", "key.hash"},
      {"/key/fields/model", 1, "key.fields"},
      {"/key/fields", json::object(), "key.fields"},
      {"/golden/sha256", "", "golden.sha256"},
      {"/golden/frames", 0, "golden.frames"},
      {"/golden/source", "hearsay", "golden.source"},
      {"/golden/reference", "", "golden.reference"},
      {"/inputs", json::array(), "inputs"},
      {"/inputs/0/dtype", "f33", "inputs[0].dtype"},
      {"/inputs/0/shape/0", -2, "inputs[0].shape"},
      {"/inputs/0/shape/0", UINT64_MAX, "inputs[0].shape"},
      {"/inputs/0/shape/0", 1.5, "inputs[0].shape"},
      {"/outputs/0/shape", std::vector<int>(9, 1), "outputs[0].shape"},
      {"/contract/task", "dream", "contract"},
      {"/contract/input/width", 8, "contract"},
      {"/build_config/max_batch", -1, "build_config"},
      {"/build_seconds", -1, "build_seconds"},
      {"/built_at", "2026-11-21 10:00:00", "built_at"},
      {"/built_at", "yesterday", "built_at"},
      {"/driver", "a\x1b[2J", "driver"},
      {"/tern_version", "", "tern_version"},
  };
  for (const auto& [path, value, named] : cases) {
    json document = whole();
    document[json::json_pointer(path)] = value;
    const Status status = read(document);
    EXPECT_EQ(status.code(), StatusCode::kEngineGateError) << path << " = " << value;
    EXPECT_EQ(status.where(), "a.json: " + named) << path << " = " << value << ": " << status.to_string();
  }
}

TEST(EngineManifest, messages_carry_no_control_characters_of_the_file) {
  json document = whole();
  document["layers"]["a\x1b[2J"] = 1;
  EXPECT_THAT(read(document).to_string(), testing::Not(HasSubstr("\x1b")));
  document = whole();
  document["build_config"]["profiles"]["a\x1b[2J"] = 1;
  EXPECT_FALSE(read(document).ok());
  EXPECT_THAT(read(document).to_string(), testing::Not(HasSubstr("\x1b")));
}

TEST(EngineManifest, text_that_is_no_json_or_too_much_of_it_is_refused) {
  const std::string good = test::complete_manifest(engine()).to_json();
  for (const std::string& text : {std::string(), std::string("{"), good + "{}", "\xff" + good, good.substr(1)})
    EXPECT_EQ(EngineManifest::from_json(text, "a").status().code(), StatusCode::kEngineGateError);
  EXPECT_THAT(EngineManifest::from_json("{\"name\":1,\"name\":2}", "a").status().message(), HasSubstr("twice"));
  EXPECT_TRUE(EngineManifest::from_json(good + std::string(1000, ' '), "a").ok());
  const auto huge = EngineManifest::from_json(good + std::string(EngineManifest::kMaxBytes, ' '), "a");
  EXPECT_THAT(huge.status().message(), HasSubstr("the limit is 16777216"));
}

TEST(EngineManifest, cut_off_anywhere_it_is_refused) {
  const std::string good = test::complete_manifest(engine()).to_json();
  for (const std::size_t length : test::places_in(good.size() - 2))
    ASSERT_FALSE(EngineManifest::from_json(std::string_view(good).substr(0, length), "a").ok()) << length;
}

TEST(ChunkDigests, are_the_same_for_any_number_of_threads_and_cover_every_byte) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{4} << 20, (std::size_t{4} << 20) + 1, std::size_t{20} << 20}) {
    const auto bytes = test::random_bytes(size);
    const auto digests = chunk_digests(bytes, 1);
    ASSERT_EQ(digests.size(), (size + EngineManifest::kChunkBytes - 1) / EngineManifest::kChunkBytes);
    for (std::size_t i = 0; i < digests.size(); ++i) {
      const std::size_t from = i * EngineManifest::kChunkBytes;
      const std::size_t count = std::min<std::size_t>(size - from, EngineManifest::kChunkBytes);
      EXPECT_EQ(digests[i], Sha256::of(std::span(bytes).subspan(from, count)));
    }
    for (const int threads : {-1, 0, 2, 3, 1000})
      EXPECT_EQ(chunk_digests(bytes, threads), digests);
  }
}

TEST(HexDigest, is_64_lower_case_digits) {
  const Sha256::Digest digest = Sha256::of({});
  EXPECT_EQ(parse_hex_digest(to_hex(digest)), digest);
  for (const std::string& bad :
       {std::string(), std::string(63, '0'), std::string(65, '0'), std::string(64, 'A'), std::string(64, 'g')})
    EXPECT_FALSE(parse_hex_digest(bad).has_value());
}

}  // namespace
}  // namespace tern
