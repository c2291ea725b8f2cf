// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/calib_cache.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnx_builder.h"

namespace tern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Algorithm = TensorrtCache::Algorithm;

TensorrtCache parsed(std::string_view text) {
  auto cache = TensorrtCache::parse(text, "x.calib_cache");
  EXPECT_TRUE(cache.ok()) << cache.status().to_string();
  return cache.ok() ? *cache : TensorrtCache{};
}

void refused(std::string_view text, std::string_view why) {
  const auto cache = TensorrtCache::parse(text, "x.calib_cache");
  ASSERT_FALSE(cache.ok()) << text;
  EXPECT_EQ(cache.status().code(), StatusCode::kCalibrationCacheError);
  EXPECT_THAT(cache.status().to_string(), HasSubstr(why));
  EXPECT_THAT(cache.status().where(), HasSubstr("x.calib_cache"));
}

// The example of NVIDIA's sampleINT8 README (TensorRT 8.2.1, "Calibration file").
constexpr std::string_view kPublished =
    "TRT-7000-EntropyCalibration2\n"
    "data: 3c008912\n"
    "conv1: 3c88edfc\n"
    "pool1: 3c88edfc\n";

TEST(TensorrtCache, ReadsThePublishedExample) {
  const TensorrtCache cache = parsed(kPublished);
  EXPECT_EQ(cache.version, 7000U);
  EXPECT_EQ(tensorrt_version_text(cache.version), "7.0.0");
  EXPECT_EQ(cache.algorithm, Algorithm::kEntropy2);
  ASSERT_EQ(cache.entries.size(), 3U);
  EXPECT_EQ(cache.entries[0].tensor, "data");
  EXPECT_FLOAT_EQ(cache.entries[0].scale, 0.00784518F);
  EXPECT_NEAR(cache.ranges().at("data"), 0.996338F, 1e-6F) << "the largest |x| that is not clipped";
  EXPECT_EQ(*cache.find("pool1"), *cache.find("conv1")) << "what passes values on has its input's scale";
  EXPECT_EQ(cache.find("relu1"), nullptr);
  EXPECT_EQ(cache.to_text().value(), kPublished) << "written as TensorRT writes it";
}

TEST(TensorrtCache, ReadsHeadersOfAllVersionsAndAlgorithms) {
  struct Case {
    std::string_view header, version;
    Algorithm algorithm;
  };
  for (const auto& [header, version, algorithm] :
       {Case{"TRT-7103-EntropyCalibration2", "7.1.3", Algorithm::kEntropy2},
        Case{"TRT-8203-EntropyCalibration2", "8.2.3", Algorithm::kEntropy2},
        Case{"TRT-8601-MinMaxCalibration", "8.6.1", Algorithm::kMinMax},
        Case{"TRT-100300-EntropyCalibration2", "10.3.0", Algorithm::kEntropy2},
        Case{"TRT-100700-MinMaxCalibration", "10.7.0", Algorithm::kMinMax},
        Case{"TRT-101602-EntropyCalibration2", "10.16.2", Algorithm::kEntropy2}}) {
    const std::string text = std::string(header) + "\nx: 3c010a14\n";
    const TensorrtCache cache = parsed(text);
    EXPECT_EQ(tensorrt_version_text(cache.version), version);
    EXPECT_EQ(parse_tensorrt_version(version).value(), cache.version);
    EXPECT_EQ(cache.algorithm, algorithm);
    EXPECT_EQ(cache.to_text().value(), text);
  }
}

TEST(TensorrtCache, LetsPassWhatOtherWritersDo) {
  // Names with colons, blanks and ": "; one digit; capitals; CRLF; blanks at a line's end; no line end, or empty lines, at the end.
  const TensorrtCache cache = parsed(
      "TRT-8601-EntropyCalibration2 \r\n"
      "model/conv:0: 3C010A14\r\n"
      "(Unnamed Layer* 4) [Fully Connected]_output: 3c010a14  \n"
      "a: b: 3f800000\n"
      "zero/padded: 1\n\n\n");
  ASSERT_EQ(cache.entries.size(), 4U);
  EXPECT_EQ(cache.entries[0].tensor, "model/conv:0");
  EXPECT_EQ(std::bit_cast<std::uint32_t>(cache.entries[0].scale), 0x3c010a14U);
  EXPECT_EQ(cache.entries[1].tensor, "(Unnamed Layer* 4) [Fully Connected]_output");
  EXPECT_EQ(cache.entries[2].tensor, "a: b");
  EXPECT_EQ(cache.entries[2].scale, 1.0F);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(cache.entries[3].scale), 1U);
  EXPECT_EQ(parsed(cache.to_text().value()), cache);
  EXPECT_EQ(parsed("TRT-8601-EntropyCalibration2\nx: 3c010a14").entries.size(), 1U);
}

TEST(TensorrtCache, RefusesWhatIsNoCache) {
  const std::string head = "TRT-8601-EntropyCalibration2\n";
  refused("", "it is empty");
  refused("\n", "does not begin with TRT-");
  refused("data: 3c008912\n", "line 1: is no calibration cache of TensorRT: the first line does not begin with TRT-");
  refused("TRT-8601\nx: 3c010a14\n", "no algorithm ''");
  refused("TRT-8601-Entropy\nx: 3c010a14\n", "known: EntropyCalibration2, MinMaxCalibration");
  refused("TRT--EntropyCalibration2\nx: 3c010a14\n", "version");
  refused("TRT-86-EntropyCalibration2\nx: 3c010a14\n", "version");
  refused("TRT-99999999999-EntropyCalibration2\nx: 3c010a14\n", "version");
  refused(head, "the calibration did not finish");
  refused(head + "x\n", "not of the form");
  refused(head + "x:3c010a14\n", "not of the form");
  refused(head + ": 3c010a14\n", "not of the form");
  refused(head + "x: \n", "not of the form");  // the blank belongs to the line's end
  refused(head + "x: 3c010a141\n", "hex digits");
  refused(head + "x: 3c01 0a14\n", "hex digits");
  refused(head + "x: 0x3c01\n", "hex digits");
  refused(head + "x: -3c01\n", "hex digits");
  refused(head + "x: words\n", "line 2: 'x': is no calibration cache of TensorRT: 'words' is not 1 to 8 hex digits");
  refused(head + "x: 0\n", "the scale is 0");
  refused(head + "x: 80000000\n", "the scale is -0");
  refused(head + "x: bc010a14\n", "the scale is -0.0078");
  refused(head + "x: 7f800000\n", "the scale is inf");
  refused(head + "x: ff800000\n", "the scale is -inf");
  refused(head + "x: 7fc00000\n", "the scale is nan");
  refused(head + "x: 3c010a14\ny: 3c010a14\nx: 3c010a14\n",
          "line 4: is no calibration cache of TensorRT: the tensor 'x' stands twice");
  refused(head + "x: 3c010a14\n\ny: 3c010a14\n", "an empty line");
  refused(head + std::string(5000, 'x') + ": 3c010a14\n", "a line of");
  refused(head + std::string(4100, 'x') + ": 3c010a14\n", "too long");
  refused(head + "\xff\xfe: 3c010a14\n", "no plain text");
  refused(head + "a\tb: 3c010a14\n", "no plain text");
  refused(head + "a\x1b[2J: 3c010a14\n", "no plain text");
  refused(head + std::string("a\0b: 3c010a14\n", 14), "no plain text");
  refused(head + std::string(TensorrtCache::kMaxBytes, 'x'), "bytes; at most");
  std::string many = head;
  for (std::size_t i = 0; i <= TensorrtCache::kMaxEntries; ++i)
    many += std::to_string(i) + ": 1\n";
  refused(many, "more than 100000 tensors");
}

TEST(TensorrtCache, ACacheThatWasCutShortNeverGivesAnotherScale) {
  const std::string text(kPublished);
  const TensorrtCache whole = parsed(text);
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto cache = TensorrtCache::parse(text.substr(0, length), "");
    if (!cache.ok()) continue;
    for (std::size_t i = 0; i < cache->entries.size(); ++i)
      EXPECT_EQ(cache->entries[i], whole.entries[i]) << length;
  }
  refused(text.substr(0, text.size() - 2), "it ends within this line");
}

TEST(TensorrtCache, WritesWhatItReadsBitForBit) {
  std::mt19937 random(5);
  TensorrtCache cache{.version = 100300, .algorithm = Algorithm::kMinMax};
  while (cache.entries.size() < 1000) {
    const auto scale = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(scale) && scale > 0)
      cache.entries.push_back({"t:" + std::to_string(cache.entries.size()), scale});
  }
  EXPECT_EQ(parsed(cache.to_text().value()), cache);
}

TEST(TensorrtCache, RangesAndScalesAreOneNumber) {
  std::mt19937 random(6);
  std::uniform_real_distribution<float> exponent(-20, 20);
  for (int i = 0; i < 10'000; ++i) {
    const float range = std::exp(exponent(random));
    const TensorrtCache cache = TensorrtCache::of({{"t", range}}, 8601);
    EXPECT_EQ(cache.entries.front().scale, scale_of(range));
    const float again = scale_of(cache.ranges().at("t"));
    const auto bits = std::bit_cast<std::uint32_t>(again), wanted = std::bit_cast<std::uint32_t>(scale_of(range));
    EXPECT_LE(bits > wanted ? bits - wanted : wanted - bits, 1U) << range;
  }
  const TensorrtCache largest = TensorrtCache::of({{"t", std::numeric_limits<float>::max()}, {"zero", 0}}, 8601);
  EXPECT_TRUE(std::isfinite(largest.ranges().at("t")));
  EXPECT_EQ(largest.find("zero")[0], 1) << "any scale represents zeros";
}

TEST(TensorrtCache, WritesNothingThatCouldNotBeRead) {
  const auto fails = [](const TensorrtCache& cache) {
    return cache.to_text().status().code() == StatusCode::kInputError;
  };
  const TensorrtCache good{.version = 8601, .algorithm = Algorithm::kEntropy2, .entries = {{"x", 1}}};
  EXPECT_FALSE(fails(good));
  for (const auto& entry : std::vector<TensorrtCache::Entry>{{"x", 0},
                                                             {"x", -1},
                                                             {"x", std::numeric_limits<float>::infinity()},
                                                             {"", 1},
                                                             {"a\nb", 1},
                                                             {"\xff", 1},
                                                             {std::string(5000, 'x'), 1}}) {
    TensorrtCache cache = good;
    cache.entries = {entry};
    EXPECT_TRUE(fails(cache)) << entry.tensor << entry.scale;
  }
  TensorrtCache cache = good;
  cache.entries.push_back(cache.entries.front());
  EXPECT_TRUE(fails(cache)) << "twice";
  cache = good;
  cache.entries.clear();
  EXPECT_TRUE(fails(cache));
  cache = good;
  cache.version = 11;
  EXPECT_TRUE(fails(cache));
}

TEST(TensorrtCache, VersionsAreThoseThatHadCaches) {
  EXPECT_EQ(parse_tensorrt_version("8.6").value(), 8600U);
  EXPECT_EQ(parse_tensorrt_version("10.3").value(), 100300U);
  for (const char* text : {"", "8", "8.", "8.6.1.6", "8.10", "x.y", "8.6.1a", "-8.6", "0.1", "10.100"}) {
    const auto version = parse_tensorrt_version(text);
    EXPECT_EQ(version.status().code(), StatusCode::kConfigError) << text;
  }
  EXPECT_THAT(parse_tensorrt_version("11.0").status().to_string(), HasSubstr("tern quantize"));
}

// ---- mapping onto a model

/// images -> Conv -> Relu -> MaxPool -> Conv -> Sigmoid
Model small_model() {
  test::OnnxBuilder builder;
  builder.input("images", {1, 4, 8, 8})
      .weights("w1", {4, 4, 1, 1})
      .weights("w2", {4, 4, 1, 1})
      .node("Conv", {"images", "w1"}, {"/stem/conv/Conv_output_0"})
      .node("Relu", {"/stem/conv/Conv_output_0"}, {"relu:0"})
      .node("MaxPool", {"relu:0"}, {"pool.1"})
      .node("Conv", {"pool.1", "w2"}, {"logits"})
      .node("Sigmoid", {"logits"}, {"scores"})
      .output("scores", {1, 4, 8, 8});
  builder.model.mutable_graph()->mutable_node(2)->add_attribute()->set_name("kernel_shape");
  auto* attribute = builder.model.mutable_graph()->mutable_node(2)->mutable_attribute(0);
  attribute->set_type(onnx::AttributeProto::INTS);
  attribute->add_ints(1);
  attribute->add_ints(1);
  auto model = Model::from_bytes(builder.bytes());
  EXPECT_TRUE(model.ok()) << model.status().to_string();
  return *model;
}

TEST(CacheMapping, TellsMatchedRenamedUnknownAndMissingApart) {
  const TensorrtCache cache{.version = 8601,
                            .entries = {{"images", 0.01F},
                                        {"stem/conv/Conv_output_0", 0.02F},
                                        {"RELU", 0.019F},
                                        {"(Unnamed Layer* 4) [Fully Connected]_output", 1.0F},
                                        {"w1", 0.5F}}};
  const CacheMapping mapping = map_cache(cache, small_model(), {"images", "relu:0", "pool.1"});
  EXPECT_THAT(mapping.matched, ElementsAre("images"));
  EXPECT_THAT(mapping.renamed,
              ElementsAre(CacheMapping::Renamed{"RELU", "relu:0"},
                          CacheMapping::Renamed{"stem/conv/Conv_output_0", "/stem/conv/Conv_output_0"}));
  EXPECT_THAT(mapping.unknown, ElementsAre("(Unnamed Layer* 4) [Fully Connected]_output", "w1"))
      << "weights are no activations";
  EXPECT_THAT(mapping.missing, ElementsAre("pool.1"));
  EXPECT_THAT(mapping.suspicious, IsEmpty());
  EXPECT_NEAR(mapping.coverage(), 2.0 / 3, 1e-12);
  EXPECT_FLOAT_EQ(mapping.ranges.at("relu:0"), 0.019F * 127);
  EXPECT_EQ(mapping.ranges.size(), 3U);
}

TEST(CacheMapping, WhatFitsTwiceIsUnknown) {
  const TensorrtCache cache{.version = 8601, .entries = {{"pool/1", 0.1F}, {"pool_1", 0.2F}}};
  const CacheMapping mapping = map_cache(cache, small_model(), {});
  EXPECT_THAT(mapping.renamed, IsEmpty());
  EXPECT_THAT(mapping.unknown, ElementsAre("pool/1", "pool_1"));
  EXPECT_EQ(mapping.coverage(), 1) << "nothing is wanted";
}

TEST(CacheMapping, SuspectsWhatCanHardlyBe) {
  const auto suspects = [](std::vector<TensorrtCache::Entry> entries) {
    std::vector<std::string> tensors;
    for (const auto& [tensor, why] :
         map_cache({.version = 8601, .entries = std::move(entries)}, small_model(), {}).suspicious)
      tensors.push_back(tensor);
    return tensors;
  };
  EXPECT_THAT(suspects({{"images", 0.0078F}, {"scores", 0.00787F}}), IsEmpty());
  EXPECT_THAT(suspects({{"images", 1e-12F}}), ElementsAre("images"));
  EXPECT_THAT(suspects({{"images", 1e7F}}), ElementsAre("images"));
  EXPECT_THAT(suspects({{"scores", 0.01F}}), ElementsAre("scores")) << "a sigmoid beyond 1";
  EXPECT_THAT(suspects({{"/stem/conv/Conv_output_0", 0.01F}, {"relu:0", 0.05F}}), ElementsAre("relu:0"));
  EXPECT_THAT(suspects({{"relu:0", 0.01F}, {"pool.1", 0.05F}}), ElementsAre("pool.1"));
  EXPECT_THAT(suspects({{"images", 0.005F}, {"relu:0", 0.005F}, {"pool.1", 0.005F}, {"scores", 0.005F}}),
              ElementsAre(""))
      << "one scale for all";
}

}  // namespace
}  // namespace tern
