// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// int8 and mixed precision of float models on real TensorRT.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibration_files.h"
#include "gpu_fixture.h"

namespace tern {
namespace {

using test::CalibrationFolder;
using test::convolutions;
using test::noise;
using test::TensorRtGpu;
using ::testing::HasSubstr;

class TensorRtCalibration : public TensorRtGpu {
 protected:
  void SetUp() override {
    TensorRtGpu::SetUp();
    if (backend_ == nullptr) return;
    folder_.write(model_);
    is_11_ = backend_->host_facts().version.starts_with("11.");
  }
  Result<EngineBlob> build(Precision precision, const std::string& calibration) {
    BuildConfig config = quick();
    config.optimization_level = 3;  // a cache allows i8 where a kernel of it is faster, and level 0 looks at few
    config.precision = precision;
    config.calibration = calibration;
    return backend_->compile(model_, config, {}, {});
  }
  std::vector<float> outputs(const EngineBlob& blob) {
    const auto context = load(blob)->create_context().value();
    std::vector<float> x = noise(std::size_t{3} * 32 * 32, 4);
    EXPECT_TRUE(context->bind_input(0, TensorView(x.data(), DType::kF32, {1, 3, 32, 32})).ok());
    EXPECT_TRUE(context->infer().ok());
    const auto y = context->output(0)->as<float>();
    return {y.begin(), y.end()};
  }
  /// The largest difference to f32, in units of the largest value.
  double error(const EngineBlob& blob) {
    const std::vector<float> exact = outputs(blob_of(model_)), got = outputs(blob);
    EXPECT_EQ(exact.size(), got.size());
    double largest = 0, worst = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      largest = std::max(largest, std::fabs(static_cast<double>(exact[i])));
      worst = std::max(worst, std::fabs(static_cast<double>(exact[i]) - static_cast<double>(got[i])));
    }
    return worst / largest;
  }

  Model model_ = convolutions();
  CalibrationFolder folder_;
  bool is_11_ = false;
};

/// Ranges of 2 have steps of 1/64; three layers of them, on values around 0.6.
constexpr double kInt8Error = 0.05, kHalfError = 0.005;

TEST_F(TensorRtCalibration, int8_from_a_cache_of_an_older_tensorrt_runs_near_f32_and_says_what_it_rewrote) {
  const auto blob = build(Precision::kI8, folder_.cache());
  ASSERT_TRUE(blob.ok()) << blob.status().to_string();
  EXPECT_EQ(blob->precision, Precision::kI8);
  EXPECT_GT(blob->layers.at("i8"), 0);
  EXPECT_LT(error(*blob), kInt8Error);
  EXPECT_GT(error(*blob), 1e-5) << "int8 that is exact is no int8";
  EXPECT_THAT(blob->notes, ::testing::Contains(HasSubstr("TRT-8601-EntropyCalibration2")));
}

TEST_F(TensorRtCalibration, int8_from_a_passport_runs_near_f32_and_near_that_from_the_cache) {
  const auto blob = build(Precision::kI8, folder_.passport());
  ASSERT_TRUE(blob.ok()) << blob.status().to_string();
  EXPECT_EQ(blob->precision, Precision::kI8);
  EXPECT_LT(error(*blob), kInt8Error);
  EXPECT_EQ(load(*blob)->precision(), Precision::kI8);
}

TEST_F(TensorRtCalibration, mixed_is_f16_and_with_a_calibration_int8_too) {
  const auto half = build(Precision::kMixed, "");
  ASSERT_TRUE(half.ok()) << half.status().to_string();
  EXPECT_EQ(half->precision, Precision::kMixed);
  EXPECT_LT(error(*half), kHalfError);
  EXPECT_EQ(load(*half)->precision(), Precision::kMixed);
  const auto both = build(Precision::kMixed, folder_.passport());
  ASSERT_TRUE(both.ok()) << both.status().to_string();
  EXPECT_EQ(both->precision, Precision::kMixed);
  EXPECT_GT(both->layers.at("i8"), 0);
  EXPECT_LT(error(*both), kInt8Error);
}

TEST_F(TensorRtCalibration, f16_runs_on_both_major_versions) {
  const auto blob = build(Precision::kF16, "");
  ASSERT_TRUE(blob.ok()) << blob.status().to_string();
  EXPECT_EQ(blob->precision, Precision::kF16);
  EXPECT_LT(error(*blob), kHalfError);
}

TEST_F(TensorRtCalibration, auto_takes_int8_where_a_calibration_is_given_and_f16_where_not) {
  const auto with = build(Precision::kAuto, folder_.passport()), without = build(Precision::kAuto, "");
  ASSERT_TRUE(with.ok() && without.ok()) << with.status().to_string() << without.status().to_string();
  EXPECT_EQ(with->precision, Precision::kI8);
  EXPECT_EQ(without->precision, Precision::kF16);
}

TEST_F(TensorRtCalibration, a_cache_that_is_not_what_it_was_is_refused) {
  std::ofstream(folder_.cache(), std::ios::app) << "more: 3c010a14\n";
  for (const Precision asked : {Precision::kI8, Precision::kAuto})
    EXPECT_EQ(build(asked, folder_.cache()).status().code(), StatusCode::kCalibrationCacheError);
}

}  // namespace
}  // namespace tern
