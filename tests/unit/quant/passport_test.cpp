// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/passport.h"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "json_schema.h"
#include "tern/calib_cache.h"
#include "unit/app/temporary_folder.h"

namespace tern {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using Kind = CalibrationVerdict::Kind;

const std::string kA(64, 'a'), kB(64, 'b'), kC(64, 'c');

CalibrationPassport sample() {
  return {.model_name = "m",
          .model_hash = kA,
          .contract_hash = kB,
          .dataset_hash = kC,
          .frames = 32,
          .method = "mse",
          .backend = "openvino 2026 x86_64",
          .wanted = 2,
          .covered = 2,
          .ranges = {{"images", 1.0F}, {"/conv: 0", 0.1F}, {"dead", 0.0F}}};
}

json schema() {
  return json::parse(read_text_file(TERN_SOURCE_DIR "/docs/schemas/calibration-passport.schema.json", 1 << 20).value());
}

TEST(Passport, ComesBackFromItsJsonBitForBit) {
  std::mt19937 random(9);
  CalibrationPassport passport = sample();
  for (int i = 0; i < 5000; ++i) {
    const auto range = std::bit_cast<float>(static_cast<std::uint32_t>(random()) >> 1U);
    if (std::isfinite(range)) passport.ranges.emplace("t" + std::to_string(i), range);
  }
  passport.ranges.emplace("largest", std::numeric_limits<float>::max());
  passport.ranges.emplace("smallest", std::numeric_limits<float>::denorm_min());
  const std::string text = passport.to_json();
  const auto again = CalibrationPassport::from_json(text, "p");
  ASSERT_TRUE(again.ok()) << again.status().to_string();
  EXPECT_EQ(*again, passport);
  EXPECT_EQ(again->to_json(), text);
  EXPECT_TRUE(test::valid(schema(), json::parse(text)));
}

TEST(Passport, NumbersAreWrittenAsPeopleWould) {
  EXPECT_THAT(sample().to_json(), HasSubstr("\"/conv: 0\": 0.1,"));
}

TEST(Passport, AnythingThatIsChangedChangesTheHash) {
  const std::string hash = sample().hash();
  EXPECT_EQ(sample().hash(), hash);
  CalibrationPassport other = sample();
  other.ranges["images"] = std::nextafter(1.0F, 2.0F);
  EXPECT_NE(other.hash(), hash);
  other = sample();
  other.model_hash = kB;
  EXPECT_NE(other.hash(), hash);
}

/// sample() with one change, as text.
std::string changed(const std::function<void(json&)>& change) {
  json document = json::parse(sample().to_json());
  change(document);
  return document.dump();
}

TEST(Passport, EachKeyIsNeededAndNoOtherIsKnown) {
  const json whole = json::parse(sample().to_json());
  const auto refused = [](const json& document, const std::string& key) {
    const auto passport = CalibrationPassport::from_json(document.dump(), "p.calib.json");
    ASSERT_FALSE(passport.ok()) << key;
    EXPECT_EQ(passport.status().code(), StatusCode::kCalibrationCacheError);
    EXPECT_THAT(passport.status().to_string(), HasSubstr(key));
    EXPECT_THAT(passport.status().to_string(), HasSubstr("p.calib.json"));
    EXPECT_THAT(passport.status().hint(), HasSubstr("calibrate again"));
    EXPECT_FALSE(test::valid(schema(), document)) << key;
  };
  for (const auto& [key, value] : whole.items()) {
    json less = whole;
    less.erase(key);
    refused(less, key);
    if (!value.is_object() || key == "ranges") continue;
    for (const auto& [inner, ignored] : value.items()) {
      json inner_less = whole;
      inner_less[key].erase(inner);
      refused(inner_less, key + "." + inner);
    }
    json more = whole;
    more[key]["extra"] = 1;
    refused(more, "extra");
  }
  json more = whole;
  more["extra"] = 1;
  refused(more, "extra");
}

TEST(Passport, RefusesWhatContradictsItself) {
  struct Case {
    const char* what;
    std::function<void(json&)> change;
  };
  const std::vector<Case> cases{
      {"format", [](json& p) { p["format"] = 2; }},
      {"model.sha256", [](json& p) { p["model"]["sha256"] = "A"; }},
      {"model.name", [](json& p) { p["model"]["name"] = "a\x1b[2J"; }},
      {"contract_sha256", [](json& p) { p["contract_sha256"] = ""; }},
      {"method", [](json& p) { p["method"] = "average"; }},
      {"percentile", [](json& p) { p["percentile"] = 99.9; }},
      {"percentile", [](json& p) { p["method"] = "percentile"; }},
      {"percentile", [](json& p) { p["method"] = "percentile", p["percentile"] = 10; }},
      {"imported_sha256", [](json& p) { p["imported_sha256"] = kA; }},
      {"imported_sha256", [](json& p) { p["method"] = "imported"; }},
      {"backend", [](json& p) { p["backend"] = nullptr; }},
      {"images.frames", [](json& p) { p["images"]["frames"] = 0; }},
      {"images.sha256", [](json& p) { p["images"]["sha256"] = nullptr; }},
      {"coverage.covered", [](json& p) { p["coverage"]["covered"] = 3; }},
      {"ranges", [](json& p) { p["ranges"] = json::object(); }},
      {"ranges", [](json& p) { p["ranges"] = json::array(); }},
      {"ranges.'x'", [](json& p) { p["ranges"]["x"] = -0.5; }},
      {"ranges.'x'", [](json& p) { p["ranges"]["x"] = 1e39; }},
      {"ranges.'x'", [](json& p) { p["ranges"]["x"] = "1"; }},
      {"ranges.'x'", [](json& p) { p["ranges"]["x"] = nullptr; }},
      {"ranges", [](json& p) { p["ranges"][""] = 1; }},
      {"ranges", [](json& p) { p["ranges"]["a\nb"] = 1; }},
      {"ranges", [](json& p) { p["ranges"][std::string(5000, 'x')] = 1; }},
  };
  for (const Case& one : cases) {
    const auto passport = CalibrationPassport::from_json(changed(one.change), "p");
    ASSERT_FALSE(passport.ok()) << one.what;
    EXPECT_EQ(passport.status().code(), StatusCode::kCalibrationCacheError);
    EXPECT_THAT(passport.status().to_string(), HasSubstr(one.what));
  }
  for (const std::string text : {"", "{", "[]", "null", "{\"format\": 1, \"format\": 1}"})
    EXPECT_EQ(CalibrationPassport::from_json(text, "p").status().code(), StatusCode::kCalibrationCacheError) << text;
  EXPECT_THAT(
      CalibrationPassport::from_json(std::string(CalibrationPassport::kMaxBytes + 1, ' '), "p").status().message(),
      HasSubstr("limit"));
}

// ---- the data set's hash

class DatasetHashTest : public ::testing::Test {
 protected:
  std::string hash(std::initializer_list<const char*> names) {
    DatasetHash dataset;
    for (const char* name : names)
      EXPECT_TRUE(dataset.add_file(folder_ / name).ok());
    return dataset.finish().value();
  }
  TemporaryFolder folder_;
};

TEST_F(DatasetHashTest, NamesAndOrderDoNotCountBytesAndNumberDo) {
  for (const auto& [name, content] : {std::pair{"a", "1"}, {"b", "2"}, {"c", "2"}, {"d", "3"}, {"e", "1"}})
    folder_.write(name, content);
  EXPECT_EQ(hash({"a", "b"}), hash({"b", "a"}));
  EXPECT_EQ(hash({"a", "b"}), hash({"c", "e"}));
  EXPECT_NE(hash({"a", "b"}), hash({"a", "d"}));
  EXPECT_NE(hash({"a", "b"}), hash({"a", "b", "c"})) << "the number counts";
  EXPECT_NE(hash({"a"}), hash({"b"}));
}

TEST_F(DatasetHashTest, IsWhatTheDocumentedShellLineGives) {
  folder_.write("a", "one");
  folder_.write("b", "two");
  folder_.write("c", "three");
  const std::string in = "cd '" + folder_.path().string() + "' && ";
  const std::string line = in + "(sha256sum a b c | cut -c1-64 | LC_ALL=C sort; echo 3) | sha256sum | cut -c1-64 > out";
  ASSERT_EQ(std::system(line.c_str()), 0);
  EXPECT_EQ(hash({"c", "a", "b"}) + "\n", read_text_file(folder_ / "out", 100).value());
}

TEST_F(DatasetHashTest, FramesOfAVideoAreTheirFileAndTheirNumber) {
  folder_.write("v", "video");
  folder_.write("w", "another");
  const auto frames = [&](const char* file, std::initializer_list<const char*> which) {
    DatasetHash dataset;
    for (const char* what : which)
      EXPECT_TRUE(dataset.add_part(folder_ / file, what).ok());
    return dataset.finish().value();
  };
  EXPECT_EQ(frames("v", {"frame 1", "frame 2"}), frames("v", {"frame 2", "frame 1"}));
  EXPECT_NE(frames("v", {"frame 1", "frame 2"}), frames("v", {"frame 1", "frame 3"}));
  EXPECT_NE(frames("v", {"frame 1"}), frames("w", {"frame 1"}));
}

TEST_F(DatasetHashTest, RefusesNothingTheSameAndWhatIsNoFile) {
  EXPECT_EQ(DatasetHash().finish().status().code(), StatusCode::kCalibrationCacheError);
  DatasetHash dataset;
  folder_.write("a", "same");
  folder_.write("b", "same");
  ASSERT_TRUE(dataset.add_file(folder_ / "a").ok());
  EXPECT_TRUE(dataset.finish().ok()) << "one image is a data set, if a poor one";
  ASSERT_TRUE(dataset.add_file(folder_ / "b").ok());
  EXPECT_EQ(dataset.finish().status().code(), StatusCode::kInputError);
  EXPECT_THAT(dataset.finish().status().message(), HasSubstr("all 2 files of the data set hold the same bytes"));
  EXPECT_EQ(dataset.add_file(folder_ / "missing").code(), StatusCode::kIoError);
  EXPECT_EQ(dataset.add_file(folder_.path()).code(), StatusCode::kIoError);
  ASSERT_EQ(std::system(("mkfifo '" + (folder_ / "pipe").string() + "'").c_str()), 0);
  EXPECT_EQ(dataset.add_file(folder_ / "pipe").code(), StatusCode::kIoError) << "and does not wait for a writer";
}

// ---- trust

class TrustTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(store_calibration(files_, sample(), 8601).ok()); }

  CalibrationVerdict judge() const {
    auto verdict = judge_calibration(files_, subject_);
    EXPECT_TRUE(verdict.ok()) << verdict.status().to_string();
    return verdict.ok() ? *verdict : CalibrationVerdict{};
  }
  /// The failure names what, and no file was changed.
  void refused(const std::string& what) const {
    const auto before = contents();
    const auto verdict = judge_calibration(files_, subject_);
    ASSERT_FALSE(verdict.ok()) << what;
    EXPECT_EQ(verdict.status().code(), StatusCode::kCalibrationCacheError) << verdict.status().to_string();
    EXPECT_THAT(verdict.status().to_string(), HasSubstr(what));
    EXPECT_FALSE(verdict.status().hint().empty()) << "the cure";
    EXPECT_EQ(store_calibration(files_, sample(), 8601).code(), StatusCode::kCalibrationCacheError)
        << "what cannot be judged is not overwritten";
    EXPECT_EQ(contents(), before);
  }
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      all[entry.path().filename()] = read_text_file(entry.path(), 1 << 20).value();
    return all;
  }
  void rewrite(const std::filesystem::path& path, const std::string& text) const {
    folder_.write(path.filename().string(), text);
  }

  TemporaryFolder folder_;
  CalibrationFiles files_ = CalibrationFiles::beside(folder_ / "m.onnx");
  CalibrationSubject subject_{kA, kB, kC};
};

TEST_F(TrustTest, TheFilesStandBesideTheModel) {
  EXPECT_EQ(files_.passport.filename(), "m.calib.json");
  EXPECT_EQ(files_.cache.filename(), "m.calib_cache");
  EXPECT_EQ(contents().size(), 4U);
  const std::string check =
      "cd '" + folder_.path().string() + "' && sha256sum --status --strict -c m.calib_cache.sha256";
  EXPECT_EQ(std::system(check.c_str()), 0);
  const auto cache = TensorrtCache::from_file(files_.cache).value();
  EXPECT_EQ(cache.version, 8601U);
  EXPECT_EQ(*cache.find("images"), scale_of(1.0F));
}

TEST_F(TrustTest, IsGivenWhenAllAgree) {
  EXPECT_EQ(judge().kind, Kind::kTrusted);
  EXPECT_EQ(judge().passport, sample());
  subject_.dataset_hash.reset();
  EXPECT_EQ(judge().kind, Kind::kTrusted) << "whatever images";
  rewrite(files_.sha256(), read_text_file(files_.sha256(), 1000).value().substr(0, 64));
  EXPECT_EQ(judge().kind, Kind::kTrusted) << "bare digits";
  std::filesystem::remove(files_.cache);
  std::filesystem::remove(files_.sha256());
  std::filesystem::remove(files_.dataset_sha256());
  EXPECT_EQ(judge().kind, Kind::kTrusted) << "the passport alone";
}

TEST_F(TrustTest, AnotherModelContractOrDataSetIsSaidAndMadeAnew) {
  subject_.model_hash = std::string(64, '0');
  EXPECT_EQ(judge().kind, Kind::kOther) << "a retrained model keeps its tensor names";
  EXPECT_THAT(judge().reason,
              HasSubstr("another model (SHA-256 aaaaaaaaaaaaaaaa..., this one is 0000000000000000...)"));
  subject_ = {kA, kC, kC};
  EXPECT_EQ(judge().kind, Kind::kOther);
  EXPECT_THAT(judge().reason, HasSubstr("another preprocessing"));
  subject_ = {kA, "", kC};
  EXPECT_EQ(judge().kind, Kind::kOther) << "no contract is not any contract";
  subject_ = {kA, kB, kA};
  EXPECT_EQ(judge().kind, Kind::kOther);
  EXPECT_THAT(judge().reason, HasSubstr("another data set"));
  CalibrationPassport anew = sample();
  anew.dataset_hash = kA;
  anew.ranges["images"] = 2;
  ASSERT_TRUE(store_calibration(files_, anew).ok());
  EXPECT_EQ(judge().kind, Kind::kTrusted);
  EXPECT_EQ(*TensorrtCache::from_file(files_.cache)->find("images"), scale_of(2.0F))
      << "the cache follows its passport";
}

TEST_F(TrustTest, NothingIsThere) {
  files_ = CalibrationFiles::beside(folder_ / "other.onnx");
  EXPECT_EQ(judge().kind, Kind::kNone);
  EXPECT_FALSE(judge().passport.has_value());
}

TEST_F(TrustTest, ABareCacheIsRefusedWithItsCure) {
  for (const auto& path : {files_.sha256(), files_.dataset_sha256(), files_.passport}) {
    const std::string text = read_text_file(path, 1 << 20).value();
    std::filesystem::remove(path);
    refused("has no " + path.filename().string() + " beside it");
    refused("tern calib import");
    rewrite(path, text);
    EXPECT_EQ(judge().kind, Kind::kTrusted);
  }
}

TEST_F(TrustTest, AMalformedSidecarIsRefused) {
  for (const auto& path : {files_.sha256(), files_.dataset_sha256()}) {
    const std::string text = read_text_file(path, 1000).value();
    for (const std::string& bad :
         {std::string(), std::string("junk\n"), text.substr(0, 63), "x" + text, text + text, std::string(5000, 'a')}) {
      rewrite(path, bad);
      refused(path.filename().string());
    }
    rewrite(path, std::string(64, 'a') + "  another.calib_cache\n");
    refused("is about 'another.calib_cache'");
    rewrite(path, std::string(64, '0') + "  m.calib_cache\n");
    refused(path == files_.sha256() ? "says 0000" : "but the passport says cccc");
    rewrite(path, text);
  }
}

TEST_F(TrustTest, ACacheThatWasChangedIsRefused) {
  std::string text = read_text_file(files_.cache, 1000).value();
  const std::string good = text;
  text[text.size() - 2] = text[text.size() - 2] == '0' ? '1' : '0';
  rewrite(files_.cache, text);
  refused("has the SHA-256");
  const auto sum = [&] {
    const std::string in = "cd '" + folder_.path().string() + "' && ";
    ASSERT_EQ(std::system((in + "sha256sum m.calib_cache > m.calib_cache.sha256").c_str()), 0);
  };
  const std::string changed_scale = "TRT-8601-EntropyCalibration2\nimages: 3c010a14\n/conv: 0: 3c010a14\n";
  rewrite(files_.cache, changed_scale);
  sum();
  refused("but the passport's range gives");
  rewrite(files_.cache, "TRT-8601-EntropyCalibration2\n");
  sum();
  refused("did not finish");
}

TEST_F(TrustTest, ADamagedPassportIsRefused) {
  const std::string text = read_text_file(files_.passport, 1 << 20).value();
  for (std::size_t length = 0; length < text.size() - 1; length += 7) {
    rewrite(files_.passport, text.substr(0, length));
    refused("m.calib.json");
  }
}

TEST_F(TrustTest, AnImportedCacheIsOfNoKnownDataSet) {
  CalibrationPassport imported = sample();
  imported.dataset_hash.clear();
  imported.frames = 0;
  imported.method = "imported";
  imported.backend.clear();
  imported.imported_sha256 = kA;
  ASSERT_TRUE(store_calibration(files_, imported).ok());
  EXPECT_EQ(judge().kind, Kind::kOther) << "data are asked for, and it knows none";
  subject_.dataset_hash.reset();
  EXPECT_EQ(judge().kind, Kind::kTrusted);
}

TEST_F(TrustTest, ImportingABareCacheIsTheCure) {
  const std::string text = "TRT-8601-EntropyCalibration2\nimages: 3C010A14\r\n";
  CalibrationPassport imported = sample();
  imported.method = "imported";
  imported.frames = 0;
  imported.backend.clear();
  imported.imported_sha256 = kA;
  imported.ranges = {{"images", 1.0002441F}};
  imported.covered = 1;
  files_ = CalibrationFiles::beside(folder_ / "bare.onnx");
  rewrite(files_.cache, text);
  refused("has no bare.calib.json beside it");
  EXPECT_FALSE(import_calibration(files_, imported, text + "x: 3c010a14\n").ok()) << "another cache lies there";
  EXPECT_FALSE(import_calibration(files_, imported, "junk").ok());
  CalibrationPassport wrong = imported;
  wrong.ranges["images"] = 2;
  EXPECT_FALSE(import_calibration(files_, wrong, text).ok()) << "not the cache's scale";
  ASSERT_TRUE(import_calibration(files_, imported, text).ok());
  EXPECT_EQ(judge().kind, Kind::kTrusted);
  EXPECT_EQ(read_text_file(files_.cache, 1000).value(), text) << "as it was, to the last byte";
}

TEST_F(TrustTest, APassportThatCouldNotBeReadIsNotWritten) {
  const auto before = contents();
  CalibrationPassport bad = sample();
  bad.ranges["images"] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(store_calibration(files_, bad).ok());
  bad = sample();
  bad.model_hash.clear();
  EXPECT_FALSE(store_calibration(files_, bad).ok());
  EXPECT_EQ(contents(), before);
}

}  // namespace
}  // namespace tern
