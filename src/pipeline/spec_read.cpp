// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/spec_read.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/precision_names.h"

namespace tern {
namespace {

using namespace std::chrono_literals;
using SourceKind = PipelineSpec::SourceKind;
using SinkKind = PipelineSpec::SinkKind;
template <typename Enum>
using Word = std::pair<std::string_view, Enum>;

constexpr std::size_t kMaxSources = 4096, kMaxModels = 64, kMaxSinks = 64, kMaxSteps = 16, kMaxName = 64;
constexpr int kMaxSide = 16'384;  // pixels

/// Names end up in metrics, logs and file names.
void read_name(YamlMap& map, YamlName& out) {
  map.require("name");
  if (!map.name("name", out)) return;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  const char first = out.text.front();
  if (out.text.size() > kMaxName || !std::ranges::all_of(out.text, fits) || first == '-')
    map.fail("name",
             fmt::format("{} is no name: letters, digits, '_' and '-', {} at most", in_quotes(out.text), kMaxName));
}

void read_size(YamlMap& map, PipelineSpec::Source& source, bool is_required) {
  if (is_required) {
    map.require("width");
    map.require("height");
  }
  const bool has_width = map.number("width", source.width, 2, kMaxSide);
  const bool has_height = map.number("height", source.height, 2, kMaxSide);
  if (has_width != has_height) map.fail(has_width ? "width" : "height", "needs the other side as well");
}

void read_location(YamlMap& map, std::string_view key, PipelineSpec::Source& source) {
  map.require(key);
  map.text(key, source.location);
}

void read_rtsp(YamlMap& map, PipelineSpec::Source& source) {
  read_location(map, "url", source);
  if (!source.location.empty() && !source.location.starts_with("rtsp://") && !source.location.starts_with("rtsps://"))
    map.fail("url", "does not begin with rtsp:// or rtsps://");  // it is not shown: it may hold a password
  constexpr std::array<Word<bool>, 2> kTransports{{{"tcp", false}, {"udp", true}}};
  map.word<bool>("transport", source.is_udp, kTransports);
}

/// What only sources of one kind have.
void read_source_kind(YamlMap& map, PipelineSpec::Source& source) {
  constexpr double kMaxRate = 1000;
  switch (source.kind) {
    case SourceKind::kImages:
      read_location(map, "path", source);
      map.number("rate", source.rate_hz, 0.01, kMaxRate);
      map.flag("loop", source.is_looping);
      return;
    case SourceKind::kVideo:
      read_location(map, "path", source);
      map.flag("real_time", source.is_real_time);
      map.flag("loop", source.is_looping);
      return;
    case SourceKind::kRtsp:
      read_rtsp(map, source);
      return;
    case SourceKind::kV4l2:
      read_location(map, "device", source);
      map.number("rate", source.rate_hz, 0.01, kMaxRate);
      read_size(map, source, false);
      return;
    case SourceKind::kPattern:
      map.require("rate");
      map.number("rate", source.rate_hz, 0.01, kMaxRate);
      read_size(map, source, true);
      return;
  }
}

/// Cameras go on whether anyone looks or not; files wait.
bool is_live(const PipelineSpec::Source& source) noexcept {
  return source.kind == SourceKind::kRtsp || source.kind == SourceKind::kV4l2 || source.kind == SourceKind::kPattern ||
         source.is_real_time || (source.kind == SourceKind::kImages && source.rate_hz > 0);
}

void read_frames(YamlMap& map, PipelineSpec::Source& source) {
  constexpr std::array<Word<bool>, 2> kFrames{{{"newest", true}, {"queue", false}}};
  source.newest_wins = is_live(source);
  map.word<bool>("frames", source.newest_wins, kFrames);
  if (source.newest_wins) {
    if (!is_live(source))
      map.fail("frames", "a source that can wait loses nearly all its frames where the newest wins",
               source.kind == SourceKind::kVideo ? "use a queue, or real_time: true" : "use a queue, or give a rate");
    map.forbid("queue", "only frames: queue has a length");
    source.queue = 1;
    return;
  }
  source.queue = 4;
  map.number("queue", source.queue, 1, 1024);
}

void read_source(const YamlNode& node, std::size_t index, SpecDraft& draft, YamlErrors& errors) {
  YamlMap map(node, fmt::format("sources[{}]", index), errors);
  PipelineSpec::Source& source = draft.spec.sources.emplace_back();
  SpecDraft::SourceNames& names = draft.sources.emplace_back();
  read_name(map, names.name);
  source.name = names.name.text;
  constexpr std::array<Word<SourceKind>, 5> kKinds{{{"images", SourceKind::kImages},
                                                    {"video", SourceKind::kVideo},
                                                    {"rtsp", SourceKind::kRtsp},
                                                    {"v4l2", SourceKind::kV4l2},
                                                    {"pattern", SourceKind::kPattern}}};
  map.require("kind");
  if (!map.word<SourceKind>("kind", source.kind, kKinds)) return;
  read_source_kind(map, source);
  read_frames(map, source);
  map.require("deadline");
  map.duration("deadline", source.deadline, 1ms, 1h);
  map.number("in_flight", source.in_flight, 1, 64);
  names.has_models = map.names("models", names.models);
  if (names.has_models && names.models.empty()) map.fail("models", "is empty: no model would see its frames");
  map.finish();
}

void read_model(const YamlNode& node, std::size_t index, SpecDraft& draft, YamlErrors& errors) {
  YamlMap map(node, fmt::format("models[{}]", index), errors);
  PipelineSpec::Model& model = draft.spec.models.emplace_back();
  SpecDraft::ModelNames& names = draft.models.emplace_back();
  read_name(map, names.name);
  model.name = names.name.text;
  map.require("file");
  map.text("file", model.file);
  map.word<Precision>("precision", model.precision, kPrecisionNames);
  map.number("priority", model.priority, -100, 100);
  map.number("share", model.share, 0, 1);
  names.share_at = map.at("share");
  map.number("max_batch", model.max_batch, 1, LatencyCurve::kMaxBatch);
  map.flag("standby", model.is_standby);
  if (map.name("crops_of", names.crops_of)) {
    const auto read_classes = [&](std::string_view key, std::string_view when_empty, std::vector<std::string>& out) {
      std::vector<YamlName> classes;
      if (map.names(key, classes) && classes.empty()) map.fail(key, when_empty);
      for (const YamlName& one : classes)
        out.push_back(one.text);
    };
    if (map.name("region_mask", names.region_mask)) {
      read_classes("region_classes", "is empty: no region would have an inside", model.region_classes);
    } else {
      map.forbid("region_classes", "only a model with region_mask has it");
    }
    map.number("max_crops", model.max_crops, 1, 4096);
    map.number("crop_margin", model.crop_margin, 0, 4);
    read_classes("classes", "is empty: no box would be cut out", model.classes);
  } else {
    for (const std::string_view key : {"region_mask", "region_classes", "max_crops", "crop_margin", "classes"})
      map.forbid(key, "only a model with crops_of has it");
  }
  map.finish();
}

bool is_loopback(std::string_view address) noexcept {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

void read_web(YamlMap& map, PipelineSpec::Sink& sink) {
  sink.address = "127.0.0.1";
  sink.port = 8080;
  map.text("address", sink.address);
  map.number("port", sink.port, 0, 65'535);
  if (!map.text("token_file", sink.token_file) && !is_loopback(sink.address))
    map.fail("address",
             fmt::format("{} can be reached from other machines, so 'token_file' is needed", in_quotes(sink.address)));
}

void read_http(YamlMap& map, PipelineSpec::Sink& sink) {
  map.require("url");
  if (map.text("url", sink.url) && !sink.url.starts_with("http://") && !sink.url.starts_with("https://"))
    map.fail("url", "does not begin with http:// or https://");
  sink.timeout = 1s;
  map.duration("timeout", sink.timeout, 1ms, 1min);
}

void read_sink(const YamlNode& node, std::size_t index, SpecDraft& draft, YamlErrors& errors) {
  YamlMap map(node, fmt::format("sinks[{}]", index), errors);
  PipelineSpec::Sink& sink = draft.spec.sinks.emplace_back();
  YamlName& source = draft.sink_sources.emplace_back();
  constexpr std::array<Word<SinkKind>, 4> kKinds{{{"json_lines", SinkKind::kJsonLines},
                                                  {"video", SinkKind::kVideo},
                                                  {"web", SinkKind::kWeb},
                                                  {"http", SinkKind::kHttp}}};
  map.require("kind");
  if (!map.word<SinkKind>("kind", sink.kind, kKinds)) return;
  switch (sink.kind) {
    case SinkKind::kJsonLines:
      map.require("path");
      map.text("path", sink.path);
      break;
    case SinkKind::kVideo:
      map.require("path");
      map.text("path", sink.path);
      map.require("source");
      map.name("source", source);
      break;
    case SinkKind::kWeb:
      read_web(map, sink);
      break;
    case SinkKind::kHttp:
      read_http(map, sink);
      break;
  }
  map.finish();
}

void read_policy(const YamlNode& node, PipelineSpec& spec, YamlErrors& errors) {
  YamlMap map(node, "policy", errors);
  constexpr std::array<Word<FrameOrder>, 3> kOrders{{{"earliest_deadline", FrameOrder::kEarliestDeadline},
                                                     {"fifo", FrameOrder::kFifo},
                                                     {"round_robin", FrameOrder::kRoundRobin}}};
  constexpr std::array<Word<Batching>, 3> kBatchings{
      {{"load", Batching::kLoad}, {"fixed", Batching::kFixed}, {"single", Batching::kSingle}}};
  map.word<FrameOrder>("order", spec.order, kOrders);
  map.word<Batching>("batching", spec.batching, kBatchings);
  if (spec.batching == Batching::kFixed) {
    map.number("fixed_batch", spec.fixed_batch, 1, LatencyCurve::kMaxBatch);
    map.duration("fixed_timeout", spec.fixed_timeout, 0ms, 1h);
  } else {
    for (const std::string_view key : {"fixed_batch", "fixed_timeout"})
      map.forbid(key, "only batching: fixed has it");
  }
  map.flag("drop_hopeless", spec.drop_hopeless);
  map.finish();
}

void read_step(const YamlNode& node, std::size_t index, SpecDraft& draft, YamlErrors& errors) {
  YamlMap map(node, fmt::format("thermal.steps[{}]", index), errors);
  ThermalStep& step = draft.spec.thermal.steps.emplace_back();
  SpecDraft::StepNames& names = draft.steps.emplace_back();
  map.require("at");
  map.require("back");
  map.number("at", step.at_c, -39, 149);
  map.number("back", step.back_c, -39, 149);
  map.number("rate", step.max_rate_hz, 0.01, 1000);
  map.names("off", names.off);
  map.names("on", names.on);
  if (step.back_c >= step.at_c)
    map.fail("back",
             fmt::format("is {} C, and must be below the {} C at which the step is taken", step.back_c, step.at_c));
  if (index > 0) {
    const ThermalStep& above = draft.spec.thermal.steps[index - 1];
    if (step.at_c <= above.at_c) map.fail("at", fmt::format("must be hotter than the step before ({} C)", above.at_c));
    if (step.back_c < above.back_c)
      map.fail("back", fmt::format("must not be colder than the step before ({} C)", above.back_c));
  }
  map.finish();
}

void read_thermal(const YamlNode& node, SpecDraft& draft, YamlErrors& errors) {
  YamlMap map(node, "thermal", errors);
  map.duration("hold", draft.spec.thermal.hold, 1ms, 1h);
  map.duration("settle", draft.spec.thermal.settle, 1ms, 1h);
  map.require("steps");
  const auto steps = map.list("steps", 1, kMaxSteps);
  for (std::size_t i = 0; i < steps.size() && errors.ok(); ++i)
    read_step(steps[i], i, draft, errors);
  map.finish();
}

}  // namespace

SpecDraft read_spec(const YamlNode& root, YamlErrors& errors) {
  SpecDraft draft;
  YamlMap map(root, "", errors);
  int version = 1;
  map.require("version");
  map.number("version", version, 1, 1);
  map.require("sources");
  map.require("models");
  const auto sources = map.list("sources", 1, kMaxSources);
  for (std::size_t i = 0; i < sources.size() && errors.ok(); ++i)
    read_source(sources[i], i, draft, errors);
  const auto models = map.list("models", 1, kMaxModels);
  for (std::size_t i = 0; i < models.size() && errors.ok(); ++i)
    read_model(models[i], i, draft, errors);
  const auto sinks = map.list("sinks", 0, kMaxSinks);
  for (std::size_t i = 0; i < sinks.size() && errors.ok(); ++i)
    read_sink(sinks[i], i, draft, errors);
  if (const YamlNode* policy = map.find("policy")) read_policy(*policy, draft.spec, errors);
  if (const YamlNode* thermal = map.find("thermal")) read_thermal(*thermal, draft, errors);
  map.finish();
  return draft;
}

}  // namespace tern
