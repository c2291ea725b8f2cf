// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/allocation_counter.h"
#include "tern/pipeline_metrics.h"

namespace tern {
namespace {

using ::testing::HasSubstr;

TEST(MetricRegistry, writes_the_exposition_format) {
  MetricRegistry registry;
  registry.counter("tern_frames_total", "Frames by end.", {{"end", "late"}}).value()->add(3);
  registry.counter("tern_frames_total", "Frames by end.", {{"end", "delivered"}}).value()->add();
  registry.gauge("tern_temperature_celsius", "Hottest sensor.").value()->set(71.5);
  MetricHistogram* ages =
      registry.histogram("tern_age_seconds", "Capture to result.", {0.01, 0.1, 1}, {{"source", "a"}}).value();
  for (const double age : {0.0078125, 0.03125, 0.5, 3.0})
    ages->observe(age);
  EXPECT_EQ(registry.text(),
            "# HELP tern_age_seconds Capture to result.\n"
            "# TYPE tern_age_seconds histogram\n"
            "tern_age_seconds_bucket{source=\"a\",le=\"0.01\"} 1\n"
            "tern_age_seconds_bucket{source=\"a\",le=\"0.1\"} 2\n"
            "tern_age_seconds_bucket{source=\"a\",le=\"1\"} 3\n"
            "tern_age_seconds_bucket{source=\"a\",le=\"+Inf\"} 4\n"
            "tern_age_seconds_sum{source=\"a\"} 3.5390625\n"
            "tern_age_seconds_count{source=\"a\"} 4\n"
            "# HELP tern_frames_total Frames by end.\n"
            "# TYPE tern_frames_total counter\n"
            "tern_frames_total{end=\"delivered\"} 1\n"
            "tern_frames_total{end=\"late\"} 3\n"
            "# HELP tern_temperature_celsius Hottest sensor.\n"
            "# TYPE tern_temperature_celsius gauge\n"
            "tern_temperature_celsius 71.5\n");
}

TEST(MetricRegistry, escapes_what_a_camera_may_be_called) {
  MetricRegistry registry;
  ASSERT_TRUE(registry.counter("a", "two\nlines \\ \"quoted\"", {{"source", "x\"} 1\n\\"}}).ok());
  const std::string text = registry.text();
  EXPECT_THAT(text, HasSubstr("# HELP a two\\nlines \\\\ \"quoted\"\n"));
  EXPECT_THAT(text, HasSubstr("a{source=\"x\\\"} 1\\n\\\\\"} 0\n"));
}

TEST(MetricRegistry, gives_the_same_metric_for_the_same_labels_in_any_order) {
  MetricRegistry registry;
  MetricCounter* one = registry.counter("a", "", {{"x", "1"}, {"y", "2"}}).value();
  EXPECT_EQ(registry.counter("a", "", {{"y", "2"}, {"x", "1"}}).value(), one);
  EXPECT_NE(registry.counter("a", "", {{"y", "1"}, {"x", "2"}}).value(), one);
}

TEST(MetricRegistry, refuses_what_prometheus_would_not_read) {
  MetricRegistry registry;
  ASSERT_TRUE(registry.counter("taken", "help").ok());
  ASSERT_TRUE(registry.histogram("ages", "help", {1, 2}).ok());
  EXPECT_FALSE(registry.counter("", "").ok());
  EXPECT_FALSE(registry.counter("1a", "").ok());
  EXPECT_FALSE(registry.counter("a-b", "").ok());
  EXPECT_FALSE(registry.counter("a\n", "").ok());
  EXPECT_FALSE(registry.counter("a", "\xff").ok());
  EXPECT_FALSE(registry.counter("a", "", {{"b:c", ""}}).ok());
  EXPECT_FALSE(registry.counter("a", "", {{"__b", ""}}).ok());
  EXPECT_FALSE(registry.counter("a", "", {{"b", "1"}, {"b", "2"}}).ok());
  EXPECT_FALSE(registry.counter("a", "", {{"b", "\xc3"}}).ok());
  EXPECT_FALSE(registry.gauge("taken", "help").ok());
  EXPECT_FALSE(registry.counter("taken", "other help").ok());
  EXPECT_FALSE(registry.histogram("ages", "help", {1, 3}).ok());
  EXPECT_FALSE(registry.histogram("h", "", {}).ok());
  EXPECT_FALSE(registry.histogram("h", "", {1, 1}).ok());
  EXPECT_FALSE(registry.histogram("h", "", {2, 1}).ok());
  EXPECT_FALSE(registry.histogram("h", "", {1, std::numeric_limits<double>::infinity()}).ok());
  EXPECT_FALSE(registry.histogram("h", "", {std::numeric_limits<double>::quiet_NaN()}).ok());
  EXPECT_FALSE(registry.histogram("h", "", {1}, {{"le", "1"}}).ok());
  EXPECT_THAT(registry.text(), Not(HasSubstr("# TYPE a ")));
}

TEST(MetricHistogram, has_a_place_for_every_double) {
  MetricHistogram histogram(latency_bounds());
  const double inf = std::numeric_limits<double>::infinity();
  for (const double value : {-1.0, 0.0, 1e-4, 5e-4, 10.0, 11.0, inf, std::numeric_limits<double>::quiet_NaN()})
    histogram.observe(value);
  EXPECT_EQ(histogram.count(0), 3U);
  EXPECT_EQ(histogram.count(2), 1U);
  EXPECT_EQ(histogram.count(histogram.bounds().size() - 1), 1U);
  EXPECT_EQ(histogram.count(histogram.bounds().size()), 3U);
  EXPECT_EQ(histogram.sum(), inf);
}

TEST(MetricRegistry, counts_from_many_threads_without_allocating) {
  MetricRegistry registry;
  MetricCounter* counter = registry.counter("frames", "").value();
  MetricHistogram* histogram = registry.histogram("ages", "", latency_bounds()).value();
  std::vector<std::thread> threads;
  std::atomic<std::size_t> allocations{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      allocations += test::count_allocations([&] {
                       for (int k = 0; k < 10'000; ++k) {
                         counter->add();
                         histogram->observe(0.25);
                       }
                     }).other;
    });
  }
  for (int i = 0; i < 20; ++i)
    EXPECT_THAT(registry.text(), HasSubstr("ages_count"));
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(allocations, 0U);
  EXPECT_EQ(counter->value(), 40'000U);
  EXPECT_EQ(histogram->sum(), 10'000);
  EXPECT_THAT(registry.text(), HasSubstr("ages_count 40000\n"));
}

}  // namespace
}  // namespace tern
