// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calibration_pictures.h"
#include "options.h"
#include "tern/calibration.h"

namespace tern {

/// MODEL, pictures and how to collect statistics, as `tern calib run` and `tern quantize` take them.
class CalibrationRequest {
 public:
  void declare(CLI::App& app, bool needs_pictures);

  [[nodiscard]] bool has_pictures() const noexcept { return !picture_options_.words.empty(); }
  /// The pictures as given.
  [[nodiscard]] std::string pictures_text() const;
  /// Model, contract, tensors and, `with_pictures`, these and the backend that runs them. Nothing is run yet.
  [[nodiscard]] Status resolve(const CommonOptions& common, bool with_pictures);
  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] const std::string& model_file() const noexcept { return model_file_; }
  [[nodiscard]] const Contract& contract() const { return *contract_; }
  [[nodiscard]] const std::vector<std::string>& tensors() const noexcept { return tensors_; }
  [[nodiscard]] CalibrationSource& pictures() const { return *pictures_; }
  [[nodiscard]] const std::string& dataset_hash() const noexcept { return dataset_hash_; }
  [[nodiscard]] Backend& backend() const { return *backend_; }
  [[nodiscard]] CollectOptions collect_options(const Environment& environment, const Console& console) const;

  /// Runs the model on the pictures.
  [[nodiscard]] Result<ActivationStatistics> collect(const Environment& environment, const Console& console) const;
  [[nodiscard]] Result<CalibrationPassport> passport(const ActivationStatistics& statistics,
                                                     const CalibrationOptions& options) const;

 private:
  std::string model_file_, collect_on_ = "auto";
  std::optional<std::string> partial_;
  int workers_ = 0;
  PictureOptions picture_options_;
  std::shared_ptr<Logger> logger_;
  std::optional<Model> model_;
  std::optional<Contract> contract_;
  std::vector<std::string> tensors_;
  std::unique_ptr<CalibrationSource> pictures_;
  std::string dataset_hash_;
  std::shared_ptr<Backend> backend_;
};

}  // namespace tern
