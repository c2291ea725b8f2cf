// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

namespace tern {

/// The value below which a share `q` (0..1) of `samples` lies: the nearest rank, so always one that was measured. 0 for none.
[[nodiscard]] double percentile(std::vector<double> samples, double q);
[[nodiscard]] double mean(std::span<const double> samples);

/// Wall times of the stages that a frame passes, milliseconds.
class StageStats {
 public:
  struct Stage {
    std::string name;
    std::vector<double> samples;
  };
  void add(const std::string& stage, double ms);
  /// In the order in which they were first added.
  [[nodiscard]] const std::vector<Stage>& stages() const noexcept { return stages_; }
  /// A table: stage, mean, p50, p95.
  [[nodiscard]] std::string table() const;

 private:
  std::vector<Stage> stages_;
};

}  // namespace tern
