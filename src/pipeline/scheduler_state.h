// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/fair_part.h"
#include "pipeline/job_heap.h"
#include "pipeline/load_meter.h"
#include "pipeline/share_ledger.h"
#include "tern/pipeline_scheduler.h"

namespace tern {

/// A frame goes   waiting -> released -> started -> ended -> free;   any stage may lead to `ended`.
///   waiting:  in its source's line, its jobs known to nobody (the source has max_started frames under way)
///   released: still in line and replaceable, its jobs in the heaps
///   started:  out of line, some job was handed to an executor
///   ended:    to be collected by the caller
/// A job (a frame's work for one model) is blocked until its inputs are done, then ready (in the model's heap while items are left
/// to hand out), then done.
struct Scheduler::State {
  enum class FrameStage : std::uint8_t { kFree, kWaiting, kReleased, kStarted, kEnded };
  enum class JobStage : std::uint8_t { kNone, kBlocked, kReady, kDone };

  struct Job {
    JobStage stage = JobStage::kNone;
    int missing = 0;                     // inputs that are not done
    int items = 0, taken = 0, done = 0;  // in all, handed out, finished
    Nanoseconds ready_since{};
  };
  struct Frame {
    FrameStage stage = FrameStage::kFree;
    bool is_spare = false;   // see FairPart
    bool is_doomed = false;  // ends as `end` once nothing runs on it
    FrameEnd end = FrameEnd::kDelivered;
    int source = 0;
    std::uint32_t generation = 0;
    std::uint64_t tag = 0, sequence = 0;
    Nanoseconds captured{}, deadline{}, ended{};
    int running = 0;         // parts of batches that executors work on
    int open_jobs = 0;       // not done
    std::int32_t next = -1;  // in the list of the free, or of the ended
  };
  struct Source {
    SchedulerConfig::Source config{};
    std::vector<std::uint32_t> line{};  // frames waiting and released, oldest first; the released ones are in front
    int released = 0, started = 0;
    Nanoseconds next_allowed{};  // captured; see set_min_interval
    bool has_accepted = false;
    double credit = 0;  // of firm frames; see FairPart
  };
  struct Model {
    SchedulerConfig::Model config{};
    std::vector<int> children{};
    bool is_enabled = true;
    Nanoseconds tail{};  // planned time of the longest chain of models behind this one
    std::int64_t round = 0;
    int ready_items = 0;
    bool is_waiting = false;  // for a larger batch, since `waits_since`
    Nanoseconds waits_since{};
    std::uint64_t last_served = 0;
    std::uint64_t batches = 0, items = 0;
    Nanoseconds busy{};
    Nanoseconds measured_at{};  // when its curve last learned or forgot
  };
  struct Executor {
    bool is_busy = false;
    int model = 0, items = 0;
    Nanoseconds began{}, charged{};
    std::vector<BatchPart> parts{};
  };
  /// What a model would do with an executor now.
  struct Plan {
    enum class Kind : std::uint8_t { kNothing, kRun, kWait };
    Kind kind = Kind::kNothing;
    int items = 0;        // kRun: at most these; kWait: what it would run if it had to
    Nanoseconds until{};  // kWait
  };

  explicit State(const SchedulerConfig& config);

  [[nodiscard]] Job& job(std::uint32_t slot, std::size_t model) noexcept { return jobs[slot * models.size() + model]; }
  [[nodiscard]] std::int64_t& source_round(int source, std::size_t model) noexcept {
    return source_rounds[static_cast<std::size_t>(source) * models.size() + model];
  }
  [[nodiscard]] FrameId id_of(std::uint32_t slot) const noexcept { return {slot, frames[slot].generation}; }
  Nanoseconds clock(Nanoseconds now) noexcept;

  // scheduler_frames.cpp: the life of a frame
  [[nodiscard]] FrameEnd judge_offer(const Source& source, Nanoseconds captured, Nanoseconds now) const noexcept;
  [[nodiscard]] Nanoseconds shortest_path(const Source& source) const noexcept;
  [[nodiscard]] bool runs(const Source& source, std::size_t model) const noexcept;
  std::uint32_t admit(int source, Nanoseconds captured, std::uint64_t tag) noexcept;
  void mark_spare(Source& source, Frame& frame) noexcept;
  void make_jobs(std::uint32_t slot) noexcept;
  void release_next(Source& source, Nanoseconds now) noexcept;
  void make_ready(std::uint32_t slot, std::size_t model, Nanoseconds now) noexcept;
  void start(std::uint32_t slot, Nanoseconds now) noexcept;
  void promote(std::uint32_t slot) noexcept;
  void leave_line(std::uint32_t slot) noexcept;
  void complete_job(std::uint32_t slot, std::size_t model, Nanoseconds now) noexcept;
  /// Ends the frame as `end`, now or when the last executor lets go of it. The first end counts.
  void doom(std::uint32_t slot, FrameEnd end, Nanoseconds now) noexcept;
  void end(std::uint32_t slot, FrameEnd how, Nanoseconds now) noexcept;

  /// A frame gave way to what this model is expected to take. Where it has not run for kStale, what is expected is old news: a device that was
  /// slow for a moment would else get no frame any more that could show that it no longer is.
  void doubt_slowdown(std::size_t model, Nanoseconds now) noexcept;
  static constexpr Nanoseconds kStale = std::chrono::seconds(1);

  // scheduler_decide.cpp: who runs
  [[nodiscard]] Nanoseconds due(std::size_t model) const noexcept;
  [[nodiscard]] bool is_hopeless(std::uint32_t slot, std::size_t model, Nanoseconds now) noexcept;
  void drop_hopeless_heads(std::size_t model, Nanoseconds now) noexcept;
  [[nodiscard]] bool goes_before(std::size_t a, std::size_t b) const noexcept;
  void order_models() noexcept;
  [[nodiscard]] Nanoseconds rest_of(std::uint32_t slot, std::size_t model) noexcept;
  [[nodiscard]] int largest_fitting(std::size_t model, Nanoseconds left) const noexcept;
  [[nodiscard]] Plan plan(std::size_t model, Nanoseconds now) noexcept;
  [[nodiscard]] Plan plan_fixed(std::size_t model, Nanoseconds now) noexcept;
  [[nodiscard]] Plan plan_load(std::size_t model, Nanoseconds now) noexcept;
  [[nodiscard]] bool other_executor_idle(std::size_t executor) const noexcept;
  Decision choose(std::size_t executor, Nanoseconds now) noexcept;
  Decision run(std::size_t executor, std::size_t model, int items, Nanoseconds now) noexcept;

  FrameOrder order;
  Batching batching;
  int fixed_batch;
  Nanoseconds fixed_timeout;
  bool is_dropping_hopeless;
  std::vector<Source> sources;
  std::vector<Model> models;
  std::vector<LatencyCurve> curves;  // of each model
  std::vector<int> max_batches;
  std::vector<JobHeap> heaps;
  std::vector<Frame> frames;
  std::vector<Job> jobs;  // of frame f and model m: f * models + m
  std::vector<std::int64_t> source_rounds;
  std::vector<Executor> executors;
  std::vector<std::size_t> preference;  // scratch: models, the first to be served in front
  ShareLedger shares;
  LoadMeter load;
  FairPart fair;
  std::array<std::uint64_t, kFrameEnds> ends{};
  std::int32_t first_free = -1, first_ended = -1, last_ended = -1;
  int inside = 0;
  std::uint64_t sequence = 0, served = 0;
  Nanoseconds min_interval{};
  Nanoseconds latest = Nanoseconds::min();
};

}  // namespace tern
