// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "command.h"
#include "tern/calibration.h"
#include "tern/task.h"

namespace tern {

/// One picture, with the results of two models drawn on it.
struct ComparedPicture {
  std::string name;
  double difference = 0;  ///< 0: the same results, 1: nothing in common
  cv::Mat first, second;  ///< BGR
};

/// Two models on the same pictures, in turns.
struct Comparison {
  std::size_t pictures = 0;
  double mean_difference = 0;
  double first_ms = 0, second_ms = 0;     ///< median time of an inference
  std::string first_ran{}, second_ran{};  ///< backend and precision: "openvino f32"
  std::vector<ComparedPicture> worst{};   ///< the most different first
};

/// Runs two models of one contract on the pictures. Detections differ by 1 - F1 of boxes of one class matched at IoU 0.5, the
/// first model's taken for the truth; masks by 1 - the mean IoU of the classes in either; classes by half the sum of |p - q|.
[[nodiscard]] Result<Comparison> compare_models(const std::filesystem::path& first, const std::filesystem::path& second,
                                                const Contract& contract, const TaskOptions& first_options,
                                                const TaskOptions& second_options, CalibrationSource& pictures,
                                                std::size_t keep_worst, const Environment& environment,
                                                const Console& console);

// The differences, in 0..1.
[[nodiscard]] double difference_of(std::span<const Detection> truth, std::span<const Detection> found);
[[nodiscard]] double difference_of(const Segmentation& truth, const Segmentation& found);
[[nodiscard]] double difference_of(const Classification& truth, const Classification& found);

}  // namespace tern
