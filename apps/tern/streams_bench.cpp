// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "streams_bench.h"

#include <charconv>

#include <CLI/CLI.hpp>
#include <opencv2/core.hpp>

#include "base/error.h"
#include "media/image_file.h"
#include "media/sources.h"
#include "media/video_reader.h"
#include "result_json.h"
#include "text_output.h"

namespace tern {
namespace {

constexpr std::size_t kFrames = 8;  // different ones that the cameras show
constexpr int kMostStreams = 1024;

/// The first frames of a video, an image, or noise of 1920x1080 pixels.
Result<std::vector<Frame>> frames_to_show(const std::optional<std::string>& source) {
  std::vector<Frame> frames;
  if (!source) {
    auto noise = std::make_shared<cv::Mat>(1080, 1920, CV_8UC3);
    cv::RNG random(1);
    random.fill(*noise, cv::RNG::UNIFORM, 0, 256);
    frames.push_back({"noise", 0, {}, view_of(*noise), noise});
    return frames;
  }
  TERN_ASSIGN_OR_RETURN(const std::vector<Source> files, find_sources({&*source, 1}, false));
  if (files.front().kind == Source::Kind::kImage) {
    for (const Source& file : files) {
      if (frames.size() == kFrames || file.kind != Source::Kind::kImage) break;
      TERN_ASSIGN_OR_RETURN(Frame frame, read_image_frame(file.path));
      frames.push_back(std::move(frame));
    }
    return frames;
  }
  TERN_ASSIGN_OR_RETURN(VideoReader reader, VideoReader::open(files.front().path));
  while (frames.size() < kFrames) {
    Frame frame;
    TERN_ASSIGN_OR_RETURN(const bool more, reader.next(frame));
    if (!more) break;
    frames.push_back(std::move(frame));
  }
  return frames;
}

std::vector<std::string> row_of(const StreamsResult& result) {
  return {std::to_string(result.streams),
          fmt::format("{:.3f} %", 100 * result.hit_rate()),
          fmt::format("{:.2f}", result.p50_ms),
          fmt::format("{:.2f}", result.p95_ms),
          fmt::format("{:.2f}", result.p99_ms),
          fmt::format("{:.2f}", result.mean_batch),
          fmt::format("{:.0f} %", 100 * result.busy)};
}

Json json_of(const StreamsResult& result) {
  return {{"streams", result.streams},
          {"frames", result.frames},
          {"in_time", result.in_time},
          {"hit_rate", rounded(result.hit_rate(), 6)},
          {"age_p50_ms", rounded(result.p50_ms, 3)},
          {"age_p95_ms", rounded(result.p95_ms, 3)},
          {"age_p99_ms", rounded(result.p99_ms, 3)},
          {"mean_batch", rounded(result.mean_batch, 3)},
          {"busy", rounded(result.busy, 4)}};
}

Result<int> parse_streams(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > kMostStreams)
    return make_error(StatusCode::kConfigError, "--streams is '{}'; it is 'auto' or a number from 1 to {}", text,
                      kMostStreams);
  return value;
}

}  // namespace

void StreamsBench::declare(CLI::App& app) {
  app.add_option("--streams", streams_,
                 "MODEL is a pipeline file: serve this many cameras with its models, or find the most (auto)")
      ->type_name("N|auto")
      ->group("Streams");
  app.add_option("--rate", rate_hz_, "Frames a second of each camera")
      ->check(CLI::Range(0.1, 1000.0))
      ->capture_default_str()
      ->group("Streams");
  app.add_option("--deadline-ms", deadline_ms_,
                 "Results are due so long after the capture (default: as the first source says)")
      ->check(CLI::Range(1.0, 3'600'000.0))
      ->group("Streams");
  app.add_option("--target", target_, "Part of the frames that must be in time")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->group("Streams");
  app.add_option("--executors", executors_, "Batches that run at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str()
      ->group("Streams");
  app.add_flag("--thread-per-camera", is_thread_per_camera_,
               "For comparison: a thread and models of its own for each camera, one frame at a time, no GPU frame path")
      ->group("Streams");
}

Status StreamsBench::run(const Request& request, const Environment& environment, const Console& console) const {
  TERN_ASSIGN_OR_RETURN(const PipelineSpec spec, PipelineSpec::read(request.pipeline));
  const bool is_search = streams_ == "auto";
  int streams = 0;
  if (!is_search) {
    TERN_ASSIGN_OR_RETURN(streams, parse_streams(streams_));
  }
  StreamLoad load{.rate_hz = rate_hz_, .deadline = spec.sources.front().deadline};
  TERN_ASSIGN_OR_RETURN(load.frames, frames_to_show(request.source));
  if (deadline_ms_) load.deadline = Nanoseconds(static_cast<std::int64_t>(*deadline_ms_ * 1e6));
  load.measured = Nanoseconds(static_cast<std::int64_t>(request.seconds * 1e9));
  PipelineOptions options;
  options.task = request.task;
  options.folder = std::filesystem::path(request.pipeline).parent_path();
  options.executors = executors_;
  options.measure_width = load.frames.front().view.width;
  options.measure_height = load.frames.front().view.height;

  ProgressBar bar(console);
  std::vector<StreamsResult> tried;
  const auto run = [&](int count) -> Result<StreamsResult> {
    bar.update(-1, fmt::format("{} stream{}", count, count == 1 ? "" : "s"));
    const auto measure = is_thread_per_camera_ ? run_thread_per_camera : run_streams;
    return measure(spec, options, load, count, environment.stop);
  };
  if (is_search) {
    TERN_ASSIGN_OR_RETURN(streams, find_most_streams(run, target_, kMostStreams, tried));
  } else {
    TERN_ASSIGN_OR_RETURN(const StreamsResult result, run(streams));
    tried.push_back(result);
  }
  bar.clear();
  std::vector<std::vector<std::string>> rows{{"streams", "in time", "age p50 ms", "p95", "p99", "mean batch", "busy"}};
  Json runs = Json::array();
  for (const StreamsResult& result : tried) {
    rows.push_back(row_of(result));
    runs.push_back(json_of(result));
  }
  console.print(format_table(rows));
  if (is_search)
    console.print(fmt::format("\n{} stream{} of {:g} frames/s hold {:.1f} ms for {:g} % of the frames", streams,
                              streams == 1 ? "" : "s", rate_hz_,
                              std::chrono::duration<double, std::milli>(load.deadline).count(), 100 * target_));
  if (!request.json) return {};
  const Json report{{"pipeline", request.pipeline},
                    {"mode", is_thread_per_camera_ ? "thread_per_camera" : "pipeline"},
                    {"width", options.measure_width},
                    {"height", options.measure_height},
                    {"rate_hz", rate_hz_},
                    {"deadline_ms", std::chrono::duration<double, std::milli>(load.deadline).count()},
                    {"target", target_},
                    {"executors", executors_},
                    {"streams", streams},
                    {"runs", runs}};
  return TextOutput::write(*request.json, to_document(report));
}

}  // namespace tern
