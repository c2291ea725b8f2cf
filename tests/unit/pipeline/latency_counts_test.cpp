// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/latency_counts.h"

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/rate_meter.h"

namespace tern {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(LatencyCounts, percentiles_are_those_of_the_samples_within_a_bucket) {
  std::mt19937_64 random(1);
  for (const double spread : {0.1, 1.0, 3.0}) {
    LatencyCounts counts;
    std::vector<double> ms;
    std::lognormal_distribution<double> latency(std::log(20e6), spread);
    for (int i = 0; i < 20'000; ++i) {
      const Nanoseconds sample(static_cast<std::int64_t>(latency(random)));
      counts.add(sample);
      ms.push_back(static_cast<double>(sample.count()) / 1e6);
    }
    std::ranges::sort(ms);
    const LatencySummary summary = counts.summary();
    EXPECT_EQ(summary.count, ms.size());
    EXPECT_DOUBLE_EQ(summary.max_ms, ms.back());
    for (const auto& [part, found] : {std::pair(0.5, summary.p50_ms), {0.95, summary.p95_ms}, {0.99, summary.p99_ms}}) {
      const double exact = ms[static_cast<std::size_t>(part * static_cast<double>(ms.size()))];
      EXPECT_NEAR(found, exact, 0.09 * exact) << part << " with spread " << spread;
    }
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < summary.buckets.size(); ++i) {
      all += summary.buckets[i].count;
      if (i > 0) EXPECT_GT(summary.buckets[i].upper_ms, summary.buckets[i - 1].upper_ms);
    }
    EXPECT_EQ(all, summary.count);
  }
}

TEST(LatencyCounts, takes_any_duration) {
  LatencyCounts counts;
  EXPECT_EQ(counts.summary().count, 0U);
  EXPECT_EQ(counts.summary().p99_ms, 0);
  for (const Nanoseconds odd :
       {Nanoseconds::min(), Nanoseconds(-1), Nanoseconds(0), Nanoseconds(1), Nanoseconds::max()})
    counts.add(odd);
  const LatencySummary summary = counts.summary();
  EXPECT_EQ(summary.count, 5U);
  EXPECT_GE(summary.max_ms, summary.p99_ms);
  EXPECT_GE(summary.p50_ms, 0);
}

TEST(LatencyCounts, threads_count_together) {
  LatencyCounts counts;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 1; i <= 5000; ++i)
        counts.add(Nanoseconds(i * 1000));
    });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(counts.summary().count, 20'000U);
  EXPECT_NEAR(counts.summary().mean_ms, 2.5005, 1e-6);
}

TEST(RateMeter, tells_the_rate_of_the_last_events_and_of_silence) {
  RateMeter meter;
  EXPECT_EQ(meter.rate_hz(seconds(1)), 0);
  for (int i = 0; i < 100; ++i)
    meter.add(milliseconds(40) * i);
  EXPECT_NEAR(meter.rate_hz(milliseconds(40) * 99), 25, 1e-9);
  EXPECT_NEAR(meter.rate_hz(milliseconds(40) * 99 + seconds(10)), 0.1, 1e-9);
}

}  // namespace
}  // namespace tern
