// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/pipeline_latency.h"

namespace tern {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(LatencyCurve, interpolates_between_points_in_any_order) {
  const auto curve = LatencyCurve::create({{8, 9ms}, {1, 2ms}, {4, 5ms}}).value();
  EXPECT_EQ(curve.max_batch(), 8);
  EXPECT_EQ(curve.expected(1), 2ms);
  EXPECT_EQ(curve.expected(2), 3ms);
  EXPECT_EQ(curve.expected(4), 5ms);
  EXPECT_EQ(curve.expected(6), 7ms);
  EXPECT_EQ(curve.expected(8), 9ms);
  EXPECT_EQ(curve.expected(9), 9ms);
  EXPECT_EQ(curve.expected(0), 2ms);
  EXPECT_EQ(curve.expected(-5), 2ms);
}

TEST(LatencyCurve, never_falls) {
  const auto curve = LatencyCurve::create({{1, 4ms}, {2, 3ms}, {4, 6ms}}).value();
  EXPECT_EQ(curve.expected(2), 4ms);
  EXPECT_EQ(curve.expected(3), 5ms);
  for (int batch = 1; batch < 4; ++batch)
    EXPECT_LE(curve.planned(batch), curve.planned(batch + 1));
}

TEST(LatencyCurve, refuses_what_is_no_measurement) {
  const auto message = [](std::vector<LatencyCurve::Point> points) {
    const auto curve = LatencyCurve::create(std::move(points));
    EXPECT_FALSE(curve.ok());
    EXPECT_EQ(curve.status().code(), StatusCode::kConfigError);
    return curve.status().message();
  };
  EXPECT_THAT(message({}), HasSubstr("batch 1"));
  EXPECT_THAT(message({{2, 1ms}}), HasSubstr("batch 1"));
  EXPECT_THAT(message({{0, 1ms}, {1, 1ms}}), HasSubstr("batch 1"));
  EXPECT_THAT(message({{-1, 1ms}, {1, 1ms}}), HasSubstr("batch 1"));
  EXPECT_THAT(message({{1, 1ms}, {1, 2ms}}), HasSubstr("two points"));
  EXPECT_THAT(message({{1, 1ms}, {1025, 2ms}}), HasSubstr("1025"));
  EXPECT_THAT(message({{1, 0ms}}), HasSubstr("latency"));
  EXPECT_THAT(message({{1, -1ms}}), HasSubstr("latency"));
  EXPECT_THAT(message({{1, 11min}}), HasSubstr("latency"));
  EXPECT_THAT(message({{1, Nanoseconds::max()}}), HasSubstr("latency"));
}

TEST(LatencyCurve, follows_a_device_that_slows_down_and_recovers) {
  auto curve = LatencyCurve::create({{1, 2ms}, {8, 8ms}}).value();
  for (int i = 0; i < 200; ++i)
    curve.observe(8, 12ms);
  EXPECT_NEAR(curve.slowdown(), 1.5, 0.01);
  EXPECT_NEAR(static_cast<double>(curve.expected(1).count()), 3e6, 3e4);  // a batch size that was not observed
  for (int i = 0; i < 200; ++i)
    curve.observe(1, 2ms);
  EXPECT_NEAR(curve.slowdown(), 1, 0.01);
}

TEST(LatencyCurve, plans_for_what_varies) {
  auto steady = LatencyCurve::create({{1, 10ms}}).value(), varying = steady;
  for (int i = 0; i < 400; ++i) {
    steady.observe(1, 10ms);
    varying.observe(1, i % 2 == 0 ? 8ms : 12ms);
  }
  EXPECT_LT(steady.planned(1), 10'100us);
  EXPECT_GT(varying.planned(1), 14ms);
}

TEST(LatencyCurve, no_outlier_rules_it) {
  auto curve = LatencyCurve::create({{1, 1ms}}).value();
  curve.observe(1, Nanoseconds::max());
  EXPECT_LE(curve.slowdown(), 2);
  const double before = curve.slowdown();
  curve.observe(1, 0ms);
  curve.observe(1, Nanoseconds::min());
  EXPECT_EQ(curve.slowdown(), before);
}

}  // namespace
}  // namespace tern
