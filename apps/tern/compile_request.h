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
  [[nodiscard]] Status apply_flags();

  std::string model_file_;
  std::optional<std::string> config_file_;
  std::optional<int> batch_, timeout_;
  std::vector<std::string> profiles_;
  CommonOptions common_;
  TaskOptions options_;
  std::optional<Model> model_;
  std::optional<Contract> contract_;
  BuildConfig config_;
};

}  // namespace tern
