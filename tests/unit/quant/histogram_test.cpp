// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "statistics_samples.h"
#include "tern/quant.h"

namespace tern {
namespace {

using ::testing::HasSubstr;

Status observe_range(ActivationStatistics& statistics, const std::vector<float>& values, std::string_view name = "t") {
  return statistics.observe_range(name, values.data(), values.size());
}
Status observe_histogram(ActivationStatistics& statistics, const std::vector<float>& values,
                         std::string_view name = "t") {
  return statistics.observe_histogram(name, values.data(), values.size());
}

TEST(Histogram, BinsAreThoseOfTheDefinition) {
  EXPECT_EQ(bin_of(0, 1), 0U);
  EXPECT_EQ(bin_of(1, 1), 2047U);
  EXPECT_EQ(bin_of(2, 1), 2047U);
  EXPECT_EQ(bin_of(0.5F, 1), 1024U);
  EXPECT_EQ(bin_of(std::nextafter(0.5F, 0.0F), 1), 1023U);
  EXPECT_EQ(bin_of(0, 0), 0U);
  const float smallest = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(bin_of(smallest, smallest), 2047U);
  const float largest = std::numeric_limits<float>::max();
  EXPECT_EQ(bin_of(largest, largest), 2047U);
  EXPECT_EQ(bin_of(largest / 2, largest), 1024U);
}

TEST(Histogram, AnyOrderGroupingAndNumberOfWorkersGivesTheSameBits) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 30; ++round) {
    const test::Frames frames = test::random_frames(random, 1 + random() % 9, 4);
    const ActivationStatistics expected = test::statistics_of(frames);

    std::vector<std::size_t> order(frames.size());
    std::iota(order.begin(), order.end(), 0U);
    std::vector<ActivationStatistics> workers(1 + random() % 4);
    const auto pass = [&](auto observe) {
      std::ranges::shuffle(order, random);
      for (const std::size_t i : order) {
        ActivationStatistics& worker = workers[random() % workers.size()];
        ++worker.frames;
        for (std::size_t t = 0; t < frames[i].size(); ++t)
          ASSERT_TRUE(observe(worker, test::tensor_name(t), frames[i][t]).ok());
      }
      while (workers.size() > 1) {  // merged as a random tree
        std::ranges::shuffle(workers, random);
        ASSERT_TRUE(workers[0].merge(workers.back()).ok());
        workers.pop_back();
      }
    };
    pass([](auto& worker, const auto& name, const auto& x) { return observe_range(worker, x, name); });
    workers[0].begin_histograms();
    workers.resize(1 + random() % 4, workers[0]);
    pass([](auto& worker, const auto& name, const auto& x) { return observe_histogram(worker, x, name); });
    ASSERT_EQ(workers[0], expected);
    EXPECT_EQ(workers[0].to_bytes().value(), expected.to_bytes().value());
  }
}

TEST(Histogram, BinsHoldEachValueOnceAndTheRangeIsTheLargestMagnitude) {
  ActivationStatistics statistics;
  ASSERT_TRUE(observe_range(statistics, {-3, 1, 0.25F}).ok());
  ASSERT_TRUE(observe_range(statistics, {}).ok());
  ASSERT_TRUE(observe_range(statistics, {2, -0.0F}).ok());
  EXPECT_EQ(statistics.tensors.at("t").min, -3);
  EXPECT_EQ(statistics.tensors.at("t").max, 2);
  EXPECT_EQ(statistics.tensors.at("t").amax(), 3);
  EXPECT_EQ(statistics.tensors.at("t").values, 5U);
  statistics.begin_histograms();
  ASSERT_TRUE(observe_histogram(statistics, {-3, 1, 0.25F, 2, -0.0F}).ok());
  const TensorStatistics& tensor = statistics.tensors.at("t");
  EXPECT_EQ(tensor.values, 5U);
  for (std::size_t i = 0; i < tensor.bins.size(); ++i)
    EXPECT_EQ(tensor.bins[i], i == 0 || i == 170 || i == 682 || i == 1365 || i == 2047 ? 1U : 0U) << i;
}

TEST(Histogram, RefusesNanAndInfinityAndChangesNothing) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity, -infinity}) {
    ActivationStatistics statistics;
    ASSERT_TRUE(observe_range(statistics, {1, 2}).ok());
    ActivationStatistics before = statistics;
    const Status first = observe_range(statistics, {9, bad, 3});
    EXPECT_EQ(first.code(), StatusCode::kInputError);
    EXPECT_THAT(first.to_string(), HasSubstr("'t'"));
    EXPECT_EQ(statistics, before);
    statistics.begin_histograms();
    before = statistics;
    EXPECT_EQ(observe_histogram(statistics, {1, bad}).code(), StatusCode::kInputError);
    EXPECT_EQ(statistics, before);
  }
}

TEST(Histogram, RefusesASecondPassOverOtherData) {
  ActivationStatistics statistics;
  ASSERT_TRUE(observe_range(statistics, {1, -2}).ok());
  EXPECT_EQ(observe_histogram(statistics, {1}).code(), StatusCode::kInputError) << "the first pass is not over";
  statistics.begin_histograms();
  const ActivationStatistics before = statistics;
  EXPECT_EQ(observe_histogram(statistics, {1, 2.1F}).code(), StatusCode::kInputError);
  EXPECT_EQ(observe_histogram(statistics, {1}, "unknown").code(), StatusCode::kInputError);
  EXPECT_EQ(observe_range(statistics, {1}).code(), StatusCode::kInputError);
  EXPECT_EQ(statistics, before);
  EXPECT_TRUE(observe_histogram(statistics, {2.0001F}).ok()) << "another machine's rounding";
  EXPECT_EQ(statistics.tensors.at("t").bins.back(), 1U);
}

TEST(Histogram, MergeRefusesOtherPassesRangesAndOverflowAndChangesNothing) {
  ActivationStatistics one, other;
  ASSERT_TRUE(observe_range(one, {1, -2}).ok());
  other = one;
  other.begin_histograms();
  const ActivationStatistics before = one;
  EXPECT_THAT(one.merge(other).to_string(), HasSubstr("different passes"));
  one.begin_histograms();
  ActivationStatistics wider = other;
  wider.tensors.at("t").max = 1.5F;
  EXPECT_THAT(one.merge(wider).to_string(), HasSubstr("different ranges"));
  one = before;
  ActivationStatistics full = before;
  full.tensors.at("t").values = UINT64_MAX;
  EXPECT_THAT(one.merge(full).to_string(), HasSubstr("64 bits"));
  EXPECT_EQ(one, before);
  full = before;
  full.frames = UINT64_MAX;
  one.frames = 1;
  EXPECT_EQ(one.merge(full).code(), StatusCode::kInputError);
}

TEST(StatisticsFile, ReadsWhatItWrote) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 10; ++round) {
    ActivationStatistics statistics = test::statistics_of(test::random_frames(random, 3, 3));
    ASSERT_TRUE(observe_range(statistics, {1, 2}, "still in the first pass").ok());
    const std::string bytes = statistics.to_bytes().value();
    const auto read = ActivationStatistics::from_bytes(bytes, "x.stats");
    ASSERT_TRUE(read.ok()) << read.status().to_string();
    EXPECT_EQ(*read, statistics);
    EXPECT_EQ(read->to_bytes().value(), bytes);
  }
  EXPECT_TRUE(ActivationStatistics::from_bytes(ActivationStatistics().to_bytes().value(), "x").ok());
}

TEST(StatisticsFile, RefusesEveryTruncationAndEveryFlippedByte) {
  ActivationStatistics statistics;
  ASSERT_TRUE(observe_range(statistics, {1, 2}).ok());
  const std::string bytes = statistics.to_bytes().value();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto read = ActivationStatistics::from_bytes(bytes.substr(0, length), "x.stats");
    ASSERT_FALSE(read.ok()) << length;
    EXPECT_EQ(read.status().code(), StatusCode::kCalibrationCacheError);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(ActivationStatistics::from_bytes(damaged, "x.stats").ok()) << i;
  }
  EXPECT_FALSE(ActivationStatistics::from_bytes(bytes + "x", "x.stats").ok());
}

/// `body` with a checksum that fits, as a hostile writer would make it.
std::string refusal_of(std::string body) {
  const auto digest = Sha256::of(std::as_bytes(std::span(body)));
  body.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  const auto read = ActivationStatistics::from_bytes(body, "x.stats");
  return read.ok() ? "taken" : read.status().to_string();
}

TEST(StatisticsFile, RefusesLiesUnderAValidChecksum) {
  ActivationStatistics statistics;
  ASSERT_TRUE(observe_range(statistics, {1, 2}, "a").ok());
  statistics.begin_histograms();
  ASSERT_TRUE(observe_histogram(statistics, {1, 2}, "a").ok());
  std::string body = statistics.to_bytes().value();
  body.resize(body.size() - 32);
  ASSERT_EQ(refusal_of(body), "taken");
  const auto with = [&](std::size_t at, std::string_view bytes) {
    return refusal_of(std::string(body).replace(at, bytes.size(), bytes));
  };
  constexpr std::size_t kName = 8 + 8 + 4 + 4, kMin = kName + 1, kMax = kMin + 4, kValues = kMax + 4,
                        kFlag = kValues + 8;
  using namespace std::string_view_literals;
  EXPECT_THAT(with(16, "\xFF\xFF\xFF\xFF"), HasSubstr("tensors"));
  EXPECT_THAT(with(16, "\x02"), HasSubstr("ends within"));
  EXPECT_THAT(with(20, "\xFF\xFF\xFF\xFF"), HasSubstr("ends within"));
  EXPECT_THAT(with(kName, "\x01"), HasSubstr("no plain text"));
  EXPECT_THAT(with(kName, "\xFF"), HasSubstr("no plain text"));
  EXPECT_THAT(with(kMin, "\0\0\xC0\x7F"sv), HasSubstr("range"));
  EXPECT_THAT(with(kMin, "\0\0\x80\x7F"sv), HasSubstr("range"));
  EXPECT_THAT(with(kMin, "\0\0\0\x80"sv), HasSubstr("range"));
  EXPECT_THAT(with(kMax, "\0\0\0\0"sv), HasSubstr("range"));
  EXPECT_THAT(with(kValues, "\x03"), HasSubstr("bins hold 2"));
  EXPECT_THAT(with(kFlag, "\x02"), HasSubstr("flag"));
  EXPECT_THAT(with(kFlag, "\0"sv), HasSubstr("behind the last tensor"));
  EXPECT_THAT(with(kFlag + 1, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), HasSubstr("64 bits"));
  EXPECT_THAT(refusal_of(body.substr(0, body.size() - 1)), HasSubstr("ends within"));
  EXPECT_THAT(refusal_of("TERNHST1"), HasSubstr("ends within"));
}

TEST(StatisticsFile, WriterRefusesWhatTheReaderWould) {
  ActivationStatistics statistics;
  statistics.tensors["line\nbreak"] = {};
  EXPECT_EQ(statistics.to_bytes().status().code(), StatusCode::kInputError);
  statistics.tensors = {{"a", {.min = 2, .max = 1, .values = 1}}};
  EXPECT_EQ(statistics.to_bytes().status().code(), StatusCode::kInputError);
  statistics.tensors = {{"a", {.min = 1, .max = 2, .values = 1, .bins = {1, 2}}}};
  EXPECT_EQ(statistics.to_bytes().status().code(), StatusCode::kInputError);
}

}  // namespace
}  // namespace tern
