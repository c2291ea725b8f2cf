// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "tern/config.h"
#include "tern/status.h"

namespace CLI {
class App;
}

namespace tern {

/// The flags of the runtime's configuration, shared by all commands that use engines. Each is one key of RuntimeConfig.
class RuntimeFlags {
 public:
  void declare(CLI::App& app);
  /// The configuration in force. ConfigError as RuntimeConfig::resolve().
  [[nodiscard]] Result<RuntimeConfig> resolve() const;

 private:
  std::optional<std::string> file_;
  std::map<std::string, std::string> given_;  ///< by key
};

}  // namespace tern
