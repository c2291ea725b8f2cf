// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/calibrators.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kBins = TensorStatistics::kBins;
using Bins = std::vector<std::uint64_t>;

/// The published pseudocode, word for word: one divergence in O(kept), nothing shared with the code under test.
double published_divergence(const Bins& bins, std::size_t kept) {
  std::vector<double> p(bins.begin(), bins.begin() + static_cast<std::ptrdiff_t>(kept));
  std::vector<double> q(kept, 0.0);
  for (std::size_t i = kept; i < bins.size(); ++i)
    p[kept - 1] += static_cast<double>(bins[i]);
  for (std::size_t level = 0; level < 128; ++level) {
    double sum = 0, filled = 0;
    for (std::size_t j = 0; j < kept; ++j)
      if (j * 128 / kept == level && bins[j] > 0) sum += static_cast<double>(bins[j]), ++filled;
    for (std::size_t j = 0; j < kept; ++j)
      if (j * 128 / kept == level && bins[j] > 0) q[j] = sum / filled;
  }
  double p_sum = 0, q_sum = 0;
  for (std::size_t j = 0; j < kept; ++j)
    p_sum += p[j], q_sum += q[j];
  double divergence = 0;
  for (std::size_t j = 0; j < kept; ++j) {
    if (p[j] == 0) continue;
    if (q[j] == 0) return std::numeric_limits<double>::infinity();
    divergence += p[j] / p_sum * std::log((p[j] / p_sum) / (q[j] / q_sum));
  }
  return divergence;
}

/// Histograms as layers give them, and hostile ones.
std::vector<Bins> sample_histograms() {
  std::mt19937_64 random(3);
  std::vector<Bins> samples;
  const auto draw = [&](auto next, int values) {
    Bins bins(kBins, 0);
    for (int i = 0; i < values; ++i)
      ++bins[std::min<std::size_t>(kBins - 1, static_cast<std::size_t>(std::abs(next()) * kBins))];
    if (bins.back() == 0) bins.back() = 1;
    samples.push_back(bins);
  };
  std::normal_distribution<double> narrow(0, 0.05), wide(0, 0.3);
  std::exponential_distribution<double> tail(12);
  std::uniform_real_distribution<double> even(0, 1);
  draw([&] { return narrow(random); }, 200'000);
  draw([&] { return wide(random); }, 50'000);
  draw([&] { return tail(random); }, 100'000);
  draw([&] { return even(random); }, 100'000);
  draw([&] { return random() % 2 ? 0.0 : tail(random); }, 100'000);  // as a ReLU gives
  draw([&] { return even(random); }, 40);                            // mostly empty
  samples.emplace_back(kBins, 0).back() = 5;
  samples.emplace_back(kBins, 1);
  samples.emplace_back(kBins, 0)[3] = 1'000'000;
  samples.back().back() = 1;
  return samples;
}

TEST(EntropyCalibrator, FindsTheLeastDivergenceOfThePublishedAlgorithm) {
  for (const Bins& bins : sample_histograms()) {
    const std::size_t found = entropy_kept_bins(bins);
    ASSERT_GE(found, kLevels);
    ASSERT_LE(found, kBins);
    double least = std::numeric_limits<double>::infinity();
    std::size_t first = kBins;
    // Every candidate near the answer, every 16th of the others: the whole search takes a minute under a sanitizer.
    for (std::size_t kept = kLevels; kept <= kBins; ++kept) {
      if (kept % 16 != 0 && (kept + 40 < found || kept > found + 40)) continue;
      if (const double d = published_divergence(bins, kept); d < least - 1e-12) least = d, first = kept;
    }
    EXPECT_NEAR(published_divergence(bins, found), least, 1e-10);
    EXPECT_EQ(found, first);
  }
}

TEST(EntropyCalibrator, ClipsATailAndKeepsAnEvenRange) {
  const std::vector<Bins> samples = sample_histograms();
  EXPECT_LT(entropy_kept_bins(samples[0]), kBins / 2) << "a narrow normal with one value at the end of the range";
  EXPECT_GT(entropy_kept_bins(samples[3]), kBins * 9 / 10) << "even values";
}

TEST(EntropyCalibrator, RangesAreHalfABinBeyondTheKeptBinsAsInRealTables) {
  // Values of TensorRT's own tables, for tensors in [0, 1]: kept bins -> the scale as hex.
  EXPECT_EQ(std::bit_cast<std::uint32_t>(scale_of(entropy_range(2040, 1))), 0x3c008912U);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(scale_of(entropy_range(2048, 1))), 0x3c010a14U);
  EXPECT_EQ(entropy_range(2048, std::numeric_limits<float>::max()), std::numeric_limits<float>::max());
}

TEST(MseCalibrator, FindsTheLeastErrorByDefinition) {
  for (const Bins& bins : sample_histograms()) {
    const auto error = [&](std::size_t candidate) {
      const double scale = (static_cast<double>(candidate) + 0.5) / 127;
      double sum = 0;
      for (std::size_t j = 0; j < kBins; ++j) {
        const double x = static_cast<double>(j) + 0.5;
        const double q = std::fmin(std::rint(x / scale), 127) * scale;
        sum += (q - x) * (q - x) * static_cast<double>(bins[j]);
      }
      return sum;
    };
    const std::size_t found = mse_bin(bins);
    for (std::size_t candidate = kLevels; candidate < kBins; candidate += 3)
      ASSERT_LE(error(found), error(candidate) * (1 + 1e-12)) << candidate;
  }
}

TensorStatistics tensor_of(const Bins& bins, float amax) {
  TensorStatistics tensor{.min = 0, .max = amax, .values = 0, .bins = bins};
  for (const std::uint64_t count : bins)
    tensor.values += count;
  return tensor;
}

TEST(Calibrate, PercentileKeepsThatPartOfTheValues) {
  Bins bins(kBins, 0);
  for (std::size_t i = 0; i < 1000; ++i)
    bins[i] = 10;
  bins.back() = 1;  // 10,001 values, one far out
  const TensorStatistics tensor = tensor_of(bins, 2);
  const auto range = [&](double percentile) {
    return calibrate(tensor, {.method = CalibrationMethod::kPercentile, .percentile = percentile}).value();
  };
  EXPECT_EQ(range(99.99), 1000.0F / kBins * 2);
  EXPECT_EQ(range(100), 2.0F);
  EXPECT_NEAR(range(80), 801.0 / kBins * 2, 1e-6);
  for (const double bad : {50.0, 0.0, -1.0, 100.1, std::nan("")}) {
    EXPECT_EQ(calibrate(tensor, {.method = CalibrationMethod::kPercentile, .percentile = bad}).status().code(),
              StatusCode::kConfigError);
  }
}

TEST(Calibrate, EveryMethodScalesWithTheTensor) {
  const std::vector<Bins> samples = sample_histograms();
  for (const auto method : {CalibrationMethod::kMax, CalibrationMethod::kEntropy, CalibrationMethod::kPercentile,
                            CalibrationMethod::kMse}) {
    for (const Bins& bins : samples) {
      const float one = calibrate(tensor_of(bins, 1), {.method = method}).value();
      EXPECT_GT(one, 0);
      EXPECT_LE(one, 2048.5F / 2048);
      EXPECT_EQ(calibrate(tensor_of(bins, 8), {.method = method}).value(), 8 * one);
      EXPECT_EQ(calibrate(tensor_of(bins, 0x1p-120F), {.method = method}).value(), 0x1p-120F * one);
    }
  }
}

TEST(Calibrate, ZeroRangeIsZeroAndItsScaleOne) {
  Bins bins(kBins, 0);
  bins[0] = 100;
  for (const auto method : {CalibrationMethod::kMax, CalibrationMethod::kEntropy, CalibrationMethod::kPercentile,
                            CalibrationMethod::kMse}) {
    EXPECT_EQ(calibrate(tensor_of(bins, 0), {.method = method}).value(), 0);
  }
  EXPECT_EQ(scale_of(0), 1);
}

TEST(Calibrate, TinyRangesHaveAScaleThatIsSafeToInvert) {
  for (const float range : {std::numeric_limits<float>::denorm_min(), 1e-38F, 1e-20F}) {
    EXPECT_EQ(scale_of(range), kMinScale);
    EXPECT_TRUE(std::isfinite(1 / scale_of(range)));
  }
  EXPECT_EQ(scale_of(127), 1);
  EXPECT_TRUE(std::isfinite(scale_of(std::numeric_limits<float>::max())));
}

TEST(Calibrate, RefusesATensorThatWasNeverSeenOrHasNoHistogram) {
  EXPECT_EQ(calibrate(TensorStatistics{}, {}).status().code(), StatusCode::kInputError);
  const TensorStatistics first_pass{.min = -4, .max = 1, .values = 9};
  EXPECT_EQ(calibrate(first_pass, {.method = CalibrationMethod::kMse}).status().code(), StatusCode::kInputError);
  EXPECT_EQ(calibrate(first_pass, {.method = CalibrationMethod::kMax}).value(), 4);
  ActivationStatistics statistics;
  statistics.tensors["a\x1b[31m"] = {};
  const auto ranges = calibrate(statistics, {});
  EXPECT_THAT(ranges.status().to_string(), ::testing::HasSubstr("'a\\x1b"));
}

TEST(Calibrate, MethodsHaveNames) {
  for (const auto method :
       {CalibrationMethod::kMax, CalibrationMethod::kEntropy, CalibrationMethod::kPercentile, CalibrationMethod::kMse})
    EXPECT_EQ(parse_calibration_method(to_string(method)).value(), method);
  EXPECT_EQ(parse_calibration_method("kl").status().code(), StatusCode::kConfigError);
}

TEST(ChannelRanges, AreTheLargestWeightOfEachSlice) {
  const std::vector<float> weights{1, -2, 3, -4, 5, -6, 0, 0, 0, 7, 0.5F, -8};
  const std::vector<std::int64_t> dims{2, 3, 2};
  EXPECT_THAT(channel_ranges(weights, dims, 0), ElementsAre(6, 8));
  EXPECT_THAT(channel_ranges(weights, dims, 1), ElementsAre(2, 7, 8));
  EXPECT_THAT(channel_ranges(weights, dims, 2), ElementsAre(5, 8));
  EXPECT_THAT(channel_ranges({}, std::vector<std::int64_t>{3, 0}, 0), ElementsAre(0, 0, 0));
}

}  // namespace
}  // namespace tern
