// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "command.h"
#include "media/frame.h"
#include "result_json.h"
#include "tern/task.h"

namespace tern {

/// What detect, segment and classify do with frames; everything else they share.
class FrameTask {
 public:
  virtual ~FrameTask() = default;
  [[nodiscard]] virtual const VisionTask& task() const = 0;
  /// Finds the results of `frames` and keeps them, by position, until the next call.
  [[nodiscard]] virtual Status run(std::span<const Frame> frames, const WaitOptions& wait) = 0;
  /// Result `i` in a few words.
  [[nodiscard]] virtual std::string summary(std::size_t i) const = 0;
  /// Adds result `i` to its JSON line.
  virtual void add_json(std::size_t i, Json& line) const = 0;
  /// Draws result `i` over its picture.
  virtual void draw(std::size_t i, cv::Mat& bgr) const = 0;
  /// Between the name of a picture and its extension, where the annotated one is saved: "" or ".overlay".
  [[nodiscard]] virtual std::string_view saved_suffix() const { return ""; }
  /// Writes what belongs beside the annotated picture `saved`, e.g. a mask file, and names it in the JSON line.
  [[nodiscard]] virtual Status save_more(std::size_t /*i*/, const std::filesystem::path& /*saved*/, Json& /*line*/) {
    return {};
  }
};

struct FrameLoopOptions {
  std::vector<std::string> sources;  ///< words of the command line
  std::optional<std::string> save;   ///< a folder, or a file for a single source
  std::optional<std::string> json;   ///< a file, or "-"
  int batch = 1;
  bool skip_regions = false;  ///< region masks are no sources of their own
};

/// Adds SOURCE..., --save, --json and --batch.
void declare_frame_loop(CLI::App& app, FrameLoopOptions& options);

/// Makes the task, called once the sources have been found: a wrong path costs no compilation.
using MakeFrameTask = std::function<Result<std::unique_ptr<FrameTask>>()>;

/// Reads every source, runs the task over its frames in order, saves what is asked for, and reports the time of each stage.
///
/// When a source turns out to be bad or a stop is asked for, the results of the frames before it are kept: JSON lines, and
/// a video that ends there. When writing fails, the file in question is removed.
[[nodiscard]] Status run_frame_loop(const MakeFrameTask& make_task, const FrameLoopOptions& options,
                                    const Environment& environment, const Console& console);

}  // namespace tern
