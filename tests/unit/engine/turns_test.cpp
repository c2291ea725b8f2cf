// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/turns.h"

#include <array>
#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

using Runners = std::array<std::function<Status()>, 2>;

std::function<Status()> sleeper(std::chrono::milliseconds time, int& calls) {
  return [time, &calls] {
    ++calls;
    std::this_thread::sleep_for(time);
    return Status();
  };
}

TEST(TimeInTurns, each_has_as_many_runs_and_its_own_median) {
  int quick = 0, slow = 0;
  const Runners runners{sleeper(std::chrono::milliseconds(1), quick), sleeper(std::chrono::milliseconds(20), slow)};
  const auto times = time_in_turns(runners, {});
  ASSERT_TRUE(times.ok()) << times.status().to_string();
  EXPECT_EQ(quick, slow);
  EXPECT_GE(times->ms[0], 1);
  EXPECT_GE(times->ms[1], 20);
  EXPECT_LT(times->ms[0], times->ms[1]);
  EXPECT_GE(times->runs, 3);
  EXPECT_LT(times->runs, quick) << "warm-ups do not count";
}

TEST(TimeInTurns, a_stop_ends_it) {
  int first = 0, second = 0;
  std::stop_source stop;
  const Runners runners{sleeper(std::chrono::milliseconds(1), first), [&] {
                          if (++second == 5) stop.request_stop();
                          return Status();
                        }};
  EXPECT_EQ(time_in_turns(runners, stop.get_token()).status().code(), StatusCode::kCancelled);
  EXPECT_LT(second, 10);
}

TEST(TimeInTurns, a_failure_is_returned) {
  int calls = 0;
  const Runners runners{sleeper(std::chrono::milliseconds(1), calls),
                        [] { return Status(StatusCode::kInferenceError, "it broke"); }};
  EXPECT_EQ(time_in_turns(runners, {}).status().message(), "it broke");
}

}  // namespace
}  // namespace tern
