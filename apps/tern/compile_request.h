// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "options.h"

namespace tern {

/// MODEL and how to build it, as `tern compile` and `tern cache why` take it.
class CompileRequest {
 public:
  void declare(CLI::App& app);

  /// Model, contract (none for a model that has none: the tensors are then used raw) and config; the flags win over the config file.
  [[nodiscard]] Status resolve();
  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] const Contract* contract() const { return contract_ ? &*contract_ : nullptr; }
  [[nodiscard]] const BuildConfig& config() const noexcept { return config_; }
  [[nodiscard]] const std::string& model_file() const noexcept { return model_file_; }
  [[nodiscard]] const TaskOptions& options() const noexcept { return options_; }
  [[nodiscard]] CommonOptions& common() noexcept { return common_; }

 private:
  void declare_gpu(CLI::App& app);
  [[nodiscard]] Status apply_flags();
  [[nodiscard]] Status apply_gpu_flags();

  std::string model_file_;
  std::optional<std::string> config_file_, workspace_, timing_cache_;
  std::optional<int> batch_, timeout_, optimization_level_, aux_streams_, dla_core_;
  std::optional<std::string> hardware_;
  bool tf32_ = false, version_compatible_ = false;
  std::vector<std::string> profiles_;
  CommonOptions common_;
  TaskOptions options_;
  std::optional<Model> model_;
  std::optional<Contract> contract_;
  BuildConfig config_;
};

}  // namespace tern
