// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <opencv2/core/mat.hpp>

#include "tern/pipeline.h"
#include "tern/runtime.h"

namespace tern::test {

/// Frames from memory: `picture(i)` for i = 0, 1, ... until it gives an empty one.
using Pictures = std::function<cv::Mat(std::int64_t)>;

/// A source over pictures. `captured`: the frame's capture time, 0 for "when it is taken".
[[nodiscard]] SourceParts source_of(Pictures pictures, bool is_live = false,
                                    std::function<Nanoseconds(std::int64_t)> captured = {});
/// The same picture `count` times.
[[nodiscard]] Pictures repeat(const std::string& file, std::int64_t count);

/// What a sink was given, as far as tests ask.
struct Seen {
  int source = 0;
  std::uint64_t sequence = 0;
  std::int64_t index = 0;
  int width = 0, height = 0;
  FrameEnd end = FrameEnd::kDelivered;
  Nanoseconds captured{}, ended{};
  std::vector<ModelResult> models{};
  Status failure{};
};

/// Keeps what it is given; `on_write` may wait, fail or throw.
class Collector {
 public:
  std::function<Status(const FrameResult&)> on_write{};
  [[nodiscard]] SinkParts sink(std::string name = "collector", int queue = 4, bool is_lossless = true);
  [[nodiscard]] std::vector<Seen> seen() const;
  [[nodiscard]] bool is_finished() const { return finished_; }
  /// Until `count` results were written, or ten seconds have passed.
  bool wait_for(std::size_t count) const;

 private:
  class Sink;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Seen> seen_;
  std::atomic<bool> finished_ = false;
};

/// A store in a folder of its own, shared by the tests of a program so that each model is built once.
[[nodiscard]] std::shared_ptr<InferenceRuntime> shared_runtime();

/// Options with that runtime, OpenVINO in f32 on one thread, and no thermal telemetry.
[[nodiscard]] PipelineOptions test_options();
/// "models: ..." and "sources: ..." in YAML.
[[nodiscard]] PipelineSpec spec_of(const std::string& yaml);
/// One sink, as Pipeline::create() takes them.
[[nodiscard]] std::vector<SinkParts> only(SinkParts sink);
inline const std::string kModels = std::string(TERN_SOURCE_DIR) + "/models/";

MATCHER(IsOk, "") {
  if (!arg.ok()) *result_listener << arg.to_string();
  return arg.ok();
}

}  // namespace tern::test
