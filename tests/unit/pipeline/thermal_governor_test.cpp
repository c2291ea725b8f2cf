// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "pipeline/random.h"
#include "tern/pipeline_thermal.h"

namespace tern {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ThermalLadder ladder() {
  return {.steps = {{.at_c = 75, .back_c = 70, .max_rate_hz = 15},
                    {.at_c = 83, .back_c = 76, .max_rate_hz = 10, .off = {"segment"}},
                    {.at_c = 90, .back_c = 80, .max_rate_hz = 5, .off = {"detect", "segment"}, .on = {"detect_small"}}},
          .hold = 10s,
          .settle = 5s};
}

ThermalState reading(double celsius, bool throttled = false) {
  ThermalState state{.is_telemetry_available = true, .temperature_c = celsius, .throttled = throttled};
  if (throttled) state.reasons = {"sw_thermal_slowdown"};
  return state;
}

/// A trace as it is stored in tests/data/thermal: "<seconds> <celsius or -> <throttled: 0 or 1>" a line, # for comments. Gives
/// the changes as "<seconds>: <from>-><to>".
std::vector<std::string> walk(const std::string& file) {
  ThermalGovernor governor = ThermalGovernor::create(ladder()).value();
  std::istringstream lines(
      read_text_file(std::filesystem::path(TERN_SOURCE_DIR) / "tests/data/thermal" / file, 1 << 20).value());
  std::vector<std::string> changes;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    int seconds = 0;
    std::string celsius;
    bool throttled = false;
    EXPECT_TRUE(static_cast<bool>(words >> seconds >> celsius >> throttled)) << line;
    const ThermalState state =
        celsius == "-" ? ThermalState{.reasons = {"the sensor is silent"}} : reading(std::stod(celsius), throttled);
    if (const auto change = governor.observe(state, std::chrono::seconds(seconds))) {
      EXPECT_FALSE(change->reason.empty());
      EXPECT_EQ(change->to, governor.step());
      changes.push_back(std::to_string(seconds) + ": " + std::to_string(change->from) + "->" +
                        std::to_string(change->to));
    }
  }
  EXPECT_FALSE(file.empty());
  return changes;
}

TEST(ThermalGovernor, heats_up_and_cools_down) {
  EXPECT_THAT(walk("heat_and_cool.txt"),
              ElementsAre("60: 0->1", "90: 1->2", "120: 2->3", "200: 3->2", "230: 2->1", "265: 1->0"));
}

TEST(ThermalGovernor, a_temperature_that_swings_around_a_threshold_changes_nothing) {
  EXPECT_THAT(walk("swinging.txt"), ElementsAre("10: 0->1"));
}

TEST(ThermalGovernor, a_device_that_throttles_goes_down_step_by_step) {
  EXPECT_THAT(walk("throttled.txt"),
              ElementsAre("20: 0->1", "25: 1->2", "30: 2->3", "60: 3->2", "70: 2->1", "80: 1->0"));
}

TEST(ThermalGovernor, a_silent_sensor_leaves_it_where_it_is) {
  EXPECT_THAT(walk("silent_sensor.txt"),
              ElementsAre("0: 0->0", "10: 0->0", "20: 0->2", "30: 2->2", "90: 2->2", "100: 2->1", "110: 1->0"));
}

TEST(ThermalGovernor, a_leap_skips_steps_and_says_why) {
  ThermalGovernor governor = ThermalGovernor::create(ladder()).value();
  const auto change = governor.observe(reading(95), 0s);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->to, 3);
  EXPECT_THAT(change->reason, HasSubstr("95.0 C reaches step 3 (90 C)"));
}

TEST(ThermalGovernor, says_what_holds_on_each_step) {
  ThermalGovernor governor = ThermalGovernor::create(ladder()).value();
  EXPECT_EQ(governor.current(), nullptr);
  EXPECT_EQ(governor.min_interval(), 0ns);
  EXPECT_TRUE(governor.is_running("segment", false));
  EXPECT_FALSE(governor.is_running("detect_small", true));
  (void)governor.observe(reading(84), 0s);
  EXPECT_EQ(governor.min_interval(), 100ms);
  EXPECT_TRUE(governor.is_running("detect", false));
  EXPECT_FALSE(governor.is_running("segment", false));
  EXPECT_FALSE(governor.is_running("detect_small", true));
  (void)governor.observe(reading(91), 1s);
  EXPECT_FALSE(governor.is_running("detect", false));
  EXPECT_TRUE(governor.is_running("detect_small", true));
  EXPECT_EQ(governor.current()->at_c, 90);
}

TEST(ThermalGovernor, without_telemetry_stays_at_the_top_and_says_so_once) {
  ThermalGovernor governor = ThermalGovernor::create(ladder()).value();
  ThermalState none;
  none.reasons = {"no thermal zone"};
  const auto change = governor.observe(none, 0s);
  ASSERT_TRUE(change.has_value());
  EXPECT_THAT(change->reason, HasSubstr("no thermal zone"));
  EXPECT_FALSE(governor.is_telemetry_available());
  for (int i = 1; i < 100; ++i)
    EXPECT_FALSE(governor.observe(none, std::chrono::seconds(i)).has_value());
  EXPECT_EQ(governor.step(), 0);
}

TEST(ThermalGovernor, a_reading_that_no_machine_has_is_none) {
  for (const double celsius :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1000.0, -273.0}) {
    ThermalGovernor governor = ThermalGovernor::create(ladder()).value();
    EXPECT_TRUE(governor.observe(reading(celsius, true), 0s).has_value());
    EXPECT_FALSE(governor.is_telemetry_available());
    EXPECT_EQ(governor.step(), 0);
  }
}

TEST(ThermalGovernor, an_empty_ladder_never_moves) {
  ThermalGovernor governor = ThermalGovernor::create({}).value();
  EXPECT_FALSE(governor.observe(reading(140, true), 0s).has_value());
  EXPECT_EQ(governor.step(), 0);
}

TEST(ThermalGovernor, refuses_ladders_that_cannot_be_walked) {
  const auto refused = [](const auto& change) {
    ThermalLadder of = ladder();
    change(of);
    const auto governor = ThermalGovernor::create(of);
    EXPECT_FALSE(governor.ok());
    return governor.ok() ? std::string() : governor.status().to_string();
  };
  EXPECT_THAT(refused([](auto& l) { l.steps[1].back_c = 83; }), HasSubstr("thermal step 2"));
  EXPECT_THAT(refused([](auto& l) { l.steps[1].at_c = 75; }), HasSubstr("below the 75 C"));
  EXPECT_THAT(refused([](auto& l) { l.steps[1] = {.at_c = 75, .back_c = 72}; }),
              HasSubstr("hotter than the step before"));
  EXPECT_THAT(refused([](auto& l) { l.steps[1].back_c = 60; }), HasSubstr("hotter than the step before"));
  EXPECT_THAT(refused([](auto& l) { l.steps[0].at_c = 200; }), HasSubstr("within"));
  EXPECT_THAT(refused([](auto& l) { l.steps[0].back_c = std::numeric_limits<double>::quiet_NaN(); }),
              HasSubstr("within"));
  EXPECT_THAT(refused([](auto& l) { l.steps[0].max_rate_hz = -1; }), HasSubstr("rate"));
  EXPECT_THAT(refused([](auto& l) { l.steps[2].on = {"detect"}; }), HasSubstr("both on and off"));
  EXPECT_THAT(refused([](auto& l) { l.hold = 0s; }), HasSubstr("hold"));
  EXPECT_THAT(refused([](auto& l) { l.settle = -1s; }), HasSubstr("hold"));
  EXPECT_THAT(refused([](auto& l) { l.steps.resize(17, l.steps[0]); }), HasSubstr("17 steps"));
}

TEST(ThermalGovernor, whatever_is_read_it_never_goes_up_faster_than_it_may) {
  Random random(7);
  for (int run = 0; run < 50; ++run) {
    ThermalGovernor governor = ThermalGovernor::create(ladder()).value();
    Nanoseconds now{}, hot_at{};
    for (int i = 0; i < 500; ++i) {
      now += std::chrono::milliseconds(random.next() % 3000);
      const double celsius = 60 + 35 * random.uniform();
      const bool throttled = random.next() % 8 == 0, is_silent = random.next() % 16 == 0;
      const int before = governor.step();
      if (before > 0 &&
          (is_silent || throttled || celsius > ladder().steps[static_cast<std::size_t>(before) - 1].back_c))
        hot_at = now;
      (void)governor.observe(is_silent ? ThermalState{} : reading(celsius, throttled), now);
      if (governor.step() < before) {
        EXPECT_EQ(governor.step(), before - 1);
        EXPECT_GE(now - hot_at, 10s);
        hot_at = now;
      }
      if (!is_silent && celsius >= 90) {
        EXPECT_EQ(governor.step(), 3);
      }
      if (!is_silent && celsius >= 83) {
        EXPECT_GE(governor.step(), 2);
      }
      if (governor.step() > before) hot_at = now;
    }
  }
}

}  // namespace
}  // namespace tern
