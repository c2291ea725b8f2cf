// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <queue>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "pipeline/random.h"
#include "tern/pipeline_simulator.h"

namespace tern {
namespace {

constexpr Nanoseconds kMaxDelay = std::chrono::seconds(10);
constexpr Nanoseconds kMaxDuration = std::chrono::hours(24);

bool within(double value, double min, double max) noexcept {
  return value >= min && value <= max;  // false for NaN
}

Status check(const SimulationConfig& config) {
  const auto wrong = [](std::string_view what) { return make_error(StatusCode::kConfigError, "simulation: {}", what); };
  if (config.cameras.size() != config.scheduler.sources.size()) return wrong("each source needs a camera");
  if (!config.devices.empty() && config.devices.size() != config.scheduler.models.size())
    return wrong("each model needs a device, or none has one");
  for (const auto& camera : config.cameras) {
    if (!(camera.rate_hz > 0.001 && camera.rate_hz <= 1000)) return wrong("a camera's rate is outside 0.001..1000 Hz");
    if (camera.delay < Nanoseconds(0) || camera.delay > kMaxDelay || camera.jitter < Nanoseconds(0) ||
        camera.jitter > kMaxDelay)
      return wrong("a camera's delay or jitter is outside 0..10 s");
    if (camera.phase && !(*camera.phase >= 0 && *camera.phase < 1)) return wrong("a camera's phase is outside 0..1");
  }
  for (const auto& device : config.devices) {
    if (!within(device.noise, 0, 0.5)) return wrong("a device's noise is outside 0..0.5");
    if (!within(device.mean_items, 0, 100)) return wrong("a device's mean items are outside 0..100");
  }
  for (const auto& slowdown : config.slowdowns) {
    if (!(slowdown.factor > 0 && slowdown.factor <= 100)) return wrong("a slowdown is outside 0..100");
  }
  if (config.hosts < 1 || config.hosts > 1024 || static_cast<std::size_t>(config.hosts) > config.cameras.size())
    return wrong("hosts must be within 1 and 1024 and not more than the cameras");
  if (config.warm_up < Nanoseconds(0) || config.duration <= config.warm_up || config.duration > kMaxDuration)
    return wrong("the duration must be longer than the warm-up and at most 24 h");
  return {};
}

struct Event {
  enum class Kind : std::uint8_t { kFrame, kFinished, kWake };
  Nanoseconds at{};
  std::uint64_t sequence = 0;
  Kind kind = Kind::kFrame;
  int index = 0;           // source or executor
  Nanoseconds captured{};  // kFrame
  bool operator>(const Event& other) const noexcept {
    return at != other.at ? at > other.at : sequence > other.sequence;
  }
};

/// What all hosts add up.
struct Tally {
  SimulationReport report{};
  std::vector<std::uint64_t> source_frames{}, source_hits{};  // by source of the whole fleet
  std::vector<Nanoseconds> ages{};
  std::vector<Nanoseconds> model_busy{};
  std::uint64_t batches = 0, items = 0;
};

/// One host: its cameras, its scheduler, its devices.
class Host {
 public:
  Host(const SimulationConfig& config, int host, Scheduler scheduler, Tally& tally)
      : config_(config),
        host_(host),
        scheduler_(std::move(scheduler)),
        tally_(tally),
        random_(config.seed * 0x100000001b3U + static_cast<std::uint64_t>(host)),
        running_(static_cast<std::size_t>(config.scheduler.executors)) {
    for (std::size_t i = 0; i < config.scheduler.models.size(); ++i)
      exp_minus_mean_.push_back(std::exp(-device(i).mean_items));
  }

  void run();

 private:
  [[nodiscard]] SimulationConfig::Device device(std::size_t model) const noexcept {
    return config_.devices.empty() ? SimulationConfig::Device{} : config_.devices[model];
  }
  [[nodiscard]] std::size_t camera_of(int source) const noexcept {
    return static_cast<std::size_t>(source) * static_cast<std::size_t>(config_.hosts) + static_cast<std::size_t>(host_);
  }
  [[nodiscard]] Nanoseconds interval(int source) const noexcept {
    return Nanoseconds(static_cast<Nanoseconds::rep>(1e9 / config_.cameras[camera_of(source)].rate_hz));
  }
  void schedule(Nanoseconds at, Event::Kind kind, int index, Nanoseconds captured = {}) {
    events_.push({at, ++sequence_, kind, index, captured});
  }
  void schedule_frame(int source, Nanoseconds captured);
  void frame(const Event& event);
  void finished(int executor, Nanoseconds now);
  void dispatch(Nanoseconds now);
  void begin(int executor, const Decision& decision, Nanoseconds now);
  void collect();
  void count(int source, Nanoseconds captured, FrameEnd end, Nanoseconds ended);
  [[nodiscard]] double factor(Nanoseconds now) const noexcept;

  const SimulationConfig& config_;
  int host_;
  Scheduler scheduler_;
  Tally& tally_;
  Random random_;
  struct Running {
    Decision decision{};
    bool is_busy = false;
  };
  std::vector<Running> running_;
  std::vector<double> exp_minus_mean_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t sequence_ = 0;
  Nanoseconds next_wake_ = Nanoseconds::max();
};

void Host::schedule_frame(int source, Nanoseconds captured) {
  const SimulationConfig::Camera& camera = config_.cameras[camera_of(source)];
  const auto jitter =
      Nanoseconds(static_cast<Nanoseconds::rep>(static_cast<double>(camera.jitter.count()) * random_.uniform()));
  if (captured < config_.duration) schedule(captured + camera.delay + jitter, Event::Kind::kFrame, source, captured);
}

void Host::run() {
  const auto count =
      (config_.cameras.size() - static_cast<std::size_t>(host_) + static_cast<std::size_t>(config_.hosts) - 1) /
      static_cast<std::size_t>(config_.hosts);
  for (int source = 0; source < static_cast<int>(count); ++source) {
    const double drawn = random_.uniform();  // drawn in any case, so that one camera's phase changes no other camera
    const double phase = config_.cameras[camera_of(source)].phase.value_or(drawn);
    schedule_frame(source,
                   Nanoseconds(static_cast<Nanoseconds::rep>(static_cast<double>(interval(source).count()) * phase)));
  }
  // Runs until the last frame is through; frames end at the latest when their work is done.
  while (!events_.empty()) {
    const Event event = events_.top();
    events_.pop();
    if (event.kind == Event::Kind::kWake) {
      if (event.at != next_wake_) continue;  // an earlier decision took its place
      next_wake_ = Nanoseconds::max();
    } else {
      ++tally_.report.events;
    }
    if (event.kind == Event::Kind::kFrame) frame(event);
    if (event.kind == Event::Kind::kFinished) finished(event.index, event.at);
    dispatch(event.at);
    collect();
  }
}

void Host::frame(const Event& event) {
  schedule_frame(event.index, event.captured + interval(event.index));
  const Offer offer = scheduler_.offer(event.index, event.captured, 0, event.at);
  if (!offer.is_accepted) count(event.index, event.captured, offer.refused, event.at);
  collect();
}

void Host::finished(int executor, Nanoseconds now) {
  Running& running = running_[static_cast<std::size_t>(executor)];
  const auto& models = config_.scheduler.models;
  for (std::size_t child = 0; child < models.size(); ++child) {
    // The first input is the one whose boxes are cut out.
    if (models[child].inputs.empty() || models[child].inputs.front() != running.decision.model) continue;
    for (const BatchPart& part : running.decision.parts)
      (void)scheduler_.set_items(part.frame, static_cast<int>(child), random_.poisson(exp_minus_mean_[child]));
  }
  running.is_busy = false;
  scheduler_.finish(executor, now);
}

void Host::dispatch(Nanoseconds now) {
  for (int executor = 0; executor < config_.scheduler.executors; ++executor) {
    if (running_[static_cast<std::size_t>(executor)].is_busy) continue;
    const Decision decision = scheduler_.decide(executor, now);
    if (decision.kind == Decision::Kind::kRun) {
      begin(executor, decision, now);
      continue;
    }
    if (decision.kind == Decision::Kind::kWait && decision.until < next_wake_) {
      next_wake_ = std::max(decision.until, now + Nanoseconds(1));
      schedule(next_wake_, Event::Kind::kWake, 0);
    }
    return;  // the devices are alike: what one does not do, none does
  }
}

void Host::begin(int executor, const Decision& decision, Nanoseconds now) {
  const auto model = static_cast<std::size_t>(decision.model);
  const double expected = static_cast<double>(config_.scheduler.models[model].curve.expected(decision.items).count());
  const double noise = std::max(0.2, 1 + device(model).noise * random_.normal());
  const Nanoseconds takes(static_cast<Nanoseconds::rep>(expected * factor(now) * noise) + 1);
  running_[static_cast<std::size_t>(executor)] = {decision, true};
  const Nanoseconds from = std::clamp(now, config_.warm_up, config_.duration);
  const Nanoseconds to = std::clamp(now + takes, config_.warm_up, config_.duration);
  tally_.model_busy[model] += to - from;
  ++tally_.batches;
  tally_.items += static_cast<std::uint64_t>(decision.items);
  schedule(now + takes, Event::Kind::kFinished, executor);
}

double Host::factor(Nanoseconds now) const noexcept {
  double factor = 1;
  Nanoseconds since = Nanoseconds::min();
  for (const auto& slowdown : config_.slowdowns) {
    if (slowdown.at > now || slowdown.at < since) continue;
    factor = slowdown.factor;
    since = slowdown.at;
  }
  return factor;
}

void Host::collect() {
  while (const auto ended = scheduler_.next_ended())
    count(ended->source, ended->captured, ended->end, ended->ended);
}

void Host::count(int source, Nanoseconds captured, FrameEnd end, Nanoseconds ended) {
  const std::size_t camera = camera_of(source);
  if (captured < config_.warm_up || captured + config_.scheduler.sources[camera].deadline > config_.duration) return;
  ++tally_.report.frames;
  ++tally_.report.ends[static_cast<std::size_t>(end)];
  ++tally_.source_frames[camera];
  if (end == FrameEnd::kDelivered) ++tally_.source_hits[camera];
  if (end == FrameEnd::kDelivered || end == FrameEnd::kLate) tally_.ages.push_back(ended - captured);
}

Nanoseconds percentile(std::vector<Nanoseconds>& ages, double part) {
  if (ages.empty()) return {};
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(ages.size())));
  const auto at = ages.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(rank, 1, ages.size()) - 1);
  std::ranges::nth_element(ages, at);
  return *at;
}

SimulationReport summarise(const SimulationConfig& config, Tally tally) {
  SimulationReport& report = tally.report;
  const auto hits = report.ends[static_cast<std::size_t>(FrameEnd::kDelivered)];
  if (report.frames > 0) report.hit_rate = static_cast<double>(hits) / static_cast<double>(report.frames);
  report.worst_source_hit_rate = report.hit_rate;
  for (std::size_t i = 0; i < tally.source_frames.size(); ++i) {
    if (tally.source_frames[i] == 0) continue;
    report.worst_source_hit_rate =
        std::min(report.worst_source_hit_rate,
                 static_cast<double>(tally.source_hits[i]) / static_cast<double>(tally.source_frames[i]));
  }
  report.age_p50 = percentile(tally.ages, 0.50);
  report.age_p95 = percentile(tally.ages, 0.95);
  report.age_p99 = percentile(tally.ages, 0.99);
  const double capacity =
      static_cast<double>((config.duration - config.warm_up).count()) * config.scheduler.executors * config.hosts;
  for (const Nanoseconds busy : tally.model_busy) {
    report.model_busy.push_back(static_cast<double>(busy.count()) / capacity);
    report.utilisation += report.model_busy.back();
  }
  if (tally.batches > 0) report.mean_batch = static_cast<double>(tally.items) / static_cast<double>(tally.batches);
  return std::move(report);
}

}  // namespace

Result<SimulationReport> simulate(const SimulationConfig& config) {
  TERN_RETURN_IF_ERROR(check(config));
  Tally tally;
  tally.source_frames.resize(config.cameras.size());
  tally.source_hits.resize(config.cameras.size());
  tally.model_busy.resize(config.scheduler.models.size());
  for (int host = 0; host < config.hosts; ++host) {
    SchedulerConfig own = config.scheduler;
    own.sources.clear();
    for (auto i = static_cast<std::size_t>(host); i < config.scheduler.sources.size();
         i += static_cast<std::size_t>(config.hosts))
      own.sources.push_back(config.scheduler.sources[i]);
    TERN_ASSIGN_OR_RETURN(Scheduler scheduler, Scheduler::create(own));
    Host(config, host, std::move(scheduler), tally).run();
  }
  return summarise(config, std::move(tally));
}

std::string SimulationReport::to_json() const {
  const auto milliseconds = [](Nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); };
  nlohmann::ordered_json ended;
  for (std::size_t i = 0; i < ends.size(); ++i)
    ended[std::string(to_string(static_cast<FrameEnd>(i)))] = ends[i];
  const nlohmann::ordered_json json{{"frames", frames},
                                    {"ends", ended},
                                    {"hit_rate", hit_rate},
                                    {"worst_source_hit_rate", worst_source_hit_rate},
                                    {"age_p50_ms", milliseconds(age_p50)},
                                    {"age_p95_ms", milliseconds(age_p95)},
                                    {"age_p99_ms", milliseconds(age_p99)},
                                    {"utilisation", utilisation},
                                    {"mean_batch", mean_batch},
                                    {"events", events},
                                    {"model_busy", model_busy}};
  return json.dump();
}

}  // namespace tern
