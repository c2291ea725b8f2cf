// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tern/pipeline_simulator.h"

namespace tern {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::uint64_t of(const SimulationReport& report, FrameEnd end) {
  return report.ends[static_cast<std::size_t>(end)];
}

/// `cameras` at 30 Hz on one device, which does 333 frames a second one by one and 1333 in batches of 8.
SimulationConfig scene(int cameras, std::uint64_t seed = 1) {
  SimulationConfig config;
  config.scheduler.models = {{.name = "detect", .curve = LatencyCurve::create({{1, 3ms}, {8, 6ms}}).value()}};
  for (int i = 0; i < cameras; ++i) {
    config.scheduler.sources.push_back({.name = "camera", .deadline = 33ms, .max_started = 4, .models = {0}});
    config.cameras.push_back({.rate_hz = 30, .delay = 1ms, .jitter = 2ms});
  }
  config.duration = 12s;
  config.seed = seed;
  return config;
}

SimulationConfig with(SimulationConfig config, FrameOrder order, Batching batching, bool newest_wins,
                      bool drop_hopeless) {
  config.scheduler.order = order;
  config.scheduler.batching = batching;
  config.scheduler.drop_hopeless = drop_hopeless;
  for (auto& source : config.scheduler.sources) {
    source.newest_wins = newest_wins;
    source.capacity = newest_wins ? 1 : 8;
  }
  return config;
}

TEST(Simulator, one_camera_meets_every_deadline_at_the_age_that_can_be_computed) {
  SimulationConfig config = scene(1);
  config.cameras[0].jitter = 0ms;
  config.devices = {{.noise = 0}};
  const auto report = simulate(config).value();
  EXPECT_EQ(report.hit_rate, 1);
  EXPECT_NEAR(static_cast<double>(report.frames), 300, 2);
  EXPECT_NEAR(std::chrono::duration<double>(report.age_p50).count(), 0.004, 1e-6);
  EXPECT_EQ(report.age_p50, report.age_p99);
  EXPECT_NEAR(report.utilisation, 0.09, 0.002);  // 30 times 3 ms a second
  EXPECT_EQ(report.mean_batch, 1);
}

TEST(Simulator, the_same_seed_gives_the_same_report_and_another_does_not) {
  const std::string report = simulate(scene(20)).value().to_json();
  EXPECT_EQ(simulate(scene(20)).value().to_json(), report);
  EXPECT_NE(simulate(scene(20, 2)).value().to_json(), report);
}

TEST(Simulator, every_frame_is_accounted_for) {
  for (const int cameras : {1, 12, 44, 80}) {
    const auto report = simulate(scene(cameras)).value();
    EXPECT_EQ(std::accumulate(report.ends.begin(), report.ends.end(), std::uint64_t{0}), report.frames);
    EXPECT_NEAR(static_cast<double>(report.frames), 300.0 * cameras, 2.0 * cameras);
    EXPECT_LE(report.utilisation, 1.0001);
    EXPECT_LE(report.age_p50, report.age_p95);
    EXPECT_LE(report.age_p95, report.age_p99);
    EXPECT_LE(report.worst_source_hit_rate, report.hit_rate);
  }
}

TEST(Simulator, batches_carry_what_single_frames_cannot) {
  const auto policy = [](Batching batching) {
    return simulate(with(scene(30), FrameOrder::kEarliestDeadline, batching, true, true)).value();
  };
  EXPECT_LT(policy(Batching::kSingle).hit_rate, 0.5);  // 900 frames a second, 333 can be done
  EXPECT_EQ(policy(Batching::kLoad).hit_rate, 1);
}

TEST(Simulator, at_90_percent_load_misses_are_at_most_half_of_the_simple_policies) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    SimulationConfig config = scene(40, seed);
    config.devices = {{.noise = 0.1}};
    for (std::size_t i = 0; i < 40; ++i) {
      if (i < 20) config.cameras[i].phase = 0.5;  // half of them triggered together
      config.scheduler.sources[i].deadline = i % 4 < 2 ? 20ms : i % 4 == 2 ? 33ms : 60ms;
    }
    const auto misses = [&](FrameOrder order, Batching batching, bool newest_wins, bool drop_hopeless) {
      return 1 - simulate(with(config, order, batching, newest_wins, drop_hopeless)).value().hit_rate;
    };
    const double ours = misses(FrameOrder::kEarliestDeadline, Batching::kLoad, true, true);
    EXPECT_LE(ours, 0.01);
    EXPECT_LE(ours, misses(FrameOrder::kFifo, Batching::kSingle, false, false) / 2);
    EXPECT_LE(ours, misses(FrameOrder::kRoundRobin, Batching::kSingle, true, false) / 2);
    EXPECT_LE(ours, misses(FrameOrder::kFifo, Batching::kFixed, false, false) / 2);
    EXPECT_LE(ours, misses(FrameOrder::kFifo, Batching::kFixed, true, false) / 2);
    EXPECT_LE(ours, misses(FrameOrder::kRoundRobin, Batching::kFixed, true, false) / 2);
  }
}

TEST(Simulator, overload_costs_what_it_must_and_is_shared_by_all_cameras) {
  const auto report = simulate(scene(53)).value();  // 1.2 times what the device can do
  EXPECT_GT(report.hit_rate, 0.75);
  EXPECT_GT(report.worst_source_hit_rate, 0.4);
  EXPECT_LT(of(report, FrameEnd::kLate), report.frames / 200);
  EXPECT_GT(report.utilisation, 0.97);
}

TEST(Simulator, a_device_that_slows_down_is_noticed) {
  SimulationConfig config = scene(20);
  config.slowdowns = {{0ms, 1}, {2s, 1.8}};
  const auto report = simulate(config).value();  // 600 frames a second, 740 can be done
  EXPECT_GT(report.hit_rate, 0.99);
  config.slowdowns = {{0ms, 20}};  // not one frame can make it
  const auto none = simulate(config).value();
  EXPECT_LT(none.hit_rate, 0.01);
  EXPECT_LT(of(none, FrameEnd::kLate), none.frames / 20) << "they are dropped instead";
}

TEST(Simulator, crops_follow_their_frames) {
  SimulationConfig config = scene(4);
  config.scheduler.models.push_back({.name = "classify",
                                     .curve = LatencyCurve::create({{1, 1ms}, {16, 2ms}}).value(),
                                     .inputs = {0},
                                     .max_items = 16});
  for (auto& source : config.scheduler.sources)
    source.models = {0, 1};
  config.devices = {{}, {.noise = 0, .mean_items = 3}};
  const auto report = simulate(config).value();
  EXPECT_EQ(report.hit_rate, 1);
  EXPECT_GT(report.model_busy[1], 0.05);
  EXPECT_GT(report.mean_batch, 1.2);
}

TEST(Simulator, hosts_divide_cameras_between_them) {
  SimulationConfig config = scene(40);
  config.hosts = 4;
  const auto report = simulate(config).value();
  EXPECT_EQ(report.hit_rate, 1);
  EXPECT_NEAR(static_cast<double>(report.frames), 300.0 * 40, 80);
  const auto one = simulate(scene(10)).value();
  EXPECT_NEAR(report.utilisation, one.utilisation, 0.1);
}

TEST(Simulator, refuses_what_it_cannot_simulate) {
  const auto refused = [](const auto& change) {
    SimulationConfig config = scene(2);
    change(config);
    const auto report = simulate(config);
    EXPECT_FALSE(report.ok());
    return report.ok() ? std::string() : report.status().to_string();
  };
  EXPECT_THAT(refused([](auto& c) { c.cameras.pop_back(); }), HasSubstr("camera"));
  EXPECT_THAT(refused([](auto& c) { c.cameras[0].rate_hz = 0; }), HasSubstr("rate"));
  EXPECT_THAT(refused([](auto& c) { c.cameras[0].rate_hz = std::numeric_limits<double>::quiet_NaN(); }),
              HasSubstr("rate"));
  EXPECT_THAT(refused([](auto& c) { c.cameras[0].delay = -1ms; }), HasSubstr("delay"));
  EXPECT_THAT(refused([](auto& c) { c.cameras[0].phase = 1; }), HasSubstr("phase"));
  EXPECT_THAT(refused([](auto& c) { c.devices = {{}, {}}; }), HasSubstr("device"));
  EXPECT_THAT(refused([](auto& c) { c.devices = {{.noise = 1}}; }), HasSubstr("noise"));
  EXPECT_THAT(refused([](auto& c) { c.devices = {{.mean_items = -1}}; }), HasSubstr("items"));
  EXPECT_THAT(refused([](auto& c) { c.slowdowns = {{0ms, 0}}; }), HasSubstr("slowdown"));
  EXPECT_THAT(refused([](auto& c) { c.hosts = 3; }), HasSubstr("hosts"));
  EXPECT_THAT(refused([](auto& c) { c.duration = 1s; }), HasSubstr("duration"));
  EXPECT_THAT(refused([](auto& c) { c.scheduler.executors = 0; }), HasSubstr("executors"));
}

TEST(Simulator, reports_json) {
  const auto json = nlohmann::json::parse(simulate(scene(2)).value().to_json());
  EXPECT_EQ(json["hit_rate"], 1);
  EXPECT_EQ(json["ends"]["delivered"], json["frames"]);
  EXPECT_EQ(json["ends"].size(), kFrameEnds);
  EXPECT_GT(json["age_p50_ms"], 3);
}

}  // namespace
}  // namespace tern
