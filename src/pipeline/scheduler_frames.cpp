// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The life of a frame inside the scheduler.
#include <algorithm>
#include <utility>

#include "pipeline/scheduler_state.h"

namespace tern {
namespace {

// Times are kept so far from the ends of their type that sums of them cannot overflow: +-36 years.
constexpr Nanoseconds kFarthest{std::int64_t{1} << 60};
// Puts the keys of spare frames behind those of all others.
constexpr std::int64_t kSpare = std::int64_t{1} << 62;

Nanoseconds bounded(Nanoseconds time) noexcept {
  return std::clamp(time, -kFarthest, kFarthest);
}

}  // namespace

Nanoseconds Scheduler::State::clock(Nanoseconds now) noexcept {
  latest = std::max(latest, bounded(now));
  return latest;
}

bool Scheduler::State::runs(const Source& source, std::size_t model) const noexcept {
  if (std::ranges::find(source.config.models, static_cast<int>(model)) == source.config.models.end()) return false;
  if (!models[model].is_enabled) return false;
  return std::ranges::all_of(models[model].config.inputs,
                             [&](int input) { return runs(source, static_cast<std::size_t>(input)); });
}

/// What a frame needs at least: each model that works on the frame itself, alone in its batch. What comes behind them may turn
/// out to have no items.
Nanoseconds Scheduler::State::shortest_path(const Source& source) const noexcept {
  Nanoseconds longest{-1};
  for (const int model : source.config.models) {
    const auto index = static_cast<std::size_t>(model);
    if (models[index].config.inputs.empty() && models[index].is_enabled)
      longest = std::max(longest, curves[index].expected(1));
  }
  return longest;
}

/// kDelivered where nothing speaks against the frame.
FrameEnd Scheduler::State::judge_offer(const Source& source, Nanoseconds captured, Nanoseconds now) const noexcept {
  const Nanoseconds path = shortest_path(source);
  // A quarter of the interval is forgiven, so that a jittering camera of just the permitted rate loses nothing.
  const bool is_thinned =
      min_interval > Nanoseconds(0) && source.has_accepted && captured + min_interval / 4 < source.next_allowed;
  if (path < Nanoseconds(0) || is_thinned) return FrameEnd::kLimited;
  if (is_dropping_hopeless && now + path > captured + source.config.deadline) return FrameEnd::kHopeless;
  if (source.config.newest_wins) {
    const bool is_older = !source.line.empty() && frames[source.line.back()].captured > captured;
    if (is_older) return FrameEnd::kSuperseded;
  } else if (source.line.size() >= static_cast<std::size_t>(source.config.capacity)) {
    return FrameEnd::kQueueFull;
  }
  return first_free < 0 ? FrameEnd::kNoSlot : FrameEnd::kDelivered;
}

void Scheduler::State::doubt_slowdown(std::size_t model, Nanoseconds now) noexcept {
  if (now - models[model].measured_at < kStale) return;
  models[model].measured_at = now;
  curves[model].forget();
}

std::uint32_t Scheduler::State::admit(int source, Nanoseconds captured, std::uint64_t tag) noexcept {
  const auto slot = static_cast<std::uint32_t>(first_free);
  Frame& frame = frames[slot];
  first_free = frame.next;
  ++inside;
  Source& of = sources[static_cast<std::size_t>(source)];
  const std::uint32_t generation = frame.generation;
  frame = {.stage = FrameStage::kWaiting,
           .source = source,
           .generation = generation,
           .tag = tag,
           .sequence = ++sequence,
           .captured = captured,
           .deadline = captured + of.config.deadline};
  make_jobs(slot);
  mark_spare(of, frame);
  if (min_interval > Nanoseconds(0)) {
    const Nanoseconds from = of.has_accepted ? std::max(of.next_allowed, captured - min_interval / 4) : captured;
    of.next_allowed = from + min_interval;
  } else {
    of.next_allowed = captured;
  }
  of.has_accepted = true;
  return slot;
}

void Scheduler::State::mark_spare(Source& source, Frame& frame) noexcept {
  if (!source.config.newest_wins || !is_dropping_hopeless || order != FrameOrder::kEarliestDeadline) return;
  source.credit = std::min(source.credit + fair.part(), 2.0);
  frame.is_spare = source.credit < 1;
  if (frame.is_spare) return;
  source.credit -= 1;
  fair.count_firm();
}

void Scheduler::State::make_jobs(std::uint32_t slot) noexcept {
  Frame& frame = frames[slot];
  const Source& source = sources[static_cast<std::size_t>(frame.source)];
  for (std::size_t model = 0; model < models.size(); ++model) {
    Job& of = job(slot, model);
    of = {};
    if (!runs(source, model)) continue;
    of.stage = JobStage::kBlocked;
    of.missing = static_cast<int>(models[model].config.inputs.size());
    of.items = of.missing == 0 ? 1 : 0;
    ++frame.open_jobs;
  }
}

void Scheduler::State::release_next(Source& source, Nanoseconds now) noexcept {
  while (source.released + source.started < source.config.max_started &&
         static_cast<std::size_t>(source.released) < source.line.size()) {
    const std::uint32_t slot = source.line[static_cast<std::size_t>(source.released++)];
    frames[slot].stage = FrameStage::kReleased;
    for (const int model : source.config.models) {
      const auto index = static_cast<std::size_t>(model);
      const Job& of = job(slot, index);
      if (of.stage == JobStage::kBlocked && of.missing == 0) make_ready(slot, index, now);
    }
  }
}

void Scheduler::State::make_ready(std::uint32_t slot, std::size_t model, Nanoseconds now) noexcept {
  Job& of = job(slot, model);
  const Frame& frame = frames[slot];
  of.stage = JobStage::kReady;
  of.ready_since = now;
  models[model].ready_items += of.items;
  load.count(model, of.items);
  JobHeap::Key key{0, frame.sequence};
  switch (order) {
    case FrameOrder::kEarliestDeadline:
      key.key = frame.deadline.count() + (frame.is_spare ? kSpare : 0);
      break;
    case FrameOrder::kFifo:
      break;
    case FrameOrder::kRoundRobin:
      key.key = source_round(frame.source, model) =
          std::max(source_round(frame.source, model) + 1, models[model].round);
      break;
  }
  heaps[model].push(slot, key);
}

void Scheduler::State::leave_line(std::uint32_t slot) noexcept {
  Frame& frame = frames[slot];
  if (frame.stage != FrameStage::kWaiting && frame.stage != FrameStage::kReleased) return;
  Source& source = sources[static_cast<std::size_t>(frame.source)];
  if (frame.stage == FrameStage::kReleased) --source.released;
  source.line.erase(std::ranges::find(source.line, slot));
}

void Scheduler::State::start(std::uint32_t slot, Nanoseconds now) noexcept {
  Frame& frame = frames[slot];
  if (frame.stage != FrameStage::kReleased) return;
  leave_line(slot);
  frame.stage = FrameStage::kStarted;
  if (frame.is_spare) promote(slot);
  Source& source = sources[static_cast<std::size_t>(frame.source)];
  ++source.started;
  release_next(source, now);
}

/// What a device has worked on is not spare any more, or that work would often be lost.
void Scheduler::State::promote(std::uint32_t slot) noexcept {
  frames[slot].is_spare = false;
  fair.count_firm();
  for (std::size_t model = 0; model < models.size(); ++model) {
    if (!heaps[model].contains(slot)) continue;
    heaps[model].remove(slot);
    heaps[model].push(slot, {frames[slot].deadline.count(), frames[slot].sequence});
  }
}

void Scheduler::State::complete_job(std::uint32_t slot, std::size_t model, Nanoseconds now) noexcept {
  job(slot, model).stage = JobStage::kDone;
  Frame& frame = frames[slot];
  --frame.open_jobs;
  for (const int child : models[model].children) {
    const auto index = static_cast<std::size_t>(child);
    Job& of = job(slot, index);
    if (of.stage != JobStage::kBlocked || --of.missing > 0) continue;
    if (of.items > 0) {
      make_ready(slot, index, now);
    } else {
      complete_job(slot, index, now);
    }
  }
}

void Scheduler::State::doom(std::uint32_t slot, FrameEnd how, Nanoseconds now) noexcept {
  Frame& frame = frames[slot];
  if (frame.is_doomed) return;
  frame.is_doomed = true;
  frame.end = how;
  for (std::size_t model = 0; model < models.size(); ++model) {
    Job& of = job(slot, model);
    if (!heaps[model].contains(slot)) continue;
    heaps[model].remove(slot);
    models[model].ready_items -= of.items - of.taken;
    of.stage = JobStage::kDone;
  }
  if (frame.running == 0) end(slot, how, now);
}

void Scheduler::State::end(std::uint32_t slot, FrameEnd how, Nanoseconds now) noexcept {
  Frame& frame = frames[slot];
  Source& source = sources[static_cast<std::size_t>(frame.source)];
  if (frame.stage == FrameStage::kStarted) --source.started;
  leave_line(slot);
  frame.stage = FrameStage::kEnded;
  frame.end = how;
  frame.ended = now;
  ++ends[static_cast<std::size_t>(how)];
  const bool is_lost = how == FrameEnd::kOverload || how == FrameEnd::kSuperseded || how == FrameEnd::kHopeless;
  if (is_lost && !frame.is_spare && source.config.newest_wins) fair.count_lost();
  frame.next = -1;
  const auto index = static_cast<std::int32_t>(slot);
  if (last_ended < 0) {
    first_ended = index;
  } else {
    frames[static_cast<std::size_t>(last_ended)].next = index;
  }
  last_ended = index;
  release_next(source, now);
}

Offer Scheduler::offer(int source, Nanoseconds captured, std::uint64_t tag, Nanoseconds now) noexcept {
  State& state = *state_;
  now = state.clock(now);
  captured = bounded(captured);
  State::Source& of = state.sources[static_cast<std::size_t>(source)];
  if (const FrameEnd refused = state.judge_offer(of, captured, now); refused != FrameEnd::kDelivered) {
    ++state.ends[static_cast<std::size_t>(refused)];
    if (refused == FrameEnd::kHopeless) {
      for (const int model : of.config.models)
        state.doubt_slowdown(static_cast<std::size_t>(model), now);
    }
    return {false, refused, {}};
  }
  // Admitted first: a frame in the mailbox makes room only for one that has a place.
  const std::uint32_t slot = state.admit(source, captured, tag);
  if (of.config.newest_wins && !of.line.empty()) {
    // Whatever is released by the end of the old frame, nothing else stands in line.
    state.doom(of.line.front(), FrameEnd::kSuperseded, now);
  }
  of.line.push_back(slot);
  state.release_next(of, now);
  return {true, FrameEnd::kDelivered, state.id_of(slot)};
}

int Scheduler::set_items(FrameId id, int model, int items) noexcept {
  State& state = *state_;
  const auto index = static_cast<std::size_t>(model);
  if (id.slot >= state.frames.size() || index >= state.models.size()) return 0;
  const State::Frame& frame = state.frames[id.slot];
  State::Job& of = state.job(id.slot, index);
  if (frame.generation != id.generation || frame.stage != State::FrameStage::kStarted || frame.is_doomed) return 0;
  if (of.stage != State::JobStage::kBlocked || of.missing == 0) return 0;
  of.items = std::clamp(items, 0, state.models[index].config.max_items);
  return of.items;
}

std::optional<EndedFrame> Scheduler::next_ended() noexcept {
  State& state = *state_;
  if (state.first_ended < 0) return std::nullopt;
  const auto slot = static_cast<std::uint32_t>(state.first_ended);
  State::Frame& frame = state.frames[slot];
  const EndedFrame ended{state.id_of(slot), frame.source,   frame.end,  frame.tag,
                         frame.captured,    frame.deadline, frame.ended};
  state.first_ended = frame.next;
  if (state.first_ended < 0) state.last_ended = -1;
  frame.stage = State::FrameStage::kFree;
  ++frame.generation;
  frame.next = std::exchange(state.first_free, static_cast<std::int32_t>(slot));
  --state.inside;
  return ended;
}

void Scheduler::stop_source(int source, Nanoseconds now) noexcept {
  State& state = *state_;
  now = state.clock(now);
  State::Source& of = state.sources[static_cast<std::size_t>(source)];
  while (!of.line.empty())
    state.doom(of.line.back(), FrameEnd::kStopped, now);
}

}  // namespace tern
