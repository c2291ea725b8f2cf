// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tern/config.h"

namespace tern {

/// One row of the table of settings: all that reading, checking and printing a key needs.
struct ConfigKey {
  struct Path {
    std::filesystem::path RuntimeConfig::*field;
    bool may_be_empty;
  };
  struct Bytes {
    std::uint64_t RuntimeConfig::*field;
    bool may_be_zero;
  };
  struct Seconds {
    std::uint64_t RuntimeConfig::*field;
    std::uint64_t max;
  };
  using Field = std::variant<Path, Bytes, Seconds, GoldenPolicy RuntimeConfig::*, FallbackPolicy RuntimeConfig::*>;

  std::string_view name;
  std::string_view flag;  ///< of the program; empty where it has none
  Field field;

  /// TERN_STORE_PATH for store.path.
  [[nodiscard]] std::string variable() const;
  /// The words a policy may be; empty for other kinds.
  [[nodiscard]] std::vector<std::string_view> words() const;
  /// Sets the field. Relative paths are taken from `folder` ("" : the working folder), "~/" from `home`.
  [[nodiscard]] Status set(RuntimeConfig& config, const std::string& text, const std::filesystem::path& folder,
                           const std::filesystem::path& home) const;
  /// The field as text that set() takes again.
  [[nodiscard]] std::string text(const RuntimeConfig& config) const;
};

/// All settings, in the order of RuntimeConfig.
[[nodiscard]] std::span<const ConfigKey> config_keys();

/// Keys and values of a configuration file, values as text. ConfigError on an unknown key or a wrong type; values are not
/// checked further.
[[nodiscard]] Result<std::map<std::string, std::string>> read_config_json(std::string_view json);

/// ConfigError where a variable that begins with TERN_ is no key but looks like a misspelled one.
[[nodiscard]] Status check_variable_names(std::span<const std::string> variables);

}  // namespace tern
