// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline_report.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "console.h"

namespace tern {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::uint64_t count_of(const PipelineSnapshot::Source& source, FrameEnd end) {
  return source.ends[static_cast<std::size_t>(end)];
}

std::string ms(double value) {
  return fmt::format("{:.2f}", value);
}

/// "12 superseded, 3 hopeless": the ends that are not results, the most frequent first.
std::string drops_of(const PipelineSnapshot::Source& source) {
  std::vector<FrameEnd> ends;
  for (std::size_t i = 0; i < kFrameEnds; ++i) {
    const auto end = static_cast<FrameEnd>(i);
    if (end != FrameEnd::kDelivered && end != FrameEnd::kLate && source.ends[i] > 0) ends.push_back(end);
  }
  std::ranges::stable_sort(ends, std::greater(), [&](FrameEnd end) { return count_of(source, end); });
  std::string text;
  for (const FrameEnd end : ends)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count_of(source, end), to_string(end));
  return text.empty() ? "none" : text;
}

Rows source_rows(const PipelineSnapshot& snapshot) {
  Rows rows{{"source", "frames", "in time", "late", "hit rate", "age p50 ms", "p95", "p99", "max", "dropped"}};
  for (const PipelineSnapshot::Source& source : snapshot.sources)
    rows.push_back({printable(source.name), std::to_string(source.frames),
                    std::to_string(count_of(source, FrameEnd::kDelivered)),
                    std::to_string(count_of(source, FrameEnd::kLate)),
                    fmt::format("{:.2f} %", 100 * deadline_hit_rate(source.ends)), ms(source.age.p50_ms),
                    ms(source.age.p95_ms), ms(source.age.p99_ms), ms(source.age.max_ms), drops_of(source)});
  return rows;
}

Rows model_rows(const PipelineSnapshot& snapshot) {
  Rows rows{{"model", "on", "items", "mean batch", "preprocess p50 ms", "infer p50", "infer p99", "postprocess p50",
             "busy", "failures"}};
  for (const PipelineSnapshot::Model& model : snapshot.models) {
    const double batch = model.batches > 0 ? static_cast<double>(model.items) / static_cast<double>(model.batches) : 0;
    rows.push_back({printable(model.name),
                    model.is_running ? fmt::format("{} {}", model.backend, model.precision) : "off",
                    std::to_string(model.items), fmt::format("{:.2f}", batch), ms(model.preprocess.p50_ms),
                    ms(model.infer.p50_ms), ms(model.infer.p99_ms), ms(model.postprocess.p50_ms),
                    fmt::format("{:.0f} %", 100 * model.busy_share), std::to_string(model.failures)});
  }
  return rows;
}

Rows sink_rows(const PipelineSnapshot& snapshot) {
  Rows rows{{"sink", "results", "missed", "write p50 ms", "p99", "failure"}};
  for (const PipelineSnapshot::Sink& sink : snapshot.sinks)
    rows.push_back({printable(sink.name), std::to_string(sink.written), std::to_string(sink.missed),
                    ms(sink.write.p50_ms), ms(sink.write.p99_ms),
                    sink.failure.empty() ? "none" : printable(sink.failure)});
  return rows;
}

}  // namespace

std::string pipeline_headline(const PipelineSnapshot& snapshot) {
  double rate = 0, p95 = 0;
  std::array<std::uint64_t, kFrameEnds> ends{};
  std::size_t running = 0;
  for (const PipelineSnapshot::Source& source : snapshot.sources) {
    if (source.state == PipelineSnapshot::Source::State::kRunning) {
      rate += source.rate_hz;
      ++running;
    }
    p95 = std::max(p95, source.age.p95_ms);
    for (std::size_t i = 0; i < kFrameEnds; ++i)
      ends[i] += source.ends[i];
  }
  return fmt::format("{} of {} sources running, {:.1f} frames/s, {:.2f} % in time, age p95 {:.1f} ms", running,
                     snapshot.sources.size(), rate, 100 * deadline_hit_rate(ends), p95);
}

std::string pipeline_report(const PipelineSnapshot& snapshot) {
  std::string text = format_table(source_rows(snapshot)) + "\n\n" + format_table(model_rows(snapshot)) + "\n\n";
  if (!snapshot.sinks.empty()) text += format_table(sink_rows(snapshot)) + "\n\n";
  return text + fmt::format("{:.1f} s; the pipeline itself took {:.1f} % of the models' time; thermal step {}{}",
                            snapshot.uptime_s, 100 * snapshot.overhead_share, snapshot.thermal_step,
                            snapshot.thermal.is_telemetry_available
                                ? fmt::format(", {:.0f} C", snapshot.thermal.temperature_c)
                                : std::string(" (no telemetry)"));
}

}  // namespace tern
