// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Who runs, and in which company.
#include <algorithm>
#include <utility>

#include "pipeline/scheduler_state.h"

namespace tern {

/// When the model's first job must be done, so that what comes behind it makes the frame's deadline too.
Nanoseconds Scheduler::State::due(std::size_t model) const noexcept {
  return frames[heaps[model].top()].deadline - models[model].tail;
}

/// Not even alone would what is left of the job be done in time.
bool Scheduler::State::is_hopeless(std::uint32_t slot, std::size_t model, Nanoseconds now) noexcept {
  const Job& of = job(slot, model);
  // The executors may share the items, so each takes this many at least.
  const int count = static_cast<int>(executors.size());
  const int items = std::clamp((of.items - of.taken + count - 1) / count, 1, max_batches[model]);
  return now + curves[model].expected(items) > frames[slot].deadline;
}

void Scheduler::State::drop_hopeless_heads(std::size_t model, Nanoseconds now) noexcept {
  while (is_dropping_hopeless && !heaps[model].empty() && is_hopeless(heaps[model].top(), model, now)) {
    doom(heaps[model].top(), FrameEnd::kHopeless, now);
    doubt_slowdown(model, now);
  }
}

/// REQUIRES: both have work.
bool Scheduler::State::goes_before(std::size_t a, std::size_t b) const noexcept {
  if (shares.is_owed(a) != shares.is_owed(b)) return shares.is_owed(a);
  if (models[a].config.priority != models[b].config.priority)
    return models[a].config.priority > models[b].config.priority;
  switch (order) {
    case FrameOrder::kEarliestDeadline:
      if (frames[heaps[a].top()].is_spare != frames[heaps[b].top()].is_spare) return frames[heaps[b].top()].is_spare;
      return std::pair(due(a), a) < std::pair(due(b), b);
    case FrameOrder::kFifo:
      return std::pair(heaps[a].top_key().sequence, a) < std::pair(heaps[b].top_key().sequence, b);
    case FrameOrder::kRoundRobin:
      return std::pair(models[a].last_served, a) < std::pair(models[b].last_served, b);
  }
  return a < b;
}

/// Fills `preference` with the models that have work; an insertion sort, since std::sort gives no promise about ties and the
/// models are few.
void Scheduler::State::order_models() noexcept {
  preference.clear();  // keeps its memory
  for (std::size_t model = 0; model < models.size(); ++model) {
    if (heaps[model].empty()) continue;
    preference.push_back(model);
    for (std::size_t at = preference.size() - 1; at > 0 && goes_before(preference[at], preference[at - 1]); --at)
      std::swap(preference[at], preference[at - 1]);
  }
}

/// What the other models need that a frame nobody has begun must go through as well.
Nanoseconds Scheduler::State::rest_of(std::uint32_t slot, std::size_t model) noexcept {
  Nanoseconds rest{};
  for (std::size_t other = 0; other < models.size(); ++other) {
    if (other != model && heaps[other].contains(slot)) rest += curves[other].planned(load.target(other));
  }
  return rest;
}

/// The largest batch that takes no longer than `left`; 0: none.
int Scheduler::State::largest_fitting(std::size_t model, Nanoseconds left) const noexcept {
  int low = 0, high = max_batches[model];  // the curve never falls
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (curves[model].planned(middle) <= left) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

Scheduler::State::Plan Scheduler::State::plan(std::size_t model, Nanoseconds now) noexcept {
  if (heaps[model].empty()) return {};
  switch (batching) {
    case Batching::kSingle:
      return {Plan::Kind::kRun, 1, {}};
    case Batching::kFixed:
      return plan_fixed(model, now);
    case Batching::kLoad:
      return plan_load(model, now);
  }
  return {};
}

Scheduler::State::Plan Scheduler::State::plan_fixed(std::size_t model, Nanoseconds now) noexcept {
  const int most = std::min(fixed_batch, max_batches[model]);
  const Nanoseconds until = job(heaps[model].top(), model).ready_since + fixed_timeout;
  const bool is_ripe = models[model].ready_items >= most || now >= until;
  return {is_ripe ? Plan::Kind::kRun : Plan::Kind::kWait, most, until};
}

Scheduler::State::Plan Scheduler::State::plan_load(std::size_t model, Nanoseconds now) noexcept {
  const int target = load.target(model);
  // A first job that leaves no time for the batch that the load asks for gives way, if others can fill that batch without it.
  // One on which a device has worked already does not: what it cost would be lost.
  while (is_dropping_hopeless && load.is_overloaded()) {
    const std::uint32_t head = heaps[model].top();
    const int others = models[model].ready_items - (job(head, model).items - job(head, model).taken);
    if (frames[head].stage != FrameStage::kReleased || others < target) break;
    if (largest_fitting(model, due(model) - rest_of(head, model) - now) >= target) break;
    doom(head, FrameEnd::kOverload, now);
    drop_hopeless_heads(model, now);
    if (heaps[model].empty()) return {};
  }
  const int fitting = std::max(largest_fitting(model, due(model) - now), 1);
  const int ready = std::min(models[model].ready_items, fitting);
  if (ready >= std::min(target, fitting)) return {Plan::Kind::kRun, ready, {}};
  // Waiting must cost less of the device's time than the larger batch saves.
  const Nanoseconds saved =
      curves[model].expected(ready) + curves[model].expected(target - ready) - curves[model].expected(target);
  if (!models[model].is_waiting) models[model].waits_since = now;
  models[model].is_waiting = true;
  const Nanoseconds until = std::min(due(model) - curves[model].planned(ready + 1), models[model].waits_since + saved);
  if (now >= until) return {Plan::Kind::kRun, ready, {}};
  return {Plan::Kind::kWait, ready, until};
}

bool Scheduler::State::other_executor_idle(std::size_t executor) const noexcept {
  for (std::size_t other = 0; other < executors.size(); ++other) {
    if (other != executor && !executors[other].is_busy) return true;
  }
  return false;
}

Decision Scheduler::State::choose(std::size_t executor, Nanoseconds now) noexcept {
  if (executors[executor].is_busy) return {};
  shares.advance(now);
  load.update(now, curves, max_batches);
  fair.update(now);
  for (std::size_t model = models.size(); model-- > 0;) {
    models[model].tail = {};
    for (const int child : models[model].children) {
      const auto index = static_cast<std::size_t>(child);
      models[model].tail = std::max(models[model].tail, models[index].tail + curves[index].planned(1));
    }
  }
  for (std::size_t model = 0; model < models.size(); ++model)
    drop_hopeless_heads(model, now);
  order_models();
  const bool has_another = other_executor_idle(executor);
  std::optional<std::size_t> waiting;  // the preferred one among those that wait for a larger batch
  Plan waiting_plan;
  Decision later{.kind = Decision::Kind::kIdle, .until = Nanoseconds::max()};
  for (const std::size_t model : preference) {
    const Plan of = plan(model, now);
    if (of.kind == Plan::Kind::kNothing) continue;
    if (of.kind == Plan::Kind::kWait) {
      if (!waiting || of.until < waiting_plan.until) {
        waiting = model;
        waiting_plan = of;
      }
      later.kind = Decision::Kind::kWait;
      later.until = std::min(later.until, of.until);
      continue;
    }
    // A model that is to go before this one would find the executor taken when its wait is over: then it does not wait.
    if (waiting && !has_another && now + curves[model].planned(of.items) > waiting_plan.until)
      return run(executor, *waiting, waiting_plan.items, now);
    return run(executor, model, of.items, now);
  }
  return later;
}

Decision Scheduler::State::run(std::size_t executor, std::size_t model, int items, Nanoseconds now) noexcept {
  Executor& on = executors[executor];
  on.parts.clear();
  int count = 0;
  while (count < items && !heaps[model].empty()) {
    const std::uint32_t slot = heaps[model].top();
    if (is_dropping_hopeless && is_hopeless(slot, model, now)) {  // where the order is not by deadline
      doom(slot, FrameEnd::kHopeless, now);
      continue;
    }
    // A spare frame behind a firm one may have less time left; the batch does not shrink for it.
    if (batching == Batching::kLoad && is_dropping_hopeless && count > 0 && frames[slot].is_spare &&
        frames[slot].stage == FrameStage::kReleased &&
        now + curves[model].planned(items) > due(model) - rest_of(slot, model)) {
      doom(slot, FrameEnd::kOverload, now);
      continue;
    }
    models[model].round = heaps[model].top_key().key;
    Job& of = job(slot, model);
    const int taken = std::min(of.items - of.taken, items - count);
    on.parts.push_back({id_of(slot), frames[slot].tag, of.taken, taken});
    of.taken += taken;
    count += taken;
    models[model].ready_items -= taken;
    if (of.taken == of.items) heaps[model].remove(slot);
    ++frames[slot].running;
    start(slot, now);
  }
  if (count == 0) return {};
  models[model].is_waiting = false;
  on.is_busy = true;
  on.model = static_cast<int>(model);
  on.items = count;
  on.began = now;
  on.charged = curves[model].expected(count);
  shares.charge(model, on.charged);
  models[model].last_served = ++served;
  return {Decision::Kind::kRun, {}, on.model, count, on.parts};
}

void Scheduler::finish(int executor, Nanoseconds now, bool is_ok) noexcept {
  State& state = *state_;
  now = state.clock(now);
  State::Executor& on = state.executors[static_cast<std::size_t>(executor)];
  if (!on.is_busy) return;
  on.is_busy = false;
  const auto model = static_cast<std::size_t>(on.model);
  const Nanoseconds took = now - on.began;
  state.shares.charge(model, took - on.charged);
  State::Model& of = state.models[model];
  if (is_ok) {
    state.curves[model].observe(on.items, took);
    of.measured_at = now;
  }
  ++of.batches;
  of.items += static_cast<std::uint64_t>(on.items);
  of.busy += took;
  for (const BatchPart& part : on.parts) {
    const std::uint32_t slot = part.frame.slot;
    State::Frame& frame = state.frames[slot];
    State::Job& job = state.job(slot, model);
    --frame.running;
    job.done += part.items;
    if (!is_ok) {
      state.doom(slot, FrameEnd::kFailed, now);
    } else if (!frame.is_doomed && job.done == job.items) {
      state.complete_job(slot, model, now);
    }
    if (frame.is_doomed) {
      if (frame.running == 0 && frame.stage != State::FrameStage::kEnded) state.end(slot, frame.end, now);
    } else if (frame.open_jobs == 0) {
      state.end(slot, now <= frame.deadline ? FrameEnd::kDelivered : FrameEnd::kLate, now);
    }
  }
}

}  // namespace tern
