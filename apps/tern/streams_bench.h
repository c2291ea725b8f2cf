// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "command.h"
#include "streams.h"
#include "tern/task.h"

namespace tern {

/// `tern bench PIPELINE.yaml --streams N|auto`: how many cameras the models of a pipeline serve on this machine.
class StreamsBench {
 public:
  /// --streams, --rate, --deadline-ms, --target, --executors, --thread-per-camera.
  void declare(CLI::App& app);
  [[nodiscard]] bool is_asked_for() const noexcept { return !streams_.empty(); }

  struct Request {
    std::string pipeline{};               ///< the file
    std::optional<std::string> source{};  ///< an image or video to show; null: noise
    double seconds = 5;                   ///< that each number of streams is measured for
    TaskOptions task{};
    std::optional<std::string> json{};
  };
  /// ConfigError for a wrong number; else as the pipeline says.
  [[nodiscard]] Status run(const Request& request, const Environment& environment, const Console& console) const;

 private:
  std::string streams_;
  double rate_hz_ = 30, target_ = 0.999;
  std::optional<double> deadline_ms_;
  int executors_ = 1;
  bool is_thread_per_camera_ = false;
};

}  // namespace tern
