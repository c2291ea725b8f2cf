// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The scheduler on simulated cameras and devices. Prints the tables of docs/scaling.md; every number follows from the seed.
//   tern_simulate policies [SEED]   policies against each other, by load
//   tern_simulate rough [SEED]      the same where cameras are triggered together, deadlines differ and devices vary
//   tern_simulate parts [SEED]      what each part of the policy is worth
//   tern_simulate scaling [SEED]    up to 1,000 cameras and 64 GPUs
//   tern_simulate heat [SEED]       devices that slow down while running
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "tern/pipeline_simulator.h"

namespace {

using namespace std::chrono_literals;
using tern::Batching;
using tern::FrameEnd;
using tern::FrameOrder;
using tern::Nanoseconds;

struct Policy {
  std::string_view name;
  FrameOrder order;
  Batching batching;
  bool newest_wins;
  bool drop_hopeless;
  int fixed_batch = 8;
};

constexpr Policy kTern{"tern", FrameOrder::kEarliestDeadline, Batching::kLoad, true, true};

tern::LatencyCurve curve(std::vector<tern::LatencyCurve::Point> points) {
  return tern::LatencyCurve::create(std::move(points)).value();
}

/// Three models on every frame as the demo has them, the third on crops of the first one's boxes. The latencies, with copy and
/// preprocessing, are round numbers: an assumption, not a measurement.
std::vector<tern::SchedulerConfig::Model> three_models() {
  return {{.name = "detect", .curve = curve({{1, 1100us}, {2, 1400us}, {4, 2000us}, {8, 3300us}, {16, 6000us}})},
          {.name = "segment", .curve = curve({{1, 1500us}, {2, 2000us}, {4, 3000us}, {8, 5000us}, {16, 9200us}})},
          {.name = "obstruction",
           .curve = curve({{1, 500us}, {4, 600us}, {16, 1000us}, {32, 1600us}}),
           .inputs = {0},
           .max_items = 32}};
}

constexpr double kMeanCrops = 4;

/// Frames a second that one device can do with the largest batches: what "load" is relative to.
double capacity(const std::vector<tern::SchedulerConfig::Model>& models) {
  double cost = 0;
  for (const auto& model : models) {
    const int batch = model.curve.max_batch();
    const double seconds = std::chrono::duration<double>(model.curve.expected(batch)).count();
    cost += seconds / batch * (model.inputs.empty() ? 1 : kMeanCrops);
  }
  return 1 / cost;
}

tern::SimulationConfig scene(const Policy& policy, int cameras, int gpus, int hosts, std::uint64_t seed) {
  tern::SimulationConfig config;
  config.scheduler.models = three_models();
  for (int i = 0; i < cameras; ++i) {
    config.scheduler.sources.push_back({.name = fmt::format("camera{}", i),
                                        .newest_wins = policy.newest_wins,
                                        .capacity = policy.newest_wins ? 1 : 8,
                                        .deadline = 33ms,
                                        .max_started = 4,
                                        .models = {0, 1, 2}});
    config.cameras.push_back({.rate_hz = 30, .delay = 2ms, .jitter = 3ms});
  }
  config.devices = {{.noise = 0.03}, {.noise = 0.03}, {.noise = 0.03, .mean_items = kMeanCrops}};
  config.scheduler.executors = gpus / hosts;
  config.scheduler.order = policy.order;
  config.scheduler.batching = policy.batching;
  config.scheduler.drop_hopeless = policy.drop_hopeless;
  config.scheduler.fixed_batch = policy.fixed_batch;
  config.hosts = hosts;
  config.seed = seed;
  return config;
}

double milliseconds(Nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

std::uint64_t of(const tern::SimulationReport& report, FrameEnd end) {
  return report.ends[static_cast<std::size_t>(end)];
}

void print_head() {
  fmt::print(
      "| | cameras | GPUs | load | in time | missed | worst camera | age p50 | p95 | p99 | busy | items a batch | late "
      "| "
      "superseded | queue full | hopeless | overload "
      "|\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
}

void print_row(std::string_view name, int cameras, int gpus, double load, const tern::SimulationReport& r) {
  fmt::print(
      "| {} | {} | {} | {:.0f}% | {:.2f}% | {:.2f}% | {:.2f}% | {:.1f} | {:.1f} | {:.1f} | {:.0f}% | {:.1f} | {} | {} "
      "| {} | "
      "{} | {} |\n",
      name, cameras, gpus, load * 100, r.hit_rate * 100, (1 - r.hit_rate) * 100, r.worst_source_hit_rate * 100,
      milliseconds(r.age_p50), milliseconds(r.age_p95), milliseconds(r.age_p99), r.utilisation * 100, r.mean_batch,
      of(r, FrameEnd::kLate), of(r, FrameEnd::kSuperseded), of(r, FrameEnd::kQueueFull), of(r, FrameEnd::kHopeless),
      of(r, FrameEnd::kOverload));
}

/// What makes deadlines hard: half of the cameras are triggered together, frames come up to 12 ms late, deadlines differ, and the
/// devices' times vary by a tenth.
tern::SimulationConfig rough_scene(const Policy& policy, int cameras, int gpus, int hosts, std::uint64_t seed) {
  tern::SimulationConfig config = scene(policy, cameras, gpus, hosts, seed);
  constexpr std::array kDeadlines{33ms, 33ms, 50ms, 100ms};
  for (std::size_t i = 0; i < config.cameras.size(); ++i) {
    config.scheduler.sources[i].deadline = kDeadlines[i % kDeadlines.size()];
    config.cameras[i].jitter = i % 8 == 0 ? 12ms : 3ms;
    if (i % 2 == 0) config.cameras[i].phase = 0.5;
  }
  for (auto& device : config.devices)
    device.noise = 0.1;
  return config;
}

using Scene = tern::SimulationConfig (*)(const Policy&, int, int, int, std::uint64_t);

bool run_row(const Policy& policy, int cameras, int gpus, int hosts, std::uint64_t seed, Scene make = scene) {
  const auto config = make(policy, cameras, gpus, hosts, seed);
  const auto report = tern::simulate(config);
  if (!report.ok()) {
    std::fputs((report.status().to_string() + "\n").c_str(), stderr);
    return false;
  }
  print_row(policy.name, cameras, gpus, cameras * 30.0 / (capacity(config.scheduler.models) * gpus), *report);
  std::fflush(stdout);
  return true;
}

int cameras_at(double load, int gpus) {
  return static_cast<int>(std::lround(load * capacity(three_models()) * gpus / 30));
}

bool policies(std::uint64_t seed, Scene make) {
  const std::vector<Policy> list{
      kTern,
      {"FIFO, batch 1", FrameOrder::kFifo, Batching::kSingle, false, false},
      {"FIFO, batch 8 or 5 ms", FrameOrder::kFifo, Batching::kFixed, false, false},
      {"FIFO, batch 16 or 5 ms", FrameOrder::kFifo, Batching::kFixed, false, false, 16},
      {"newest wins, batch 8 or 5 ms", FrameOrder::kFifo, Batching::kFixed, true, false},
      {"round robin, batch 8 or 5 ms", FrameOrder::kRoundRobin, Batching::kFixed, true, false},
  };
  print_head();
  for (const double load : {0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2}) {
    for (const Policy& policy : list) {
      if (!run_row(policy, cameras_at(load, 8), 8, 1, seed, make)) return false;
    }
  }
  return true;
}

bool parts(std::uint64_t seed, Scene make) {
  const std::vector<Policy> list{
      kTern,
      {"queue of 8 for newest wins", FrameOrder::kEarliestDeadline, Batching::kLoad, false, true},
      {"FIFO for earliest deadline", FrameOrder::kFifo, Batching::kLoad, true, true},
      {"round robin for earliest deadline", FrameOrder::kRoundRobin, Batching::kLoad, true, true},
      {"batch 1", FrameOrder::kEarliestDeadline, Batching::kSingle, true, true},
      {"batch 8 or 5 ms", FrameOrder::kEarliestDeadline, Batching::kFixed, true, true},
      {"hopeless frames are served", FrameOrder::kEarliestDeadline, Batching::kLoad, true, false},
  };
  print_head();
  for (const double load : {0.5, 0.9, 1.2}) {
    for (const Policy& policy : list) {
      if (!run_row(policy, cameras_at(load, 8), 8, 1, seed, make)) return false;
    }
  }
  return true;
}

bool scaling(std::uint64_t seed) {
  struct Fleet {
    int cameras, gpus, hosts;
  };
  print_head();
  for (const Fleet& fleet :
       {Fleet{10, 1, 1}, Fleet{16, 1, 1}, Fleet{32, 2, 1}, Fleet{125, 8, 1}, Fleet{500, 32, 4}, Fleet{1000, 64, 8},
        Fleet{1000, 64, 1}, Fleet{1000, 48, 6}, Fleet{1000, 40, 5}, Fleet{1600, 64, 8}}) {
    Policy policy = kTern;
    const std::string name = fmt::format("{} {}", fleet.hosts, fleet.hosts == 1 ? "host" : "hosts");
    policy.name = name;
    if (!run_row(policy, fleet.cameras, fleet.gpus, fleet.hosts, seed)) return false;
  }
  return true;
}

bool heat(std::uint64_t seed) {
  print_head();
  for (const double factor : {1.0, 1.2, 1.5, 2.0}) {
    tern::SimulationConfig config = scene(kTern, 64, 8, 1, seed);
    config.slowdowns = {{2s, factor}};
    const auto report = tern::simulate(config);
    if (!report.ok()) return false;
    print_row(fmt::format("{:.1f} times as slow", factor), 64, 8, 64 * 30.0 * factor / (capacity(three_models()) * 8),
              *report);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  if (what == "policies") return policies(seed, scene) ? 0 : 1;
  if (what == "rough") return policies(seed, rough_scene) ? 0 : 1;
  if (what == "parts") return parts(seed, rough_scene) ? 0 : 1;
  if (what == "scaling") return scaling(seed) ? 0 : 1;
  if (what == "heat") return heat(seed) ? 0 : 1;
  std::fputs("usage: tern_simulate policies|rough|parts|scaling|heat [SEED]\n", stderr);
  return 2;
}
