// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "tern/pipeline_latency.h"

namespace tern {

/// Measures how many items a second come for each model, and derives the smallest batches with which the executors keep up.
/// No allocation after the constructor.
class LoadMeter {
 public:
  /// The part of the executors' time that may be planned for; the rest absorbs bursts.
  static constexpr double kHeadroom = 0.85;
  static constexpr double kFull = 0.97;
  static constexpr Nanoseconds kPeriod = std::chrono::milliseconds(50);  // between two updates
  static constexpr Nanoseconds kMemory = std::chrono::seconds(1);        // time constant of the rates

  LoadMeter(std::size_t models, int executors) : models_(models), executors_(executors) {}

  void count(std::size_t model, int items) noexcept { models_[model].arrived += items; }
  /// Renews the targets where kPeriod has passed. `curves` and `max_batches`: one of each model, in their order.
  void update(Nanoseconds now, const std::vector<LatencyCurve>& curves, const std::vector<int>& max_batches) noexcept;
  [[nodiscard]] int target(std::size_t model) const noexcept { return models_[model].target; }
  /// Not even with the batches in which an item costs least do the executors keep up with what comes.
  [[nodiscard]] bool is_overloaded() const noexcept { return is_overloaded_; }
  /// Items a second.
  [[nodiscard]] double rate(std::size_t model) const noexcept { return models_[model].rate; }

 private:
  struct Model {
    std::int64_t arrived = 0;
    double rate = 0;
    int target = 1;
  };
  void choose_targets(const std::vector<LatencyCurve>& curves, const std::vector<int>& max_batches) noexcept;

  std::vector<Model> models_;
  int executors_;
  Nanoseconds last_{};
  bool has_last_ = false, is_overloaded_ = false;
};

}  // namespace tern
