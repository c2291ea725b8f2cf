// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/load_meter.h"

#include <algorithm>
#include <utility>

namespace tern {
namespace {

double seconds(Nanoseconds time) noexcept {
  return std::chrono::duration<double>(time).count();
}

/// Executor time for one item in batches of this size.
double cost(const LatencyCurve& curve, int batch) noexcept {
  return seconds(curve.expected(batch)) / batch;
}

/// The next larger batch in which an item costs less; 0: none.
int next_cheaper(const LatencyCurve& curve, int batch, int most) noexcept {
  const double now = cost(curve, batch);
  for (int larger = batch + 1; larger <= most; ++larger) {
    if (cost(curve, larger) < now) return larger;
  }
  return 0;
}

}  // namespace

void LoadMeter::update(Nanoseconds now, const std::vector<LatencyCurve>& curves,
                       const std::vector<int>& max_batches) noexcept {
  if (!has_last_) {
    last_ = now;
    has_last_ = true;
  }
  if (now - last_ < kPeriod) return;
  const double passed = seconds(now - last_), weight = passed / (passed + seconds(kMemory));
  last_ = now;
  for (Model& model : models_) {
    const double rate = static_cast<double>(std::exchange(model.arrived, 0)) / passed;
    model.rate += (rate - model.rate) * weight;
  }
  choose_targets(curves, max_batches);
}

void LoadMeter::choose_targets(const std::vector<LatencyCurve>& curves, const std::vector<int>& max_batches) noexcept {
  double busy = 0;
  for (std::size_t i = 0; i < models_.size(); ++i) {
    models_[i].target = 1;
    busy += models_[i].rate * cost(curves[i], 1);
  }
  // Each turn makes one model's batches larger: the one that saves most time by it.
  while (busy > kHeadroom * executors_) {
    double most_saved = 0;
    std::size_t best = 0;
    int best_batch = 0;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      const int larger = next_cheaper(curves[i], models_[i].target, max_batches[i]);
      if (larger == 0) continue;
      const double saved = models_[i].rate * (cost(curves[i], models_[i].target) - cost(curves[i], larger));
      if (saved > most_saved) {
        most_saved = saved;
        best = i;
        best_batch = larger;
      }
    }
    if (best_batch == 0) break;
    models_[best].target = best_batch;
    busy -= most_saved;
  }
  is_overloaded_ = busy > kFull * executors_;
}

}  // namespace tern
