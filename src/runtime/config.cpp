// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/config.h"

#include <cstdlib>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "model/text.h"
#include "runtime/config_keys.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using Source = RuntimeConfig::Origin::Source;

constexpr std::uint64_t kMaxFileBytes = 1 << 20;

std::optional<std::string> process_variable(const std::string& name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): settings are read before threads change the environment
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::vector<std::string> process_variable_names() {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

/// Puts a configuration together, weakest source first.
class Resolver {
 public:
  explicit Resolver(const RuntimeConfig::Environment& environment)
      : lookup_(environment ? environment : process_variable), home_(variable("HOME")) {}

  Status take_defaults() {
    TERN_RETURN_IF_ERROR(take_default_folder("store.path", "XDG_CACHE_HOME", ".cache", "tern/engines"));
    return take_default_folder("state.path", "XDG_STATE_HOME", ".local/state", "tern");
  }
  Status take_file(const std::optional<fs::path>& given);
  Status take_environment();
  Status take_flags(const RuntimeConfig::Flags& flags);

  RuntimeConfig config;

 private:
  /// An empty variable is as good as none.
  [[nodiscard]] std::string variable(const std::string& name) const { return lookup_(name).value_or(""); }
  /// A folder for the user's files. Relative paths are to be ignored, says the XDG base directory specification.
  [[nodiscard]] fs::path user_folder(const std::string& xdg, const fs::path& below_home) const {
    if (const fs::path folder = variable(xdg); folder.is_absolute()) return folder;
    return home_.is_absolute() ? home_ / below_home : fs::path();
  }
  Status take_default_folder(const std::string& key, const std::string& xdg, const fs::path& below_home,
                             const fs::path& name);
  Status set(const ConfigKey& key, const std::string& text, RuntimeConfig::Origin origin, const fs::path& folder = {});

  RuntimeConfig::Environment lookup_;
  fs::path home_;
};

const ConfigKey* find_key(std::string_view name) {
  for (const ConfigKey& key : config_keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

Status Resolver::set(const ConfigKey& key, const std::string& text, RuntimeConfig::Origin origin,
                     const fs::path& folder) {
  const Status status = key.set(config, text, folder, home_);
  if (!status.ok()) return status.at(key.name).at(origin.detail);
  config.origins[std::string(key.name)] = std::move(origin);
  return {};
}

Status Resolver::take_default_folder(const std::string& key, const std::string& xdg, const fs::path& below_home,
                                     const fs::path& name) {
  if (config.origins.contains(key)) return {};
  const fs::path folder = user_folder(xdg, below_home);
  const ConfigKey& row = *find_key(key);
  if (folder.empty()) {
    return make_error(StatusCode::kConfigError, "has no default: neither {} nor HOME is an absolute path", xdg)
        .at(key)
        .with_hint(fmt::format("set {} in the configuration file, or {}", key, row.variable()));
  }
  return set(row, (folder / name).string(), {Source::kDefault, ""});
}

Status Resolver::take_file(const std::optional<fs::path>& given) {
  fs::path file;
  if (given) {
    file = *given;
  } else {
    const fs::path folder = user_folder("XDG_CONFIG_HOME", ".config");
    if (folder.empty()) return {};
    file = folder / "tern" / "config.json";
    std::error_code error;
    const auto type = fs::status(file, error).type();
    if (type == fs::file_type::not_found) return {};  // any other failure is told by the reading below
  }
  const auto text = read_text_file(file, kMaxFileBytes);
  if (!text.ok()) return text.status();
  const auto values = read_config_json(*text);
  if (!values.ok()) return values.status().at(file.string());
  std::error_code error;
  const fs::path folder = fs::absolute(file, error).parent_path();
  for (const ConfigKey& key : config_keys()) {
    const auto value = values->find(std::string(key.name));
    if (value == values->end()) continue;
    TERN_RETURN_IF_ERROR(set(key, value->second, {Source::kFile, file.string()}, folder));
  }
  return {};
}

Status Resolver::take_environment() {
  for (const ConfigKey& key : config_keys()) {
    const std::string name = key.variable(), value = variable(name);
    if (!value.empty()) TERN_RETURN_IF_ERROR(set(key, value, {Source::kEnvironment, name}));
  }
  return {};
}

Status Resolver::take_flags(const RuntimeConfig::Flags& flags) {
  for (const auto& [name, value] : flags) {
    const ConfigKey* key = find_key(name);
    if (key == nullptr) {
      std::vector<std::string_view> known;
      for (const ConfigKey& row : config_keys())
        known.push_back(row.name);
      return Status(StatusCode::kConfigError, "no setting has this name")
          .at(in_quotes(name))
          .with_hint(suggest(name, known));
    }
    TERN_RETURN_IF_ERROR(set(*key, value, {Source::kFlag, std::string(key->flag.empty() ? key->name : key->flag)}));
  }
  return {};
}

}  // namespace

Result<RuntimeConfig> RuntimeConfig::resolve(const std::optional<fs::path>& file, const Flags& flags,
                                             const Environment& environment) {
  if (!environment) TERN_RETURN_IF_ERROR(check_variable_names(process_variable_names()));
  Resolver resolver(environment);
  TERN_RETURN_IF_ERROR(resolver.take_file(file));
  TERN_RETURN_IF_ERROR(resolver.take_environment());
  TERN_RETURN_IF_ERROR(resolver.take_flags(flags));
  TERN_RETURN_IF_ERROR(resolver.take_defaults());
  return std::move(resolver.config);
}

std::vector<RuntimeConfig::Row> RuntimeConfig::rows() const {
  std::vector<Row> rows;
  for (const ConfigKey& key : config_keys()) {
    std::string origin = "default";
    if (const auto it = origins.find(std::string(key.name)); it != origins.end()) {
      switch (it->second.source) {
        case Source::kDefault:
          break;
        case Source::kFile:
          origin = "file " + it->second.detail;
          break;
        case Source::kEnvironment:
          origin = "environment " + it->second.detail;
          break;
        case Source::kFlag:
          origin = "flag " + it->second.detail;
          break;
      }
    }
    rows.push_back({std::string(key.name), key.text(*this), origin});
  }
  return rows;
}

}  // namespace tern
