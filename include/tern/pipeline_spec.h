// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tern/engine.h"
#include "tern/export.h"
#include "tern/pipeline_scheduler.h"
#include "tern/pipeline_thermal.h"
#include "tern/status.h"

namespace tern {

/// What a pipeline file says, checked: names are unique, references resolve, models form no cycle. docs/pipelines.md explains each
/// key; docs/schemas/pipeline.schema.json is the published schema.
struct PipelineSpec {
  enum class SourceKind : std::uint8_t { kImages, kVideo, kRtsp, kV4l2, kPattern };
  enum class SinkKind : std::uint8_t { kJsonLines, kVideo, kWeb, kHttp };

  struct Source {
    std::string name{};
    SourceKind kind = SourceKind::kPattern;
    std::string location{};   ///< path (images, video; relative ones are taken from the file's folder), device or URL
    bool newest_wins = true;  ///< else a bounded queue
    int queue = 1;            ///< frames that may wait: 1..1024; 1 where the newest wins
    int in_flight = 2;        ///< frames that models may work on at once: 1..64
    Nanoseconds deadline{};   ///< after the capture
    double rate_hz =
        0;  ///< images, pattern, V4L2: frames a second; 0: as fast as they are taken, or as the device gives
    bool is_real_time = false;          ///< video: at the pace of its time stamps, else as fast as its frames are taken
    bool is_looping = false;            ///< images, video: from the start again at the end
    bool is_udp = false;                ///< RTSP: over UDP, else over TCP
    int width = 0, height = 0;          ///< pattern, V4L2: pixels; 0: as the device gives
    std::vector<std::string> models{};  ///< which work on its frames, in the order of PipelineSpec::models
  };
  struct Model {
    std::string name{};
    std::string file{};  ///< relative paths are taken from the pipeline file's folder
    Precision precision = Precision::kAuto;
    int priority = 0;           ///< -100..100
    double share = 0;           ///< of the devices' time, guaranteed
    int max_batch = 0;          ///< 0: as the engine has it
    std::string crops_of{};     ///< works on crops of this model's boxes; empty: on the frame
    std::string region_mask{};  ///< the segmenter whose mask, cropped alike, is its fourth channel; empty: none
    std::vector<std::string> region_classes{};  ///< of that segmenter: what is inside the region; empty: every class
    double crop_margin = 0;                     ///< of a box's width and height, added at each side: 0..4
    std::vector<std::string> classes{};         ///< crops of boxes of these classes alone; empty: of all
    int max_crops = 16;                         ///< of a frame
    bool is_standby = false;                    ///< runs only on thermal steps that switch it on
  };
  struct Sink {
    SinkKind kind = SinkKind::kJsonLines;
    std::string path{};        ///< JSON lines, video: the file to write
    std::string source{};      ///< video: whose frames
    std::string address{};     ///< web: the address to listen at
    int port = 0;              ///< web; 0: one that is free
    std::string token_file{};  ///< web: the file with the token that callers must present; empty: none
    std::string url{};         ///< HTTP: where each result is posted to
    Nanoseconds timeout{};     ///< HTTP: of a post
  };

  std::vector<Source> sources{};
  std::vector<Model> models{};  ///< each after those whose results it needs
  std::vector<Sink> sinks{};    ///< none: results go to the caller alone
  FrameOrder order = FrameOrder::kEarliestDeadline;
  Batching batching = Batching::kLoad;
  int fixed_batch = 8;
  Nanoseconds fixed_timeout = std::chrono::milliseconds(5);
  bool drop_hopeless = true;
  ThermalLadder thermal{};

  static constexpr std::size_t kMaxFileBytes = std::size_t{256} << 10;

  /// Reads YAML. Bounded: kMaxFileBytes, 16 levels, 20000 values; no anchors, aliases or tags, one document, no key twice. Numbers and
  /// booleans follow YAML 1.2's core schema, and a text that looks like one must be quoted. ConfigError with
  /// "`name`:line:column" and, for misspelt words, the likely one. Never throws. Reentrant.
  [[nodiscard]] TERN_API static Result<PipelineSpec> parse(std::string_view yaml, std::string_view name = "pipeline");
  /// Reads a file; IoError where it cannot be read.
  [[nodiscard]] TERN_API static Result<PipelineSpec> read(const std::filesystem::path& file);

  /// What a Scheduler needs, with a measured curve for each model, in the order of `models`. ConfigError where their number
  /// differs, a max_batch is beyond its curve, or as Scheduler::create() says.
  [[nodiscard]] TERN_API Result<SchedulerConfig> scheduler_config(const std::vector<LatencyCurve>& curves,
                                                                  int executors) const;
};

/// Puts into force what the governor's current step says: the rate of the sources, and which models run. To be called before the
/// first frame and after each change. `scheduler` must come from spec.scheduler_config().
TERN_API void apply_thermal_step(const ThermalGovernor& governor, const PipelineSpec& spec, Scheduler& scheduler);

}  // namespace tern
