// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "stage_stats.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include <fmt/format.h>

#include "console.h"

namespace tern {

double percentile(std::vector<double> samples, double q) {
  if (samples.empty()) return 0;
  const double rank = std::ceil(q * static_cast<double>(samples.size()));
  const auto index = static_cast<std::ptrdiff_t>(std::clamp(rank, 1.0, static_cast<double>(samples.size()))) - 1;
  std::nth_element(samples.begin(), samples.begin() + index, samples.end());
  return samples[static_cast<std::size_t>(index)];
}

double mean(std::span<const double> samples) {
  if (samples.empty()) return 0;
  return std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
}

void StageStats::add(const std::string& stage, double ms) {
  const auto found = std::ranges::find(stages_, stage, &Stage::name);
  if (found != stages_.end()) {
    found->samples.push_back(ms);
  } else {
    stages_.push_back({stage, {ms}});
  }
}

std::string StageStats::table() const {
  std::vector<std::vector<std::string>> rows{{"stage", "mean ms", "p50 ms", "p95 ms"}};
  for (const Stage& stage : stages_) {
    rows.push_back({stage.name, fmt::format("{:.2f}", mean(stage.samples)),
                    fmt::format("{:.2f}", percentile(stage.samples, 0.5)),
                    fmt::format("{:.2f}", percentile(stage.samples, 0.95))});
  }
  return format_table(rows);
}

}  // namespace tern
