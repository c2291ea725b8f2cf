// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "progress.h"

#include <algorithm>

namespace tern::trt_backend {

double ProgressMonitor::fraction_of(const Phase& phase, int depth) const {
  constexpr int kMaxDepth = 16;
  double done = phase.done;
  for (const Phase& inner : phases_) {
    if (depth < kMaxDepth && inner.parent == phase.name && inner.name != phase.name)
      done += fraction_of(inner, depth + 1);
  }
  return std::min(1.0, done / phase.steps);
}

void ProgressMonitor::report(std::string_view name) {
  const auto root = std::ranges::find_if(phases_, [](const Phase& p) { return p.parent.empty(); });
  if (root != phases_.end()) reached_ = std::max(reached_, from_ + (to_ - from_) * fraction_of(*root, 0));
  if (progress_) progress_(name, reached_);
}

void ProgressMonitor::phaseStart(const char* name, const char* parent, std::int32_t steps) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    phases_.push_back({name != nullptr ? name : "", parent != nullptr ? parent : "", std::max(1.0, 1.0 * steps), 0.0});
    report(phases_.back().name);
  } catch (...) {  // NOLINT(bugprone-empty-catch): a progress bar is no reason to end a build
  }
}

bool ProgressMonitor::stepComplete(const char* name, std::int32_t step) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    const auto phase = std::ranges::find(phases_, std::string_view(name != nullptr ? name : ""), &Phase::name);
    if (phase != phases_.end()) {
      phase->done = std::max(phase->done, 1.0 + step);
      report(phase->name);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): as above
  }
  return !stop_.stop_requested();
}

void ProgressMonitor::phaseFinish(const char* name) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    std::erase_if(phases_, [&](const Phase& p) { return p.name == (name != nullptr ? name : ""); });
  } catch (...) {  // NOLINT(bugprone-empty-catch): as above
  }
}

}  // namespace tern::trt_backend
