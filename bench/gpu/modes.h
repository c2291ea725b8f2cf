// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace tern::bench {

using Clock = std::chrono::steady_clock;

inline double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

inline double percentile(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return percentile(values, 0.5);
}

/// Something that is timed beside others.
struct Mode {
  std::string name;
  std::function<void()> run;
  std::vector<double> times{};    ///< milliseconds; sorted by run_in_turns()
  std::vector<double> medians{};  ///< of each round
};

/// Runs each mode `runs` times, in turns, `rounds` times. One round more comes first and warms up.
inline void run_in_turns(std::vector<Mode>& modes, int rounds, int runs) {
  for (int round = 0; round <= rounds; ++round) {
    for (Mode& mode : modes) {
      std::vector<double> times;
      for (int run = 0; run < runs; ++run) {
        const auto start = Clock::now();
        mode.run();
        times.push_back(milliseconds_since(start));
      }
      if (round == 0) continue;
      mode.times.insert(mode.times.end(), times.begin(), times.end());
      mode.medians.push_back(median(std::move(times)));
    }
  }
  for (Mode& mode : modes)
    std::ranges::sort(mode.times);
}

}  // namespace tern::bench
