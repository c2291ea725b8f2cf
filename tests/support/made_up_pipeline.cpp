// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "support/made_up_pipeline.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace tern::test {
namespace {

using State = PipelineSnapshot::Source::State;

std::uint64_t whole(double value) {
  return static_cast<std::uint64_t>(std::max(0.0, value));
}

// Log-normal, in buckets of eight to an octave.
LatencySummary latency(double median_ms, double spread, std::uint64_t count) {
  LatencySummary summary;
  summary.count = count;
  if (count == 0) return summary;
  summary.mean_ms = median_ms * std::exp(spread * spread / 2);
  summary.p50_ms = median_ms;
  summary.p95_ms = median_ms * std::exp(1.645 * spread);
  summary.p99_ms = median_ms * std::exp(2.326 * spread);
  summary.max_ms = median_ms * std::exp(3.2 * spread);
  const double step = std::exp2(0.125);
  double upper = median_ms * std::exp(-3 * spread);
  for (; upper < summary.max_ms * step; upper *= step) {
    const double z = std::log(upper / step / median_ms) / spread;
    summary.buckets.push_back(
        {upper, whole(static_cast<double>(count) * std::exp(-z * z / 2) * 0.09 / (2.5 * spread))});
  }
  return summary;
}

PipelineSnapshot::Source source(const char* name, State state, double rate, double deadline_ms, double median_ms,
                                double seconds) {
  PipelineSnapshot::Source source;
  source.name = name;
  source.state = state;
  source.frames = whole(rate * seconds);
  source.width = 1920;
  source.height = 1080;
  source.rate_hz = rate;
  source.deadline_ms = deadline_ms;
  source.ends[static_cast<std::size_t>(FrameEnd::kDelivered)] = source.frames;
  source.age = latency(median_ms, 0.22, source.frames);
  return source;
}

// `share` of the delivered frames end so instead.
void lose(PipelineSnapshot::Source& source, FrameEnd end, double share) {
  auto& delivered = source.ends[static_cast<std::size_t>(FrameEnd::kDelivered)];
  const std::uint64_t lost = whole(share * static_cast<double>(source.frames));
  source.ends[static_cast<std::size_t>(end)] += lost;
  delivered -= std::min(lost, delivered);
}

std::vector<PipelineSnapshot::Source> sources(double seconds) {
  std::vector<PipelineSnapshot::Source> all;
  all.push_back(source("north-gate", State::kRunning, 30, 100, 41, seconds));
  lose(all[0], FrameEnd::kSuperseded, 0.0012);
  all.push_back(source("yard", State::kRunning, 24.6, 60, 52, seconds));
  lose(all[1], FrameEnd::kLate, 0.031);
  lose(all[1], FrameEnd::kHopeless, 0.022);
  lose(all[1], FrameEnd::kSuperseded, 0.05);
  lose(all[1], FrameEnd::kOverload, 0.012);
  lose(all[1], FrameEnd::kLimited, 0.02);
  lose(all[1], FrameEnd::kFailed, 0.0007);
  all.push_back(source("roof", State::kReconnecting, 0, 100, 44, std::min(seconds, 600.0)));
  all[2].frames = 17'400;
  all[2].ends[0] = 17'390;
  all[2].ends[9] = 10;
  all[2].age = latency(44, 0.3, 17'390);
  all[2].message = "rtsp://192.168.1.23/stream1: connection refused; trying again in 8 s";
  all[2].reconnects = 5;
  all.push_back(source("flight", State::kEnded, 0, 1000, 180, 0));
  all[3].width = 1280;
  all[3].height = 720;
  all[3].frames = 900;
  all[3].ends[0] = 900;
  all[3].age = latency(180, 0.2, 900);
  return all;
}

PipelineSnapshot::Model model(const char* name, double items, double batch, double busy, double infer_ms) {
  PipelineSnapshot::Model model;
  model.name = name;
  model.backend = "openvino";
  model.precision = "i8";
  model.engine_id = std::string(name) + "-1f3a9c";
  model.items = whole(items);
  model.batches = whole(items / batch);
  model.busy_share = busy;
  model.preprocess = latency(infer_ms * 0.14, 0.25, model.batches);
  model.infer = latency(infer_ms, 0.18, model.batches);
  model.postprocess = latency(infer_ms * 0.05, 0.4, model.batches);
  return model;
}

std::vector<PipelineSnapshot::Model> models(double seconds) {
  std::vector<PipelineSnapshot::Model> all;
  all.push_back(model("detect", 54 * seconds, 2.6, 0.41, 11.5));
  all.push_back(model("segment", 53 * seconds, 2.2, 0.38, 14.2));
  all[1].slowdown = 1.31;
  all.push_back(model("obstruction", 160 * seconds, 7.4, 0.07, 2.3));
  all[2].failures = 3;
  all.push_back(model("detect_small", 0, 1, 0, 4));
  all[3].is_running = false;
  return all;
}

}  // namespace

PipelineSnapshot made_up_snapshot(double seconds) {
  PipelineSnapshot snapshot;
  snapshot.uptime_s = seconds;
  snapshot.sources = sources(seconds);
  snapshot.models = models(seconds);
  snapshot.sinks.push_back({"json_lines", whole(54 * seconds), 0, 0, "", latency(0.08, 0.5, whole(54 * seconds))});
  snapshot.sinks.push_back(
      {"web", whole(50 * seconds), whole(4 * seconds), 2, "", latency(3.1, 0.3, whole(50 * seconds))});
  snapshot.sinks.push_back(
      {"video", 41'220, 0, 0, "out/yard.mp4: no space left on the device", latency(6.2, 0.3, 41'220)});
  snapshot.ledgers.push_back({"cpu",
                              std::uint64_t{2} << 30,
                              612'000'000,
                              {{"detect", 201'000'000}, {"segment", 262'000'000}, {"obstruction", 149'000'000}}});
  snapshot.ledgers.push_back({"cuda:0", std::uint64_t{8} << 30, 3'100'000'000, {{"frames", 3'100'000'000}}});
  snapshot.process_bytes = 851'000'000;
  snapshot.frames_inside = 5;
  snapshot.max_frames_inside = 24;
  snapshot.overhead_share = 0.021;
  snapshot.thermal = {true, 78, true, {"cpu_thermal_throttle"}, 1900, 3400, "sysfs"};
  snapshot.thermal_step = 1;
  snapshot.thermal_reason = "78 C is at or above 75 C";
  return snapshot;
}

const std::vector<PipelineModelInfo>& made_up_models() {
  static const std::vector<PipelineModelInfo> models{{"detect", Task::kDetect, {"vehicle", "person"}},
                                                     {"segment", Task::kSegment, {"grass", "asphalt", "water"}}};
  return models;
}

MadeUpFrames::MadeUpFrames(int width, int height)
    : width_(width), height_(height), bgr_(static_cast<std::size_t>(3 * width * height)) {
  result_.models.resize(2);
}

const FrameResult& MadeUpFrames::at(int source, double seconds) {
  const int shift = static_cast<int>(40 * seconds);
  for (int y = 0; y < height_; ++y) {
    std::uint8_t* pixel = bgr_.data() + static_cast<std::ptrdiff_t>(3) * width_ * y;
    for (int x = 0; x < width_; ++x, pixel += 3) {
      const int tile = ((x + shift) / 64 + y / 64 + source) % 2;
      pixel[0] = static_cast<std::uint8_t>(70 + 30 * tile + 60 * y / height_);
      pixel[1] = static_cast<std::uint8_t>(90 + 40 * tile);
      pixel[2] = static_cast<std::uint8_t>(60 + 20 * tile + 60 * x / width_);
    }
  }
  result_.source = source;
  result_.frame.view = ImageView::packed(bgr_.data(), width_, height_, PixelFormat::kBgr, std::ptrdiff_t{3} * width_);
  result_.ended = std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(seconds));
  const auto w = static_cast<float>(width_), h = static_cast<float>(height_);
  const float x = w * static_cast<float>(0.35 + 0.25 * std::sin(seconds + source)), y = h * 0.45F;
  result_.models[0].is_done = true;
  result_.models[0].detections = {{x, y, x + w * 0.2F, y + h * 0.25F, 0.91F, 0},
                                  {w * 0.75F, h * 0.2F, w * 0.83F, h * 0.5F, 0.74F, 1}};
  Segmentation& mask = result_.models[1].segmentation;
  mask.width = width_;
  mask.height = height_;
  mask.classes.assign(static_cast<std::size_t>(width_ * height_), Segmentation::kBackground);
  std::fill(mask.classes.begin() + static_cast<std::ptrdiff_t>(width_) * (height_ * 3 / 4), mask.classes.end(),
            std::uint8_t{1});
  result_.models[1].is_done = true;
  return result_;
}

}  // namespace tern::test
