// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "tern/engine.h"

namespace tern::trt_backend {

/// Turns the builder's nested phases into one fraction that never falls, and ends the build when a stop is asked for.
///
/// A phase counts as much of its parent as one of the parent's steps. Calls come from any of the builder's threads.
class ProgressMonitor final : public nvinfer1::IProgressMonitor {
 public:
  /// Reports fractions from `from` to `to`. Both references must outlive the monitor.
  ProgressMonitor(const Progress& progress, const std::stop_token& stop, double from, double to)
      : progress_(progress), stop_(stop), from_(from), to_(to), reached_(from) {}

  void phaseStart(const char* name, const char* parent, std::int32_t steps) noexcept override;
  bool stepComplete(const char* name, std::int32_t step) noexcept override;
  void phaseFinish(const char* name) noexcept override;

 private:
  struct Phase {
    std::string name, parent;
    double steps, done;
  };
  [[nodiscard]] double fraction_of(const Phase& phase, int depth) const;
  void report(std::string_view name);

  const Progress& progress_;
  const std::stop_token& stop_;
  double from_, to_, reached_;
  std::mutex mutex_;
  std::vector<Phase> phases_;
};

}  // namespace tern::trt_backend
