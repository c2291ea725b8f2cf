// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Random pipelines driven at random, held against a second account of what may happen.
#include <map>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "pipeline/random.h"
#include "tern/pipeline_scheduler.h"

namespace tern {
namespace {

using namespace std::chrono_literals;
using Kind = Decision::Kind;

SchedulerConfig random_config(Random& random) {
  const auto pick = [&](int min, int max) {
    return min + static_cast<int>(random.next() % static_cast<std::uint64_t>(max - min + 1));
  };
  SchedulerConfig config;
  const int models = pick(1, 5);
  for (int i = 0; i < models; ++i) {
    SchedulerConfig::Model model{.name = fmt::format("m{}", i)};
    const int batch = pick(1, 9);
    std::vector<LatencyCurve::Point> points{{1, Nanoseconds(100us) * pick(1, 50)}};
    if (batch > 1) points.push_back({batch, points[0].latency + Nanoseconds(100us) * pick(0, 80)});
    model.curve = LatencyCurve::create(points).value();
    model.priority = pick(0, 2);
    model.share = pick(0, 1) * 0.9 / models;
    for (int input = 0; input < i; ++input) {
      if (pick(0, 3) == 0) model.inputs.push_back(input);
    }
    model.max_items = pick(1, 12);
    config.models.push_back(model);
  }
  for (int i = pick(1, 6); i > 0; --i) {
    SchedulerConfig::Source source{
        .name = "s", .newest_wins = pick(0, 1) == 0, .deadline = Nanoseconds(1ms) * pick(1, 60)};
    source.capacity = source.newest_wins ? 1 : pick(1, 5);
    source.max_started = pick(1, 3);
    for (int model = 0; model < models; ++model)
      source.models.push_back(model);
    config.sources.push_back(source);
  }
  config.executors = pick(1, 4);
  config.order = static_cast<FrameOrder>(pick(0, 2));
  config.batching = static_cast<Batching>(pick(0, 2));
  config.fixed_batch = pick(1, 6);
  config.fixed_timeout = Nanoseconds(1ms) * pick(0, 5);
  config.drop_hopeless = pick(0, 3) != 0;
  return config;
}

/// Drives a scheduler and keeps accounts of its own.
class Driver {
 public:
  explicit Driver(std::uint64_t seed)
      : random_(seed),
        config_(random_config(random_)),
        scheduler_(Scheduler::create(config_).value()),
        running_(static_cast<std::size_t>(config_.executors)),
        enabled_(config_.models.size(), true) {}

  void step() {
    now_ += Nanoseconds(static_cast<Nanoseconds::rep>(random_.next() % 3'000'000));
    switch (random_.next() % 16) {
      case 0:
        scheduler_.set_min_interval(Nanoseconds(static_cast<Nanoseconds::rep>(random_.next() % 2 * 10'000'000)));
        break;
      case 1: {
        const auto model = random_.next() % config_.models.size();
        enabled_[model] = !enabled_[model];
        scheduler_.set_enabled(static_cast<int>(model), enabled_[model]);
        break;
      }
      case 2:
        scheduler_.stop_source(random_source(), now_);
        break;
      default:
        offer();
        break;
    }
    for (std::size_t executor = 0; executor < running_.size(); ++executor) {
      if (running_[executor].is_busy && random_.next() % 2 == 0) finish(executor);
      if (!running_[executor].is_busy && random_.next() % 4 != 0) decide(executor);
    }
    if (random_.next() % 3 == 0) collect();
    EXPECT_LE(scheduler_.frames_inside(), scheduler_.max_frames_inside());
  }

  /// Runs everything that is inside to its end.
  void drain() {
    for (int round = 0; round < 100'000 && scheduler_.frames_inside() > 0; ++round) {
      now_ += 1ms;
      for (std::size_t executor = 0; executor < running_.size(); ++executor) {
        if (running_[executor].is_busy) finish(executor);
        decide(executor);
      }
      collect();
    }
    EXPECT_EQ(scheduler_.frames_inside(), 0) << "frames are stuck";
    EXPECT_TRUE(alive_.empty());
    std::uint64_t ended = 0;
    for (const std::uint64_t count : scheduler_.ends())
      ended += count;
    EXPECT_EQ(ended, offered_) << "each frame ends exactly once";
    for (int model = 0; model < static_cast<int>(config_.models.size()); ++model)
      EXPECT_EQ(scheduler_.model_state(model).ready_items, 0);
  }

 private:
  struct Alive {
    FrameId id{};
    int source = 0;
    Nanoseconds deadline{};
    int running = 0;
    bool has_begun = false;
    std::map<int, std::set<int>> items{};  // handed out, by model
    std::map<int, int> granted{};          // by set_items
    std::map<int, int> finished{};
  };
  struct Running {
    bool is_busy = false;
    Decision decision{};
  };

  int random_source() { return static_cast<int>(random_.next() % config_.sources.size()); }

  void offer() {
    const int source = random_source();
    const Nanoseconds captured = now_ - Nanoseconds(static_cast<Nanoseconds::rep>(random_.next() % 5'000'000));
    const bool had_room = scheduler_.has_room(source);
    const Offer offer = scheduler_.offer(source, captured, ++offered_, now_);
    if (had_room) {
      EXPECT_NE(offer.refused, FrameEnd::kQueueFull);
    }
    if (!offer.is_accepted) return;
    const Nanoseconds deadline = captured + config_.sources[static_cast<std::size_t>(source)].deadline;
    alive_[offered_] = {.id = offer.frame, .source = source, .deadline = deadline};
  }

  void decide(std::size_t executor) {
    const Decision decision = scheduler_.decide(static_cast<int>(executor), now_);
    if (decision.kind == Kind::kWait) {
      EXPECT_GT(decision.until, now_) << "waiting for the past never ends";
    }
    if (decision.kind != Kind::kRun) return;
    const SchedulerConfig::Model& model = config_.models[static_cast<std::size_t>(decision.model)];
    EXPECT_LE(decision.items, model.curve.max_batch());
    if (config_.batching == Batching::kFixed) {
      EXPECT_LE(decision.items, config_.fixed_batch);
    }
    if (config_.batching == Batching::kSingle) {
      EXPECT_EQ(decision.items, 1);
    }
    int items = 0;
    for (const BatchPart& part : decision.parts) {
      items += part.items;
      EXPECT_GT(part.items, 0);
      ASSERT_TRUE(alive_.contains(part.tag)) << "a frame that ended runs";
      Alive& frame = alive_[part.tag];
      EXPECT_EQ(frame.id, part.frame);
      frame.has_begun = true;
      ++frame.running;
      for (int item = part.first_item; item < part.first_item + part.items; ++item)
        EXPECT_TRUE(frame.items[decision.model].insert(item).second) << "an item runs twice";
      const int granted = model.inputs.empty() ? 1 : frame.granted[decision.model];
      EXPECT_LE(part.first_item + part.items, granted);
      for (const int input : model.inputs)
        EXPECT_TRUE(is_done(frame, input)) << "an input is missing";
      if (config_.drop_hopeless) {
        EXPECT_LE(now_, frame.deadline) << "a frame runs after its deadline";
      }
    }
    EXPECT_EQ(items, decision.items);
    running_[executor] = {true, decision};
    check_started();
  }

  bool is_done(const Alive& frame, int model) const {
    const auto& of = config_.models[static_cast<std::size_t>(model)];
    const auto granted = frame.granted.find(model);
    const int wanted = of.inputs.empty() ? 1 : granted == frame.granted.end() ? 0 : granted->second;
    const auto finished = frame.finished.find(model);
    return (finished == frame.finished.end() ? 0 : finished->second) == wanted;
  }

  void check_started() {
    collect();
    std::map<int, int> started;
    for (const auto& [tag, frame] : alive_)
      started[frame.source] += frame.has_begun ? 1 : 0;
    for (const auto& [source, count] : started)
      EXPECT_LE(count, config_.sources[static_cast<std::size_t>(source)].max_started);
  }

  void finish(std::size_t executor) {
    Running& of = running_[executor];
    for (const BatchPart& part : of.decision.parts) {
      ASSERT_TRUE(alive_.contains(part.tag)) << "a frame was given back while a device worked on it";
      Alive& frame = alive_[part.tag];
      --frame.running;
      frame.finished[of.decision.model] += part.items;
      for (std::size_t child = 0; child < config_.models.size(); ++child) {
        const auto& inputs = config_.models[child].inputs;
        if (inputs.empty() || inputs.front() != of.decision.model) continue;
        const int wanted = static_cast<int>(random_.next() % 16);
        const int granted = scheduler_.set_items(part.frame, static_cast<int>(child), wanted);
        EXPECT_LE(granted, std::min(wanted, config_.models[child].max_items));
        frame.granted[static_cast<int>(child)] = granted;
      }
    }
    const bool is_ok = random_.next() % 20 != 0;
    of.is_busy = false;
    scheduler_.finish(static_cast<int>(executor), now_, is_ok);
  }

  void collect() {
    while (const auto ended = scheduler_.next_ended()) {
      ASSERT_TRUE(alive_.contains(ended->tag)) << "it ended twice, or never began";
      const Alive& frame = alive_[ended->tag];
      EXPECT_EQ(frame.running, 0) << "a device works on it";
      EXPECT_EQ(frame.id, ended->frame);
      EXPECT_EQ(frame.source, ended->source);
      if (ended->end == FrameEnd::kDelivered) {
        EXPECT_LE(ended->ended, ended->deadline);
      }
      if (ended->end == FrameEnd::kLate) {
        EXPECT_GT(ended->ended, ended->deadline);
      }
      if (ended->end == FrameEnd::kSuperseded || ended->end == FrameEnd::kOverload) {
        EXPECT_FALSE(frame.has_begun);
      }
      if (ended->end == FrameEnd::kHopeless) {
        EXPECT_TRUE(config_.drop_hopeless);
      }
      alive_.erase(ended->tag);
    }
  }

  Random random_;
  SchedulerConfig config_;
  Scheduler scheduler_;
  std::vector<Running> running_;
  std::vector<bool> enabled_;
  std::map<std::uint64_t, Alive> alive_;
  std::uint64_t offered_ = 0;
  Nanoseconds now_{};
};

TEST(SchedulerProperties, random_pipelines_lose_no_frame_and_break_no_promise) {
  for (std::uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Driver driver(seed);
    for (int i = 0; i < 400 && !testing::Test::HasFailure(); ++i)
      driver.step();
    driver.drain();
  }
}

/// Two models, both always with work, on one executor.
std::array<double, 2> busy_parts(double share, int priority_of_other) {
  SchedulerConfig config;
  const LatencyCurve curve = LatencyCurve::create({{1, 4ms}}).value();
  config.models = {{.name = "guaranteed", .curve = curve, .share = share},
                   {.name = "other", .curve = curve, .priority = priority_of_other}};
  config.sources = {{.newest_wins = false, .capacity = 8, .deadline = 1h, .max_started = 8, .models = {0}},
                    {.newest_wins = false, .capacity = 8, .deadline = 1s, .max_started = 8, .models = {1}}};
  Scheduler scheduler = Scheduler::create(config).value();
  Nanoseconds now{};
  for (; now < 20s; now += 4ms) {
    for (int source = 0; source < 2; ++source) {
      while (scheduler.offer(source, now, 0, now).is_accepted) {
      }
    }
    EXPECT_EQ(scheduler.decide(0, now).kind, Kind::kRun);
    scheduler.finish(0, now + 4ms);
    while (scheduler.next_ended()) {
    }
  }
  const auto part = [&](int model) {
    return std::chrono::duration<double>(scheduler.model_state(model).busy) / std::chrono::duration<double>(now);
  };
  return {part(0), part(1)};
}

TEST(SchedulerProperties, a_share_is_kept_against_urgency_and_priority) {
  EXPECT_LT(busy_parts(0, 1)[0], 0.01) << "nothing is guaranteed, and the other one is always preferred";
  for (const double share : {0.1, 0.25, 0.5}) {
    EXPECT_NEAR(busy_parts(share, 0)[0], share, 0.03);
    EXPECT_NEAR(busy_parts(share, 5)[0], share, 0.03);
  }
}

TEST(SchedulerProperties, what_idles_within_its_share_is_used_by_others) {
  SchedulerConfig config;
  const LatencyCurve curve = LatencyCurve::create({{1, 4ms}}).value();
  config.models = {{.name = "idle", .curve = curve, .share = 0.9}, {.name = "busy", .curve = curve}};
  config.sources = {{.models = {0}}, {.deadline = 1s, .models = {1}}};
  Scheduler scheduler = Scheduler::create(config).value();
  int ran = 0;
  for (Nanoseconds now{}; now < 2s; now += 4ms) {
    (void)scheduler.offer(1, now, 0, now);
    ran += scheduler.decide(0, now).kind == Kind::kRun ? 1 : 0;
    scheduler.finish(0, now + 4ms);
    while (scheduler.next_ended()) {
    }
  }
  EXPECT_EQ(ran, 500);
}

}  // namespace
}  // namespace tern
