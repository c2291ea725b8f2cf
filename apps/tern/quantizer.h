// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "calibration_request.h"
#include "quantize_report.h"

namespace tern {

/// The score that the quantised model must keep.
struct Floor {
  double value = 0;          ///< 0..1, or a change of the float model's score
  bool is_relative = false;  ///< "-0.5pt": so many percentage points below the float model

  /// "-0.5pt" or "91.5%". ConfigError otherwise.
  [[nodiscard]] static Result<Floor> parse(std::string_view text);
  [[nodiscard]] double of(double float_score) const noexcept { return is_relative ? float_score + value : value; }
};

/// What `tern quantize` was asked for, beyond what to calibrate.
struct QuantizeRequest {
  std::string method = "auto";
  double percentile = CalibrationOptions{}.percentile;
  std::optional<std::filesystem::path> calibration{};  ///< use these ranges, run no pictures
  QuantizeOptions options{};
  std::optional<std::filesystem::path> data{};  ///< labelled
  std::optional<Floor> floor{};
  std::size_t max_evaluations = 40;
  bool wants_report = false;
};

/// A model that was quantised and, where there were means, measured.
struct Quantised {
  Model model;
  std::optional<CalibrationPassport> passport{};  ///< none where older ranges were used
  QuantizeReport report{};
  bool holds_floor = true;
};

/// Quantises with each of the methods asked for, keeps the best by the labelled data (else by how little its results differ from
/// the float model's), and leaves layers float until the floor holds. `task` says how models are measured.
[[nodiscard]] Result<Quantised> quantise(const CalibrationRequest& calibration, const QuantizeRequest& request,
                                         const TaskOptions& task, const Environment& environment,
                                         const Console& console);

}  // namespace tern
