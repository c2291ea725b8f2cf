// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "tern/task.h"

namespace tern {

/// A model to score on a labelled folder.
struct EvalRequest {
  std::filesystem::path model;
  std::filesystem::path data;
  TaskOptions options;
  bool keeps_score = false;  ///< the user gave --score: else detectors use the benchmark's 0.001
  bool keeps_iou = false;    ///< likewise --iou, else 0.65
};

/// Scores of one task, ready to be shown.
struct EvalReport {
  std::string metric;                                 ///< "AP", "mIoU", "top-1"
  std::optional<double> score;                        ///< 0..1; absent where there is nothing to score
  std::string json;                                   ///< of the evaluator
  std::string headline;                               ///< "AP 91.9%, AP50 99.9%, AP75 98.2%"
  std::vector<std::vector<std::string>> per_class{};  ///< a table with its heading
  std::size_t images = 0;
  std::string backend{}, engine{}, precision{};  ///< what ran
};

/// "91.9%", or "-".
[[nodiscard]] std::string percent(const std::optional<double>& score);

/// Runs the model of `request`, whose contract is `contract`, over all labelled images, under a progress bar.
[[nodiscard]] Result<EvalReport> evaluate(const EvalRequest& request, const Contract& contract,
                                          const Environment& environment, const Console& console);

}  // namespace tern
