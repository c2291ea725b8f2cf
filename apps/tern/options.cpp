// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "standard_error.h"
#include "text_output.h"

namespace tern {

void CommonOptions::declare_output(CLI::App& app) {
  app.add_option("--log-level", log_level_, "error, warning, info or debug")->capture_default_str()->group("Output");
  app.add_flag("-q,--quiet", quiet_, "Print errors only")->group("Output");
}

void CommonOptions::declare_engine(CLI::App& app) {
  app.add_option("--backend", backend_, "A backend that 'tern doctor' lists, or auto: the best one here")
      ->capture_default_str()
      ->group("Engine");
  precision_option_ = app.add_option("--precision", precision_, "auto, f32, f16, bf16, i8 or mixed")
                          ->capture_default_str()
                          ->group("Engine");
  threads_option_ =
      app.add_option("--threads", threads_, "CPU threads of an inference; 0: all that the process may use")
          ->capture_default_str()
          ->check(CLI::Range(0, 1024))
          ->group("Engine");
  hint_option_ = app.add_option("--hint", hint_, "What CPU backends aim at: latency or throughput")
                     ->capture_default_str()
                     ->check(CLI::IsMember({"latency", "throughput"}))
                     ->group("Engine");
  app.add_option("--calibration", calibration_,
                 "Ranges for i8 of a float model: its .calib.json or .calib_cache (default: those beside the model)")
      ->type_name("FILE")
      ->group("Engine");
  app.add_flag("--no-build", no_build_, "Fail where the store has no engine yet, instead of building one")
      ->group("Engine");
  app.add_flag("--in-process", in_process_, "Build in this process, not in one of its own")->group("Engine");
  gpu_flags_.declare(app);
  runtime_flags_.declare(app);
}

void CommonOptions::declare_contract(CLI::App& app) {
  app.add_option("--contract", contract_file_,
                 "Contract file (default: MODEL.tern.json beside the model, where it exists)")
      ->type_name("FILE")
      ->group("Contract");
  app.add_option("--set", sets_, "Override one contract field, e.g. --set input.color=bgr (repeatable)")
      ->type_name("FIELD=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group("Contract");
}

void CommonOptions::declare_thresholds(CLI::App& app) {
  app.add_option("--score", score_, "Keep results with a score above this (default: the contract's)")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("0..1")
      ->group("Contract");
  app.add_option("--iou", iou_, "NMS drops boxes that overlap a better one by more (default: the contract's)")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("0..1")
      ->group("Contract");
}

bool CommonOptions::is_given(const CLI::Option* option) {
  return option != nullptr && option->count() > 0;
}

bool CommonOptions::sets(std::string_view field) const {
  return std::ranges::any_of(sets_, [&](const std::string& text) {
    return text.size() > field.size() && text.starts_with(field) && text[field.size()] == '=';
  });
}

Result<std::shared_ptr<Logger>> CommonOptions::logger() const {
  TERN_ASSIGN_OR_RETURN(const LogLevel level, parse_log_level(log_level_));
  return patient_stderr_logger(quiet_ ? LogLevel::kError : level);
}

Result<Contract::Overrides> CommonOptions::overrides() const {
  Contract::Overrides overrides;
  const auto add = [&](std::string field, std::string value) {
    const auto [it, added] = overrides.emplace(std::move(field), std::move(value));
    return added ? Status() : make_error(StatusCode::kConfigError, "contract field '{}' is given twice", it->first);
  };
  for (const std::string& text : sets_) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return make_error(StatusCode::kConfigError, "--set {}: not of the form FIELD=VALUE", text)
          .with_hint("'tern inspect MODEL' lists the fields, e.g. --set input.color=bgr");
    }
    TERN_RETURN_IF_ERROR(add(text.substr(0, equals), text.substr(equals + 1)));
  }
  if (score_) TERN_RETURN_IF_ERROR(add("output.score_threshold", fmt::format("{}", *score_)));
  if (iou_) TERN_RETURN_IF_ERROR(add("output.nms_iou", fmt::format("{}", *iou_)));
  return overrides;
}

Result<TaskOptions> CommonOptions::task_options() const {
  TaskOptions options;
  options.backend = backend_;
  TERN_ASSIGN_OR_RETURN(options.precision, parse_precision(precision_));
  options.threads = threads_;
  options.hint = hint_ == "throughput" ? PerformanceHint::kThroughput : PerformanceHint::kLatency;
  TERN_RETURN_IF_ERROR(gpu_flags_.apply(options.build));
  if (calibration_) options.build.calibration = *calibration_;
  if (contract_file_) options.contract_file = *contract_file_;
  TERN_ASSIGN_OR_RETURN(options.overrides, overrides());
  TERN_ASSIGN_OR_RETURN(options.logger, logger());
  options.allow_build = !no_build_;
  options.isolation = in_process_ ? BuildConfig::Isolation::kInProcess : BuildConfig::Isolation::kProcess;
  TERN_ASSIGN_OR_RETURN(options.runtime, runtime());
  options.build_timeout = std::chrono::seconds(options.runtime->config().build_timeout_s);
  return options;
}

Result<std::shared_ptr<InferenceRuntime>> CommonOptions::runtime() const {
  RuntimeOptions options;
  TERN_ASSIGN_OR_RETURN(options.config, runtime_flags_.resolve());
  TERN_ASSIGN_OR_RETURN(options.logger, logger());
  TERN_ASSIGN_OR_RETURN(InferenceRuntime runtime, InferenceRuntime::create(std::move(options)));
  return std::make_shared<InferenceRuntime>(std::move(runtime));
}

Progress compile_progress(std::shared_ptr<ProgressBar> bar) {
  return [bar = std::move(bar)](std::string_view phase, double fraction) {
    bar->update(fraction, phase);
    if (fraction >= 1) bar->clear();
  };
}

Console console_for(const Environment& environment, bool quiet, const std::optional<std::string>& json) {
  Console console = environment.console;
  console.quiet = quiet;
  console.live = console.live && !quiet;
  if (json && TextOutput::is_stdout(*json)) console.out = stderr;
  return console;
}

}  // namespace tern
