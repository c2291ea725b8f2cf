// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "gpu_flags.h"
#include "runtime_flags.h"
#include "tern/runtime.h"
#include "tern/task.h"

namespace CLI {
class Option;
}

namespace tern {

/// Options that subcommands share. Each group is declared on its own.
class CommonOptions {
 public:
  /// --log-level, --quiet.
  void declare_output(CLI::App& app);
  /// --backend, --precision, --threads, --hint, --calibration, --no-build, those of GpuFlags, and the flags of the runtime's configuration.
  void declare_engine(CLI::App& app);
  /// --contract, --set.
  void declare_contract(CLI::App& app);
  /// --score, --iou.
  void declare_thresholds(CLI::App& app);

  /// Whether the user gave the threshold, here or by --set.
  [[nodiscard]] bool has_score() const { return score_.has_value() || sets("output.score_threshold"); }
  [[nodiscard]] bool has_iou() const { return iou_.has_value() || sets("output.nms_iou"); }
  /// Whether the user gave the flag.
  [[nodiscard]] bool has_precision() const { return is_given(precision_option_); }
  [[nodiscard]] bool has_threads() const { return is_given(threads_option_); }
  [[nodiscard]] bool has_hint() const { return is_given(hint_option_); }

  /// ConfigError on a malformed or contradictory option.
  [[nodiscard]] Result<TaskOptions> task_options() const;
  [[nodiscard]] Result<Contract::Overrides> overrides() const;
  [[nodiscard]] Result<std::shared_ptr<Logger>> logger() const;
  /// A runtime with the configuration in force.
  [[nodiscard]] Result<std::shared_ptr<InferenceRuntime>> runtime() const;
  [[nodiscard]] const GpuFlags& gpu_flags() const noexcept { return gpu_flags_; }
  [[nodiscard]] const RuntimeFlags& runtime_flags() const noexcept { return runtime_flags_; }
  [[nodiscard]] const std::optional<std::string>& contract_file() const noexcept { return contract_file_; }
  [[nodiscard]] const std::string& backend() const noexcept { return backend_; }
  [[nodiscard]] int threads() const noexcept { return threads_; }
  [[nodiscard]] bool quiet() const noexcept { return quiet_; }

 private:
  [[nodiscard]] bool sets(std::string_view field) const;
  [[nodiscard]] static bool is_given(const CLI::Option* option);

  std::string backend_ = "auto", precision_ = "auto", hint_ = "latency", log_level_ = "warning";
  int threads_ = 0;
  bool quiet_ = false, no_build_ = false, in_process_ = false;
  GpuFlags gpu_flags_;
  RuntimeFlags runtime_flags_;
  const CLI::Option *precision_option_ = nullptr, *threads_option_ = nullptr, *hint_option_ = nullptr;
  std::optional<std::string> contract_file_, calibration_;
  std::vector<std::string> sets_;
  std::optional<double> score_, iou_;
};

/// Follows a compilation on the console's progress bar.
[[nodiscard]] Progress compile_progress(std::shared_ptr<ProgressBar> bar);

/// The console of a command: quiet as asked, its text on stderr where JSON goes to standard output.
[[nodiscard]] Console console_for(const Environment& environment, bool quiet, const std::optional<std::string>& json);

}  // namespace tern
