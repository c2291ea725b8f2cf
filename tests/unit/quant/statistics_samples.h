// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tern/quant.h"

namespace tern::test {

/// Frames of values as layers give them: some tensors with both signs, some with many zeros, one with only zeros.
using Frames = std::vector<std::vector<std::vector<float>>>;

inline std::string tensor_name(std::size_t index) {
  return "tensor:" + std::to_string(index);
}

inline Frames random_frames(std::mt19937_64& random, std::size_t frames, std::size_t tensors) {
  std::normal_distribution<float> normal;
  Frames all(frames);
  for (auto& frame : all) {
    frame.resize(tensors);
    for (std::size_t t = 0; t < tensors; ++t) {
      frame[t].resize(random() % 300);
      for (float& x : frame[t])
        x = t == 0              ? -0.0F
            : random() % 3 == 0 ? 0.0F
                                : normal(random) * static_cast<float>(t) * (random() % 2 ? 1.0F : -1.0F);
    }
  }
  return all;
}

/// The statistics of frames, one pass after the other, by one worker.
inline ActivationStatistics statistics_of(const Frames& frames) {
  ActivationStatistics statistics;
  for (const auto& frame : frames)
    for (std::size_t t = 0; t < frame.size(); ++t)
      EXPECT_TRUE(statistics.observe_range(tensor_name(t), frame[t].data(), frame[t].size()).ok());
  statistics.begin_histograms();
  for (const auto& frame : frames) {
    ++statistics.frames;
    for (std::size_t t = 0; t < frame.size(); ++t)
      EXPECT_TRUE(statistics.observe_histogram(tensor_name(t), frame[t].data(), frame[t].size()).ok());
  }
  return statistics;
}

}  // namespace tern::test
