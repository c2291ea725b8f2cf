// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/config_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

#include "base/byte_size.h"
#include "base/error.h"
#include "model/json_object.h"
#include "model/strict_json.h"
#include "model/text.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t kMaxTimeout = 7 * 24 * 3600;  // as in a build configuration
constexpr std::string_view kPrefix = "TERN_";
// Read elsewhere, so no misspelled settings.
constexpr std::array<std::string_view, 2> kOtherVariables{"TERN_PLUGIN_PATH", "TERN_BUILD_WORKER"};

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

constexpr std::array kGoldenPolicies{GoldenPolicy::kAlways, GoldenPolicy::kFirstLoad, GoldenPolicy::kNever};
constexpr std::array kFallbackPolicies{FallbackPolicy::kNever, FallbackPolicy::kAtLoad, FallbackPolicy::kOnFault};

const std::array<ConfigKey, 12>& table() {
  using C = RuntimeConfig;
  static const std::array<ConfigKey, 12> kRows{{
      {"store.path", "--store", ConfigKey::Path{&C::store_path, false}},
      {"store.max_bytes", "", ConfigKey::Bytes{&C::store_max_bytes, true}},
      {"state.path", "", ConfigKey::Path{&C::state_path, false}},
      {"gpu_memory_budget_bytes", "--gpu-memory-budget", ConfigKey::Bytes{&C::gpu_memory_budget_bytes, false}},
      {"host_memory_budget_bytes", "--host-memory-budget", ConfigKey::Bytes{&C::host_memory_budget_bytes, false}},
      {"engine_memory_limit_bytes", "", ConfigKey::Bytes{&C::engine_memory_limit_bytes, true}},
      {"build_timeout_s", "--build-timeout", ConfigKey::Seconds{&C::build_timeout_s, kMaxTimeout}},
      {"build_memory_limit_bytes", "", ConfigKey::Bytes{&C::build_memory_limit_bytes, true}},
      {"golden.policy", "--golden-policy", &C::golden_policy},
      {"fallback.policy", "--fallback", &C::fallback_policy},
      {"trust.keys", "--trust-keys", ConfigKey::Path{&C::trust_keys, true}},
      {"sign.key", "--sign", ConfigKey::Path{&C::sign_key, true}},
  }};
  return kRows;
}

template <typename E, std::size_t N>
Status set_word(E& out, const std::string& text, const std::array<E, N>& values) {
  std::string known;
  for (const E value : values) {
    if (text == to_string(value)) {
      out = value;
      return {};
    }
    known += (known.empty() ? "" : value == values.back() ? " or " : ", ") + std::string(to_string(value));
  }
  return make_error(StatusCode::kConfigError, "is {}; it must be {}", in_quotes(text), known);
}

Status set_bytes(const ConfigKey::Bytes& bytes, RuntimeConfig& config, const std::string& text) {
  const auto number = parse_byte_size(text);
  if (!number.ok()) {
    return make_error(StatusCode::kConfigError, "is {}; it must be a number of bytes", in_quotes(text))
        .with_hint(number.status().hint());
  }
  if (*number == 0 && !bytes.may_be_zero)
    return make_error(StatusCode::kConfigError, "is {}; it must be more than 0", in_quotes(text));
  config.*bytes.field = *number;
  return {};
}

Status set_seconds(const ConfigKey::Seconds& seconds, RuntimeConfig& config, const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0 || number > seconds.max) {
    return make_error(StatusCode::kConfigError, "is {}; it must be a whole number of seconds, 1 to {}", in_quotes(text),
                      seconds.max);
  }
  config.*seconds.field = number;
  return {};
}

Status set_path(const ConfigKey::Path& path, RuntimeConfig& config, const std::string& text, const fs::path& folder,
                const fs::path& home) {
  if (text.empty() && !path.may_be_empty) return Status(StatusCode::kConfigError, "is ''; it must name a folder");
  if (has_control_character(text)) {
    return make_error(StatusCode::kConfigError, "is {}; it must be a path without control characters", in_quotes(text));
  }
  fs::path value = text;
  if (text == "~" || text.starts_with("~/")) {
    if (!home.is_absolute()) {
      return make_error(StatusCode::kConfigError, "is {}, but HOME is not an absolute path", in_quotes(text))
          .with_hint("write the path out");
    }
    value = text == "~" ? home : home / text.substr(2);
  }
  if (!value.empty()) {
    // Made absolute here, so that a later change of the working folder changes no setting.
    std::error_code error;
    value = fs::absolute(folder / value, error).lexically_normal();
    if (error) {
      return make_error(StatusCode::kConfigError, "is {}, but there is no working folder: {}", in_quotes(text),
                        error.message());
    }
  }
  config.*path.field = value;
  return {};
}

/// The largest unit that divides the number, so that nothing is rounded.
std::string exact_size(std::uint64_t bytes) {
  constexpr std::array<std::pair<std::string_view, int>, 3> kUnits{{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};
  for (const auto& [unit, shift] : kUnits) {
    if (bytes != 0 && bytes % (std::uint64_t{1} << shift) == 0) return fmt::format("{}{}", bytes >> shift, unit);
  }
  return fmt::format("{}", bytes);
}

/// A value of the file as text; `object` keeps the failure where it is of a wrong type.
std::string value_text(const ConfigKey& key, const json& value, std::string_view name, JsonObject& object) {
  const bool takes_number =
      std::holds_alternative<ConfigKey::Bytes>(key.field) || std::holds_alternative<ConfigKey::Seconds>(key.field);
  const bool takes_text = !std::holds_alternative<ConfigKey::Seconds>(key.field);
  if (takes_number && value.is_number_unsigned()) return value.dump();
  if (takes_text && value.is_string()) return value.get<std::string>();
  const std::string found = value.is_number() ? value.dump() : std::string(value.type_name());
  object.fail(name, fmt::format("must be {}, not {}",
                                !takes_number ? "a string"
                                : takes_text  ? "a whole number of bytes or a string such as \"4GiB\""
                                              : "a whole number of seconds",
                                found));
  return {};
}

}  // namespace

std::string_view to_string(GoldenPolicy v) noexcept {
  switch (v) {
    case GoldenPolicy::kAlways:
      return "always";
    case GoldenPolicy::kFirstLoad:
      return "first_load";
    case GoldenPolicy::kNever:
      return "never";
  }
  return "";
}

std::string_view to_string(FallbackPolicy v) noexcept {
  switch (v) {
    case FallbackPolicy::kNever:
      return "never";
    case FallbackPolicy::kAtLoad:
      return "at_load";
    case FallbackPolicy::kOnFault:
      return "on_fault";
  }
  return "";
}

std::span<const ConfigKey> config_keys() {
  return table();
}

std::string ConfigKey::variable() const {
  std::string variable(kPrefix);
  for (const char c : name)
    variable += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return variable;
}

std::vector<std::string_view> ConfigKey::words() const {
  std::vector<std::string_view> words;
  const auto add = [&](const auto& values) {
    for (const auto value : values)
      words.push_back(to_string(value));
  };
  if (std::holds_alternative<GoldenPolicy RuntimeConfig::*>(field)) add(kGoldenPolicies);
  if (std::holds_alternative<FallbackPolicy RuntimeConfig::*>(field)) add(kFallbackPolicies);
  return words;
}

Status ConfigKey::set(RuntimeConfig& config, const std::string& value, const fs::path& folder,
                      const fs::path& home) const {
  return std::visit(
      Overloaded{
          [&](const Path& path) { return set_path(path, config, value, folder, home); },
          [&](const Bytes& bytes) { return set_bytes(bytes, config, value); },
          [&](const Seconds& seconds) { return set_seconds(seconds, config, value); },
          [&](GoldenPolicy RuntimeConfig::*policy) { return set_word(config.*policy, value, kGoldenPolicies); },
          [&](FallbackPolicy RuntimeConfig::*policy) { return set_word(config.*policy, value, kFallbackPolicies); }},
      field);
}

std::string ConfigKey::text(const RuntimeConfig& config) const {
  return std::visit(
      Overloaded{[&](const Path& path) { return (config.*path.field).string(); },
                 [&](const Bytes& bytes) { return exact_size(config.*bytes.field); },
                 [&](const Seconds& seconds) { return fmt::format("{}", config.*seconds.field); },
                 [&](GoldenPolicy RuntimeConfig::*policy) { return std::string(to_string(config.*policy)); },
                 [&](FallbackPolicy RuntimeConfig::*policy) { return std::string(to_string(config.*policy)); }},
      field);
}

Result<std::map<std::string, std::string>> read_config_json(std::string_view text) {
  TERN_ASSIGN_OR_RETURN(const json document, parse_strict_json(text, StatusCode::kConfigError));
  JsonObject root(document, StatusCode::kConfigError);
  std::map<std::string, std::string> values;
  std::map<std::string_view, JsonObject> groups;  // "store" of "store.path"
  for (const ConfigKey& key : config_keys()) {
    const std::size_t dot = key.name.find('.');
    JsonObject* object = &root;
    if (dot != std::string_view::npos) {
      const std::string_view group = key.name.substr(0, dot);
      auto place = groups.find(group);
      if (place == groups.end()) {
        const json* inner = root.optional(group);
        if (inner == nullptr) continue;
        place = groups.try_emplace(group, *inner, StatusCode::kConfigError, std::string(group)).first;
      }
      object = &place->second;
    }
    const std::string_view name = dot == std::string_view::npos ? key.name : key.name.substr(dot + 1);
    if (const json* value = object->optional(name); value != nullptr)
      values[std::string(key.name)] = value_text(key, *value, name, *object);
  }
  for (auto& [name, group] : groups)
    root.fail_with(group.finish());
  TERN_RETURN_IF_ERROR(root.finish());
  return values;
}

Status check_variable_names(std::span<const std::string> variables) {
  std::vector<std::string> known;
  for (const ConfigKey& key : config_keys())
    known.push_back(key.variable());
  // Without the prefix: what all have in common would make any two look alike.
  std::vector<std::string_view> names;
  for (const std::string& variable : known)
    names.push_back(std::string_view(variable).substr(kPrefix.size()));
  for (const std::string& variable : variables) {
    if (!variable.starts_with(kPrefix) || std::ranges::find(known, variable) != known.end() ||
        std::ranges::find(kOtherVariables, variable) != kOtherVariables.end())
      continue;
    const std::string_view near = closest(std::string_view(variable).substr(kPrefix.size()), names);
    if (near.empty()) continue;
    return Status(StatusCode::kConfigError, "no setting has this name")
        .at(in_quotes(variable))
        .with_hint(fmt::format("did you mean '{}{}'? Else unset it", kPrefix, near));
  }
  return {};
}

}  // namespace tern
