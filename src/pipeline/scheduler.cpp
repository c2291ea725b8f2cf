// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "pipeline/scheduler_state.h"
#include "tern/pipeline_scheduler.h"

namespace tern {
namespace {

constexpr int kMaxModels = 64, kMaxSources = 65'536, kMaxExecutors = 1024;
constexpr int kMaxQueue = 1024, kMaxStarted = 64, kMaxItems = 4096;
constexpr std::size_t kMaxJobs = 4'000'000;
constexpr Nanoseconds kMaxDeadline = std::chrono::hours(1);
constexpr double kShareTolerance = 1e-9;  // shares such as 0.1 and 0.9 may add up to a little more than 1

Status check_range(std::string_view what, std::int64_t value, std::int64_t min, std::int64_t max) {
  if (value >= min && value <= max) return {};
  return make_error(StatusCode::kConfigError, "{} is {}, and must be within {} and {}", what, value, min, max);
}

Status check_model(const SchedulerConfig& config, std::size_t index) {
  const SchedulerConfig::Model& model = config.models[index];
  TERN_RETURN_IF_ERROR(check_range("max_batch", model.max_batch, 0, model.curve.max_batch()));
  TERN_RETURN_IF_ERROR(check_range("max_items", model.max_items, 1, kMaxItems));
  if (!(model.share >= 0 && model.share <= 1))
    return make_error(StatusCode::kConfigError, "share is {}, and must be within 0 and 1", model.share);
  for (const int input : model.inputs) {
    if (input < 0 || static_cast<std::size_t>(input) >= index)
      return make_error(StatusCode::kConfigError, "input {} is no model before this one", input);
    if (std::ranges::count(model.inputs, input) > 1)
      return make_error(StatusCode::kConfigError, "input {} is given twice", input);
  }
  return {};
}

Status check_source(const SchedulerConfig& config, const SchedulerConfig::Source& source) {
  TERN_RETURN_IF_ERROR(check_range("capacity", source.capacity, 1, source.newest_wins ? 1 : kMaxQueue));
  TERN_RETURN_IF_ERROR(check_range("max_started", source.max_started, 1, kMaxStarted));
  TERN_RETURN_IF_ERROR(check_range("deadline in ns", source.deadline.count(), 1, kMaxDeadline.count()));
  if (source.models.empty()) return {StatusCode::kConfigError, "no model works on its frames"};
  for (const int model : source.models) {
    TERN_RETURN_IF_ERROR(check_range("a model's index", model, 0, static_cast<int>(config.models.size()) - 1));
    if (std::ranges::count(source.models, model) > 1)
      return make_error(StatusCode::kConfigError, "model {} is given twice", model);
    for (const int input : config.models[static_cast<std::size_t>(model)].inputs) {
      if (std::ranges::find(source.models, input) == source.models.end())
        return make_error(StatusCode::kConfigError, "model {} needs model {}, which does not work on its frames", model,
                          input);
    }
  }
  return {};
}

std::size_t slots_of(const SchedulerConfig::Source& source) noexcept {
  // One more: an ended frame holds its place until the caller collected it, and the one that superseded it needs another.
  return static_cast<std::size_t>(source.capacity) + static_cast<std::size_t>(source.max_started) + 1;
}

Status check(const SchedulerConfig& config) {
  TERN_RETURN_IF_ERROR(check_range("the number of models", static_cast<int>(config.models.size()), 1, kMaxModels));
  TERN_RETURN_IF_ERROR(check_range("the number of sources", static_cast<int>(config.sources.size()), 1, kMaxSources));
  TERN_RETURN_IF_ERROR(check_range("executors", config.executors, 1, kMaxExecutors));
  TERN_RETURN_IF_ERROR(check_range("fixed_batch", config.fixed_batch, 1, LatencyCurve::kMaxBatch));
  TERN_RETURN_IF_ERROR(check_range("fixed_timeout in ns", config.fixed_timeout.count(), 0, kMaxDeadline.count()));
  double shares = 0;
  for (std::size_t i = 0; i < config.models.size(); ++i) {
    if (const Status status = check_model(config, i); !status.ok())
      return status.at(fmt::format("model {} '{}'", i, config.models[i].name));
    shares += config.models[i].share;
  }
  if (shares > 1 + kShareTolerance)
    return make_error(StatusCode::kConfigError, "the shares of the models add up to {}, which is more than 1", shares);
  std::size_t slots = 0;
  for (std::size_t i = 0; i < config.sources.size(); ++i) {
    if (const Status status = check_source(config, config.sources[i]); !status.ok())
      return status.at(fmt::format("source {} '{}'", i, config.sources[i].name));
    slots += slots_of(config.sources[i]);
  }
  if (slots * config.models.size() > kMaxJobs)
    return make_error(StatusCode::kConfigError,
                      "{} frames that may be inside, of {} models each, are more than {} jobs", slots,
                      config.models.size(), kMaxJobs)
        .with_hint("shorten the queues or lower max_started");
  return {};
}

std::vector<double> shares_of(const SchedulerConfig& config) {
  std::vector<double> shares;
  for (const SchedulerConfig::Model& model : config.models)
    shares.push_back(model.share);
  return shares;
}

}  // namespace

std::string_view to_string(FrameEnd end) noexcept {
  switch (end) {
    case FrameEnd::kDelivered:
      return "delivered";
    case FrameEnd::kLate:
      return "late";
    case FrameEnd::kSuperseded:
      return "superseded";
    case FrameEnd::kQueueFull:
      return "queue_full";
    case FrameEnd::kHopeless:
      return "hopeless";
    case FrameEnd::kOverload:
      return "overload";
    case FrameEnd::kLimited:
      return "limited";
    case FrameEnd::kNoSlot:
      return "no_slot";
    case FrameEnd::kFailed:
      return "failed";
    case FrameEnd::kStopped:
      return "stopped";
  }
  return "";
}

Scheduler::State::State(const SchedulerConfig& config)
    : order(config.order),
      batching(config.batching),
      fixed_batch(config.fixed_batch),
      fixed_timeout(config.fixed_timeout),
      is_dropping_hopeless(config.drop_hopeless),
      sources(config.sources.size()),
      models(config.models.size()),
      executors(static_cast<std::size_t>(config.executors)),
      preference(config.models.size()),
      shares(shares_of(config), config.executors),
      load(config.models.size(), config.executors) {
  std::size_t slots = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    sources[i].config = config.sources[i];
    sources[i].line.reserve(static_cast<std::size_t>(config.sources[i].capacity));
    slots += slots_of(config.sources[i]);
  }
  int largest = 1;
  for (std::size_t i = 0; i < models.size(); ++i) {
    models[i].config = config.models[i];
    for (const int input : config.models[i].inputs)
      models[static_cast<std::size_t>(input)].children.push_back(static_cast<int>(i));
    curves.push_back(config.models[i].curve);
    max_batches.push_back(config.models[i].max_batch > 0 ? config.models[i].max_batch : curves[i].max_batch());
    largest = std::max(largest, max_batches[i]);
    heaps.emplace_back(slots);
  }
  for (Executor& executor : executors)
    executor.parts.reserve(static_cast<std::size_t>(largest));
  frames.resize(slots);
  jobs.resize(slots * models.size());
  source_rounds.resize(sources.size() * models.size());
  for (std::size_t i = slots; i-- > 0;) {
    frames[i].next = first_free;
    first_free = static_cast<std::int32_t>(i);
  }
}

Result<Scheduler> Scheduler::create(const SchedulerConfig& config) {
  TERN_RETURN_IF_ERROR(check(config));
  return Scheduler(std::make_unique<State>(config));
}

Scheduler::Scheduler(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Scheduler::Scheduler(Scheduler&&) noexcept = default;
Scheduler& Scheduler::operator=(Scheduler&&) noexcept = default;
Scheduler::~Scheduler() = default;

bool Scheduler::has_room(int source) const noexcept {
  const State::Source& of = state_->sources[static_cast<std::size_t>(source)];
  return state_->first_free >= 0 &&
         (of.config.newest_wins || of.line.size() < static_cast<std::size_t>(of.config.capacity));
}

Decision Scheduler::decide(int executor, Nanoseconds now) noexcept {
  return state_->choose(static_cast<std::size_t>(executor), state_->clock(now));
}

void Scheduler::set_min_interval(Nanoseconds interval) noexcept {
  state_->min_interval = std::clamp(interval, Nanoseconds(0), kMaxDeadline);
}

void Scheduler::set_enabled(int model, bool is_enabled) noexcept {
  state_->models[static_cast<std::size_t>(model)].is_enabled = is_enabled;
}

Scheduler::ModelState Scheduler::model_state(int model) const noexcept {
  const auto index = static_cast<std::size_t>(model);
  const State::Model& of = state_->models[index];
  return {of.ready_items, state_->load.target(index), state_->curves[index].slowdown(), of.batches, of.items, of.busy};
}

const std::array<std::uint64_t, kFrameEnds>& Scheduler::ends() const noexcept {
  return state_->ends;
}

int Scheduler::frames_inside() const noexcept {
  return state_->inside;
}

int Scheduler::max_frames_inside() const noexcept {
  return static_cast<int>(state_->frames.size());
}

}  // namespace tern
