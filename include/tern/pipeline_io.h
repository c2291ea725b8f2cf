// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tern/export.h"
#include "tern/image.h"
#include "tern/pipeline_latency.h"
#include "tern/pipeline_scheduler.h"
#include "tern/results.h"
#include "tern/status.h"

namespace tern {

struct PipelineModelInfo;
struct PipelineSpec;

/// A frame as its source gives it. Objects are used again, so that texts keep their memory.
struct SourceFrame {
  ImageView view{};  ///< host memory, or a GPU's where the backend has a frame path
  /// Keeps what `view` points at; null: the source keeps it for as long as it lives.
  std::shared_ptr<const void> pixels{};
  /// When it was taken, on std::chrono::steady_clock. 0: when a place for it is free, which is right for what waits to be read (files).
  Nanoseconds captured{};
  /// Of its source: 0, 1, ...; a source that is opened again goes on or begins anew, as it likes.
  std::int64_t index = 0;
  std::optional<double> time_s{};  ///< since the start of its video
  std::string file{};              ///< where it comes from a file: its path
};

/// Where frames come from. One thread calls it.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  /// Waits for the next frame and fills `frame`; false at the end, or soon after `stop`. On a failure the source is destroyed;
  /// one that SourceParts calls live is then opened anew.
  [[nodiscard]] virtual Result<bool> next(SourceFrame& frame, std::stop_token stop) = 0;
};

/// How a pipeline gets a source.
struct SourceParts {
  /// Opens it; called on the source's thread, or, for one that is not live, once in Pipeline::create() too, whose failure it is then. May
  /// take long, but not much longer than until `stop`.
  std::function<Result<std::unique_ptr<FrameSource>>(std::stop_token stop)> open{};
  /// It has no end of its own (a camera): after a failure or an end it is opened again, after 0.5 s at first, and twice as long each time up to
  /// 30 s, until frames come again.
  bool is_live = false;
};

/// Part of a frame that a model worked on, in pixels of the frame, and what it found there.
struct CropResult {
  int x = 0, y = 0, width = 0, height = 0;
  int detection = 0;  ///< index among the detections that the crop was made from
  Classification classification{};
  std::vector<Detection> detections{};  ///< of a detector on crops, in pixels of the frame
};

/// What one model found on one frame. Which fields are filled follows from its task and from whether it works on crops.
struct ModelResult {
  bool is_done = false;  ///< false: it was switched off, or the frame ended before it ran
  std::vector<Detection> detections{};
  Segmentation segmentation{};
  Classification classification{};
  std::vector<CropResult> crops{};  ///< the first `crop_count` count; the rest is memory for later frames
  std::size_t crop_count = 0;
  StageTimes times{};  ///< of its batch, divided by the items in it; of all its crops together
  int batch = 0;       ///< items in the last batch that it was in
};

/// A frame that has been through the models. Belongs to the pipeline; valid until ResultSink::write() returns.
struct FrameResult {
  int source = 0;              ///< index in PipelineSpec::sources
  std::uint64_t sequence = 0;  ///< of the source: frames it gave before this one, dropped ones included
  SourceFrame frame{};
  FrameEnd end = FrameEnd::kDelivered;  ///< kDelivered, kLate or kFailed
  Nanoseconds captured{}, deadline{}, ended{};
  std::vector<ModelResult> models{};  ///< in the order of PipelineSpec::models
  Status failure{};                   ///< of a frame that failed: what the model said
};

/// Where results go. One thread, of the sink's own, calls write() and finish(). What it takes longer than frames come, waits (SinkParts).
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  /// Once, in Pipeline::create(), when all models are open; what it says is what that says. Both arguments live as long as the pipeline.
  [[nodiscard]] virtual Status begin(const PipelineSpec& spec, const std::vector<PipelineModelInfo>& models) = 0;
  /// After a failure the sink is not called again, but for finish(); the pipeline goes on without it, and Pipeline::wait() tells.
  [[nodiscard]] virtual Status write(const FrameResult& result) = 0;
  /// Once, after the last write().
  [[nodiscard]] virtual Status finish() = 0;
};

struct SinkParts {
  std::string name{};  ///< for metrics and messages: "json_lines", "web"
  std::unique_ptr<ResultSink> sink{};
  int queue = 8;  ///< results that may wait for it: 1..1024
  /// What happens to a result when the queue is full. true: nothing is lost; frames wait, and sources in turn drop or wait as they do when
  /// models are busy. false: this sink misses it, which is counted.
  bool is_lossless = true;
};

}  // namespace tern
