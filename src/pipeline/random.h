// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

namespace tern {

/// splitmix64 and what a simulation draws from it. std::'s distributions differ between libraries; these do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  /// [0, 1).
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// Mean 0, standard deviation 1, within -6 and 6: twelve uniforms, which need no functions of a mathematical library.
  double normal() noexcept {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += uniform();
    return sum;
  }
  /// `exp_minus_mean`: exp(-mean), of a mean up to 100.
  int poisson(double exp_minus_mean) noexcept {
    int count = 0;
    for (double product = uniform(); product > exp_minus_mean; product *= uniform())
      ++count;
    return count;
  }

 private:
  std::uint64_t state_;
};

}  // namespace tern
