// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "streams.h"

#include <algorithm>
#include <span>

#include "base/error.h"
#include "base/interruptible_sleep.h"
#include "stage_stats.h"

namespace tern {
namespace {

/// The clock of all cameras of a run: their ticks are spread evenly over the interval.
struct Ticks {
  Nanoseconds start{};
  Nanoseconds interval{};
  int streams = 1;
  [[nodiscard]] Nanoseconds at(int camera, std::int64_t tick) const {
    return start + interval * tick + interval * camera / streams;
  }
};

class CameraSource final : public FrameSource {
 public:
  CameraSource(const StreamLoad& load, const Ticks& ticks, int camera) : load_(load), ticks_(ticks), camera_(camera) {}

  Result<bool> next(SourceFrame& frame, std::stop_token stop) override {
    const Nanoseconds due = ticks_.at(camera_, tick_);
    if (!sleep_.until(due, stop)) return false;
    frame.view = load_.frames[static_cast<std::size_t>(tick_ + camera_) % load_.frames.size()].view;
    frame.captured = due;
    frame.index = tick_++;
    return true;
  }

 private:
  const StreamLoad& load_;
  const Ticks& ticks_;
  int camera_;
  std::int64_t tick_ = 0;
  InterruptibleSleep sleep_;
};

/// How old results were when they came out, of frames taken within the measured time.
struct Ages {
  Nanoseconds from{}, until{};  // by capture
  std::vector<double> ms{};
  std::uint64_t in_time = 0;
};

class AgeSink final : public ResultSink {
 public:
  explicit AgeSink(Ages& ages) : ages_(ages) {}
  Status begin(const PipelineSpec&, const std::vector<PipelineModelInfo>&) override { return {}; }
  Status write(const FrameResult& result) override {
    if (result.captured < ages_.from || result.captured >= ages_.until) return {};
    if (result.end == FrameEnd::kFailed) return result.failure;
    ages_.ms.push_back(std::chrono::duration<double, std::milli>(result.ended - result.captured).count());
    if (result.end == FrameEnd::kDelivered) ++ages_.in_time;
    return {};
  }
  Status finish() override { return {}; }

 private:
  Ages& ages_;
};

/// Ticks of all cameras within [from, until).
std::uint64_t ticks_between(const Ticks& ticks, Nanoseconds from, Nanoseconds until) {
  std::int64_t count = 0;
  for (int camera = 0; camera < ticks.streams; ++camera) {
    const auto before = [&](Nanoseconds time) -> std::int64_t {
      const Nanoseconds since = time - ticks.at(camera, 0);
      return since <= Nanoseconds(0) ? 0 : (since - Nanoseconds(1)) / ticks.interval + 1;
    };
    count += before(until) - before(from);
  }
  return static_cast<std::uint64_t>(count);
}

StreamsResult summarise(const Ticks& ticks, const Ages& ages) {
  StreamsResult result{
      .streams = ticks.streams, .frames = ticks_between(ticks, ages.from, ages.until), .in_time = ages.in_time};
  if (ages.ms.empty()) return result;
  result.p50_ms = percentile(ages.ms, 0.50);
  result.p95_ms = percentile(ages.ms, 0.95);
  result.p99_ms = percentile(ages.ms, 0.99);
  return result;
}

PipelineSpec with_cameras(const PipelineSpec& spec, const StreamLoad& load, int streams) {
  PipelineSpec cameras = spec;
  cameras.sinks.clear();
  cameras.sources.clear();
  for (int i = 0; i < streams; ++i) {
    PipelineSpec::Source& camera = cameras.sources.emplace_back();
    camera.name = fmt::format("camera{}", i);
    camera.deadline = load.deadline;
    camera.rate_hz = load.rate_hz;
    for (const PipelineSpec::Model& model : spec.models)
      camera.models.push_back(model.name);
  }
  return cameras;
}

Ticks ticks_of(const StreamLoad& load, int streams) {
  return {{}, Nanoseconds(static_cast<std::int64_t>(1e9 / load.rate_hz)), streams};
}

/// A pipeline on cameras [first, first + count). `load`, `ticks` and `ages` must outlive it.
Result<std::unique_ptr<Pipeline>> make_pipeline(const PipelineSpec& spec, const PipelineOptions& options,
                                                const StreamLoad& load, const Ticks& ticks, int first, int count,
                                                Ages& ages) {
  std::vector<SourceParts> sources;
  for (int i = first; i < first + count; ++i) {
    sources.push_back({[&load, &ticks, i](const std::stop_token&) -> Result<std::unique_ptr<FrameSource>> {
                         return std::unique_ptr<FrameSource>(std::make_unique<CameraSource>(load, ticks, i));
                       },
                       false});
  }
  std::vector<SinkParts> sinks;
  sinks.push_back({"ages", std::make_unique<AgeSink>(ages), 1024, true});
  return Pipeline::create(with_cameras(spec, load, count), std::move(sources), std::move(sinks), options);
}

/// Sets the clock, a little ahead, so that all threads are there at the first tick.
void set_clock(Ticks& ticks, const StreamLoad& load, std::span<Ages> ages) {
  ticks.start = InterruptibleSleep::now() + std::chrono::milliseconds(50);
  for (Ages& of : ages) {
    of.from = ticks.start + load.warmup;
    of.until = of.from + load.measured;
  }
}

double busy_of(const PipelineSnapshot& snapshot) {
  double busy = 0;
  for (const PipelineSnapshot::Model& model : snapshot.models)
    busy += model.busy_share;
  return busy;
}

}  // namespace

Result<StreamsResult> run_streams(const PipelineSpec& spec, const PipelineOptions& options, const StreamLoad& load,
                                  int streams, const std::stop_token& stop) {
  Ticks ticks = ticks_of(load, streams);
  Ages ages;
  TERN_ASSIGN_OR_RETURN(const std::unique_ptr<Pipeline> pipeline,
                        make_pipeline(spec, options, load, ticks, 0, streams, ages));
  set_clock(ticks, load, {&ages, 1});
  pipeline->start();
  InterruptibleSleep().until(ages.until + load.deadline, stop);
  const PipelineSnapshot end = pipeline->snapshot();
  pipeline->stop();
  TERN_RETURN_IF_ERROR(pipeline->wait());
  if (stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped");
  StreamsResult result = summarise(ticks, ages);
  const PipelineSnapshot::Model& first = end.models.front();
  if (first.batches > 0) result.mean_batch = static_cast<double>(first.items) / static_cast<double>(first.batches);
  result.busy = busy_of(end);
  return result;
}

Result<StreamsResult> run_thread_per_camera(const PipelineSpec& spec, const PipelineOptions& options,
                                            const StreamLoad& load, int streams, const std::stop_token& stop) {
  PipelineSpec simple = spec;
  simple.order = FrameOrder::kFifo;
  simple.batching = Batching::kSingle;
  simple.drop_hopeless = false;
  for (PipelineSpec::Model& model : simple.models)
    model.max_batch = 1;
  PipelineOptions alone = options;
  alone.executors = 1;
  alone.task.max_batch = 1;
  alone.task.frame_path = false;
  Ticks ticks = ticks_of(load, streams);
  std::vector<Ages> ages(static_cast<std::size_t>(streams));
  std::vector<std::unique_ptr<Pipeline>> pipelines;
  for (int i = 0; i < streams; ++i) {
    TERN_ASSIGN_OR_RETURN(std::unique_ptr<Pipeline> pipeline,
                          make_pipeline(simple, alone, load, ticks, i, 1, ages[static_cast<std::size_t>(i)]));
    pipelines.push_back(std::move(pipeline));
  }
  set_clock(ticks, load, ages);
  for (const auto& pipeline : pipelines)
    pipeline->start();
  InterruptibleSleep().until(ages.front().until + load.deadline, stop);
  double busy = 0;
  Ages all{ages.front().from, ages.front().until};
  for (std::size_t i = 0; i < pipelines.size(); ++i) {
    busy += busy_of(pipelines[i]->snapshot());
    pipelines[i]->stop();
    TERN_RETURN_IF_ERROR(pipelines[i]->wait());
    all.ms.insert(all.ms.end(), ages[i].ms.begin(), ages[i].ms.end());
    all.in_time += ages[i].in_time;
  }
  if (stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped");
  StreamsResult result = summarise(ticks, all);
  result.mean_batch = 1;
  result.busy = busy / streams;
  return result;
}

Result<int> find_most_streams(const std::function<Result<StreamsResult>(int)>& run, double target, int limit,
                              std::vector<StreamsResult>& tried) {
  const auto holds = [&](int streams) -> Result<bool> {
    for (int time = 0; time < 2; ++time) {  // one good run may be luck
      TERN_ASSIGN_OR_RETURN(const StreamsResult result, run(streams));
      tried.push_back(result);
      if (result.hit_rate() < target) return false;
    }
    return true;
  };
  int most = 0, too_many = limit + 1;
  for (int next = 1; next <= limit; next = std::min(next * 2, limit)) {
    TERN_ASSIGN_OR_RETURN(const bool is_held, holds(next));
    if (!is_held) {
      too_many = next;
      break;
    }
    most = next;
    if (next == limit) return most;
  }
  while (too_many - most > 1) {
    const int middle = most + (too_many - most) / 2;
    TERN_ASSIGN_OR_RETURN(const bool is_held, holds(middle));
    (is_held ? most : too_many) = middle;
  }
  return most;
}

}  // namespace tern
