// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"

namespace tern {

/// When an engine is checked against its golden frames on loading.
enum class GoldenPolicy : std::uint8_t {
  kAlways,
  kFirstLoad,  ///< once per engine, device and driver; remembered in the state folder
  kNever,
};
/// What happens when the backend that was asked for cannot serve.
enum class FallbackPolicy : std::uint8_t {
  kNever,
  kAtLoad,   ///< another backend may be used when the model is opened
  kOnFault,  ///< also later, when an inference fails
};

/// Settings of the runtime. Each key comes, strongest first, from a flag, the environment (TERN_ and the key in capitals, dots
/// as underscores: TERN_STORE_PATH; an empty variable counts as none), the configuration file, or its default. Paths become
/// absolute: those of the file are relative to its folder, the others to the working folder, and "~/" is the home folder.
/// docs/configuration.md tells of every key.
struct TERN_API RuntimeConfig {
  std::filesystem::path store_path;   ///< store.path; default $XDG_CACHE_HOME/tern/engines, else ~/.cache/tern/engines
  std::uint64_t store_max_bytes = 0;  ///< store.max_bytes; 0: no limit
  std::filesystem::path state_path;   ///< state.path; default $XDG_STATE_HOME/tern, else ~/.local/state/tern
  std::uint64_t gpu_memory_budget_bytes = std::uint64_t{4} << 30;   ///< > 0
  std::uint64_t host_memory_budget_bytes = std::uint64_t{4} << 30;  ///< for engines that run on the CPU; > 0
  std::uint64_t engine_memory_limit_bytes = 0;                      ///< of a single engine; 0: none
  std::uint64_t build_timeout_s = 600;                              ///< > 0
  std::uint64_t build_memory_limit_bytes = 0;                       ///< address space a build may take; 0: no limit
  GoldenPolicy golden_policy = GoldenPolicy::kFirstLoad;            ///< golden.policy: always, first_load, never
  FallbackPolicy fallback_policy = FallbackPolicy::kNever;          ///< fallback.policy: never, at_load, on_fault
  std::filesystem::path trust_keys;  ///< trust.keys: folder of *.pub; empty: signatures are not asked for
  std::filesystem::path sign_key;    ///< sign.key: private key that signs engines built here; empty: none

  struct Origin {
    enum class Source : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };
    Source source = Source::kDefault;
    std::string detail;  ///< the file, the variable, the flag
  };
  std::map<std::string, Origin> origins;  ///< by key

  using Environment = std::function<std::optional<std::string>(const std::string& variable)>;
  /// Flags by key ("golden.policy" -> "always").
  using Flags = std::map<std::string, std::string>;

  /// `file`: given must exist; else $XDG_CONFIG_HOME/tern/config.json (~/.config/tern/config.json) where it exists.
  /// `environment`: null reads the process's own. ConfigError names key, value and where it came from; unknown keys of the file
  /// and, in the process's own environment, TERN_ variables that look like misspelled keys are errors. So is a path without a
  /// value where HOME is missing.
  [[nodiscard]] static Result<RuntimeConfig> resolve(const std::optional<std::filesystem::path>& file = {},
                                                     const Flags& flags = {}, const Environment& environment = {});
  /// Key, value as text, origin; in the order above.
  struct Row {
    std::string key, value, origin;
  };
  [[nodiscard]] std::vector<Row> rows() const;
};

[[nodiscard]] TERN_API std::string_view to_string(GoldenPolicy v) noexcept;
[[nodiscard]] TERN_API std::string_view to_string(FallbackPolicy v) noexcept;

}  // namespace tern
