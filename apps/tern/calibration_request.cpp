// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "calibration_request.h"

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "tern/engine_name.h"

namespace tern {
namespace {

/// "auto": the best backend that runs on a CPU, so that a model gets the same ranges wherever it is calibrated.
Result<std::shared_ptr<Backend>> find_collector(const std::string& name, std::shared_ptr<Logger> logger) {
  const BackendRegistry registry = BackendRegistry::load(std::move(logger));
  if (name != "auto") return registry.find(name);
  const BackendRegistry::Entry* best = nullptr;
  for (const BackendRegistry::Entry& entry : registry.entries()) {
    if (entry.backend == nullptr || entry.score.score <= 0) continue;
    if (EngineName{"x", entry.backend->host_facts().target, false, Precision::kF32}.is_gpu()) continue;
    if (best == nullptr || entry.score.score > best->score.score) best = &entry;
  }
  if (best != nullptr) return best->backend;
  return Status(StatusCode::kBackendError, "no backend that runs on a CPU is here to collect statistics with")
      .with_hint("tern doctor says why; --collect-on NAME takes another one");
}

}  // namespace

void CalibrationRequest::declare(CLI::App& app, bool needs_pictures) {
  app.add_option("MODEL", model_file_, "ONNX file")->required();
  declare_pictures(app, picture_options_, needs_pictures);
  app.add_option("--workers", workers_, "Pictures run at the same time, a thread each; 0: all CPUs")
      ->capture_default_str()
      ->check(CLI::Range(0, 256))
      ->group("Calibration");
  app.add_option("--collect-on", collect_on_, "Backend that runs the float model; auto: the best one for a CPU")
      ->capture_default_str()
      ->group("Calibration");
  app.add_option("--partial", partial_, "Keep what was collected in this file; an interrupted run goes on from it")
      ->type_name("FILE")
      ->group("Calibration");
}

std::string CalibrationRequest::pictures_text() const {
  std::string text;
  for (const std::string& word : picture_options_.words)
    text += (text.empty() ? "" : " ") + word;
  return text;
}

Status CalibrationRequest::resolve(const CommonOptions& common, bool with_pictures) {
  TERN_ASSIGN_OR_RETURN(logger_, common.logger());
  TERN_ASSIGN_OR_RETURN(model_, Model::from_file(model_file_));
  TERN_ASSIGN_OR_RETURN(const Contract::Overrides overrides, common.overrides());
  TERN_ASSIGN_OR_RETURN(contract_, Contract::resolve(*model_, common.contract_file(), overrides));
  auto tensors = calibration_tensors(*model_);
  if (!tensors.ok()) return tensors.status().at(model_file_);
  tensors_ = std::move(*tensors);
  if (!with_pictures) return {};
  TERN_ASSIGN_OR_RETURN(pictures_, open_pictures(picture_options_, *contract_));
  TERN_ASSIGN_OR_RETURN(dataset_hash_, pictures_->hash());
  TERN_ASSIGN_OR_RETURN(backend_, find_collector(collect_on_, logger_));
  return {};
}

CollectOptions CalibrationRequest::collect_options(const Environment& environment, const Console& console) const {
  CollectOptions options;
  options.workers = workers_;
  if (partial_) options.partial_file = *partial_;
  options.progress = [bar = std::make_shared<ProgressBar>(console)](std::string_view phase, double fraction) {
    bar->update(fraction, "calibrating: " + std::string(phase));
    if (fraction >= 1) bar->clear();
  };
  options.stop = environment.stop;
  options.logger = logger_;
  return options;
}

Result<ActivationStatistics> CalibrationRequest::collect(const Environment& environment, const Console& console) const {
  auto statistics =
      collect_statistics(*model_, *contract_, tensors_, *pictures_, *backend_, collect_options(environment, console));
  if (!statistics.ok()) return statistics.status().at(model_file_);
  return statistics;
}

Result<CalibrationPassport> CalibrationRequest::passport(const ActivationStatistics& statistics,
                                                         const CalibrationOptions& options) const {
  return make_passport(*model_, *contract_, tensors_, dataset_hash_, *backend_, statistics, options);
}

}  // namespace tern
