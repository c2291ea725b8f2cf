// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/status_json.h"

#include <cmath>
#include <cstddef>

#include "tern/version.h"

namespace tern {
namespace {

// JSON has no infinities and no NaN.
Json number(double value, int decimals) {
  return std::isfinite(value) ? rounded(value, decimals) : 0.0;
}

Json latency_json(const LatencySummary& latency) {
  Json buckets = Json::array();
  for (const LatencySummary::Bucket& bucket : latency.buckets)
    buckets.push_back({number(bucket.upper_ms, 4), bucket.count});
  return {{"count", latency.count},           {"mean", number(latency.mean_ms, 3)}, {"p50", number(latency.p50_ms, 3)},
          {"p95", number(latency.p95_ms, 3)}, {"p99", number(latency.p99_ms, 3)},   {"max", number(latency.max_ms, 3)},
          {"buckets", std::move(buckets)}};
}

Json source_json(const PipelineSnapshot::Source& source) {
  Json ends;
  for (std::size_t i = 0; i < kFrameEnds; ++i)
    ends[std::string(to_string(static_cast<FrameEnd>(i)))] = source.ends[i];
  return {{"name", source.name},
          {"state", to_string(source.state)},
          {"message", source.message},
          {"frames", source.frames},
          {"reconnects", source.reconnects},
          {"width", source.width},
          {"height", source.height},
          {"rate_hz", number(source.rate_hz, 2)},
          {"deadline_ms", number(source.deadline_ms, 3)},
          {"hit_rate", number(deadline_hit_rate(source.ends), 9)},
          {"ends", std::move(ends)},
          {"age_ms", latency_json(source.age)}};
}

Json model_json(const PipelineSnapshot::Model& model) {
  return {{"name", model.name},
          {"is_running", model.is_running},
          {"backend", model.backend},
          {"precision", model.precision},
          {"engine_id", model.engine_id},
          {"batches", model.batches},
          {"items", model.items},
          {"failures", model.failures},
          {"reloads", model.reloads},
          {"busy_share", number(model.busy_share, 4)},
          {"slowdown", number(model.slowdown, 3)},
          {"preprocess_ms", latency_json(model.preprocess)},
          {"infer_ms", latency_json(model.infer)},
          {"postprocess_ms", latency_json(model.postprocess)}};
}

Json sink_json(const PipelineSnapshot::Sink& sink) {
  return {{"name", sink.name},       {"written", sink.written}, {"missed", sink.missed},
          {"waiting", sink.waiting}, {"failure", sink.failure}, {"write_ms", latency_json(sink.write)}};
}

Json ledger_json(const PipelineSnapshot::Ledger& ledger) {
  Json items = Json::array();
  for (const MemoryLedger::Item& item : ledger.items)
    items.push_back({{"name", item.name}, {"bytes", item.bytes}});
  return {{"device", ledger.device},
          {"budget_bytes", ledger.budget_bytes},
          {"resident_bytes", ledger.resident_bytes},
          {"items", std::move(items)}};
}

template <typename T>
Json list(const std::vector<T>& values, Json (*json_of)(const T&)) {
  Json list = Json::array();
  for (const T& value : values)
    list.push_back(json_of(value));
  return list;
}

}  // namespace

Json status_json(const PipelineSnapshot& snapshot) {
  Json thermal = thermal_json(snapshot.thermal);
  thermal["step"] = snapshot.thermal_step;
  thermal["step_reason"] = snapshot.thermal_reason;
  return {{"version", 1},
          {"tern", version()},
          {"uptime_s", number(snapshot.uptime_s, 3)},
          {"is_draining", snapshot.is_draining},
          {"sources", list(snapshot.sources, source_json)},
          {"models", list(snapshot.models, model_json)},
          {"sinks", list(snapshot.sinks, sink_json)},
          {"ledgers", list(snapshot.ledgers, ledger_json)},
          {"process_bytes", snapshot.process_bytes},
          {"frames_inside", snapshot.frames_inside},
          {"max_frames_inside", snapshot.max_frames_inside},
          {"overhead_share", number(snapshot.overhead_share, 5)},
          {"thermal", std::move(thermal)}};
}

}  // namespace tern
