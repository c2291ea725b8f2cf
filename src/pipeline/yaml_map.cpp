// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/yaml_map.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "base/error.h"

namespace tern {
namespace {

using Kind = YamlNode::Kind;

/// The value of a number's text; NaN where it is none. from_chars() reads no leading '+'.
double value_of(std::string_view text) noexcept {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : std::nan("");
}

/// Nanoseconds of "33.3ms"; negative where it is no duration.
double duration_of(std::string_view text) noexcept {
  constexpr std::array<std::pair<std::string_view, double>, 4> kUnits{
      {{"us", 1e3}, {"ms", 1e6}, {"min", 60e9}, {"s", 1e9}}};  // "s" last: others end with it
  for (const auto& [unit, scale] : kUnits) {
    if (!text.ends_with(unit)) continue;
    const std::string_view digits = text.substr(0, text.size() - unit.size());
    const bool is_plain = !digits.empty() && digits.front() != '.' && digits.back() != '.' &&
                          std::ranges::all_of(digits, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
    const double value = is_plain ? value_of(digits) : std::nan("");
    return std::isnan(value) ? -1 : value * scale;
  }
  return -1;
}

std::string print(Nanoseconds time) {
  const auto count = time.count();
  if (count % 1'000'000'000 == 0) return fmt::format("{}s", count / 1'000'000'000);
  if (count % 1'000'000 == 0) return fmt::format("{}ms", count / 1'000'000);
  return fmt::format("{}us", static_cast<double>(count) / 1e3);
}

}  // namespace

void YamlErrors::fail(YamlPosition at, std::string_view path, std::string_view message, std::string_view hint) {
  if (!ok()) return;
  status_ = Status(StatusCode::kConfigError, path.empty() ? std::string(message) : fmt::format("{}: {}", path, message))
                .at(to_string(name_, at));
  if (!hint.empty()) status_ = status_.with_hint(hint);
}

YamlMap::YamlMap(const YamlNode& node, std::string path, YamlErrors& errors)
    : node_(node), path_(std::move(path)), errors_(errors), is_read_(node.keys.size(), false) {
  if (node.kind != Kind::kMap)
    errors_.fail(node.at, path_, fmt::format("should be a map of keys, and is {}", describe(node.kind)));
}

const YamlNode* YamlMap::find(std::string_view key) {
  asked_.push_back(key);
  for (std::size_t i = 0; i < node_.keys.size(); ++i) {
    if (node_.keys[i].first != key) continue;
    is_read_[i] = true;
    return &node_.items[i];
  }
  return nullptr;
}

std::string YamlMap::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

/// Of the key's value; of the map where it has no such key.
YamlPosition YamlMap::at(std::string_view key) const {
  for (std::size_t i = 0; i < node_.keys.size(); ++i) {
    if (node_.keys[i].first == key) return node_.items[i].at;
  }
  return node_.at;
}

void YamlMap::fail(std::string_view key, std::string_view message, std::string_view hint) {
  errors_.fail(at(key), path_of(key), message, hint);
}

void YamlMap::require(std::string_view key) {
  if (std::ranges::find(node_.keys, key, &std::pair<std::string, YamlPosition>::first) != node_.keys.end()) return;
  errors_.fail(node_.at, path_, fmt::format("'{}' is missing", key));
}

void YamlMap::forbid(std::string_view key, std::string_view why) {
  if (find(key) != nullptr) fail(key, why);
}

const YamlNode* YamlMap::of_kind(std::string_view key, Kind kind, std::string_view wanted) {
  const YamlNode* value = find(key);
  if (value == nullptr || value->kind == kind) return value;
  if (kind == Kind::kFloat && value->kind == Kind::kInteger) return value;
  const bool is_scalar = value->kind != Kind::kSequence && value->kind != Kind::kMap && value->kind != Kind::kNull;
  fail(key, fmt::format("should be {}, and is {}", wanted, describe(value->kind)),
       kind == Kind::kString && is_scalar ? fmt::format("write \"{}\" in quotes", value->text) : std::string());
  return nullptr;
}

bool YamlMap::text(std::string_view key, std::string& out) {
  const YamlNode* value = of_kind(key, Kind::kString, "a text");
  if (value == nullptr) return false;
  if (value->text.empty()) {
    fail(key, "is empty");
    return false;
  }
  if (has_control_character(value->text)) {
    fail(key, "holds a control character");
    return false;
  }
  out = value->text;
  return true;
}

bool YamlMap::name(std::string_view key, YamlName& out) {
  if (!text(key, out.text)) return false;
  out.at = at(key);
  return true;
}

bool YamlMap::flag(std::string_view key, bool& out) {
  const YamlNode* value = of_kind(key, Kind::kBool, "true or false");
  if (value == nullptr) return false;
  out = value->text == "true";
  return true;
}

bool YamlMap::number(std::string_view key, int& out, int min, int max) {
  const YamlNode* value = of_kind(key, Kind::kFloat, "a whole number");
  if (value == nullptr) return false;
  const double parsed = value_of(value->text);  // a text too long for it is out of range, and NaN
  if (parsed != std::floor(parsed) && !std::isnan(parsed)) {
    fail(key, fmt::format("should be a whole number, and is {}", in_quotes(value->text)));
    return false;
  }
  if (!(parsed >= min && parsed <= max)) {
    fail(key, fmt::format("is {}, and must be within {} and {}", in_quotes(value->text), min, max));
    return false;
  }
  out = static_cast<int>(parsed);
  return true;
}

bool YamlMap::number(std::string_view key, double& out, double min, double max) {
  const YamlNode* value = of_kind(key, Kind::kFloat, "a number");
  if (value == nullptr) return false;
  const double parsed = value_of(value->text);
  if (!(parsed >= min && parsed <= max)) {
    fail(key, fmt::format("is {}, and must be within {} and {}", in_quotes(value->text), min, max));
    return false;
  }
  out = parsed;
  return true;
}

bool YamlMap::duration(std::string_view key, Nanoseconds& out, Nanoseconds min, Nanoseconds max) {
  const YamlNode* value = of_kind(key, Kind::kString, "a duration such as 33ms");
  if (value == nullptr) return false;
  const double parsed = duration_of(value->text);
  if (parsed < 0) {
    fail(key, fmt::format("is {}, which is no duration", in_quotes(value->text)),
         "write a number and us, ms, s or min: 33ms");
    return false;
  }
  if (!(parsed >= static_cast<double>(min.count()) && parsed <= static_cast<double>(max.count()))) {
    fail(key, fmt::format("is {}, and must be within {} and {}", in_quotes(value->text), print(min), print(max)));
    return false;
  }
  out = Nanoseconds(static_cast<Nanoseconds::rep>(std::llround(parsed)));
  return true;
}

bool YamlMap::names(std::string_view key, std::vector<YamlName>& out) {
  const YamlNode* value = of_kind(key, Kind::kSequence, "a list of texts");
  if (value == nullptr) return false;
  std::vector<YamlName> read;
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const YamlNode& item = value->items[i];
    const std::string path = fmt::format("{}[{}]", path_of(key), i);
    if (item.kind != Kind::kString || item.text.empty() || has_control_character(item.text)) {
      errors_.fail(item.at, path,
                   fmt::format("should be a text, and is {}",
                               item.kind == Kind::kString ? "an unfit one" : describe(item.kind)));
      return false;
    }
    if (std::ranges::find(read, item.text, &YamlName::text) != read.end()) {
      errors_.fail(item.at, path, fmt::format("{} stands twice", in_quotes(item.text)));
      return false;
    }
    read.push_back({item.text, item.at});
  }
  out = std::move(read);
  return true;
}

bool YamlMap::word(std::string_view key, std::size_t& out, std::span<const std::string_view> words) {
  std::string value;
  if (!text(key, value)) return false;
  const auto found = std::ranges::find(words, value);
  if (found == words.end()) {
    fail(key, fmt::format("has no value {}", in_quotes(value)), suggest(value, words));
    return false;
  }
  out = static_cast<std::size_t>(found - words.begin());
  return true;
}

std::span<const YamlNode> YamlMap::list(std::string_view key, std::size_t min, std::size_t max) {
  const YamlNode* value = of_kind(key, Kind::kSequence, "a list");
  if (value == nullptr) return {};
  if (value->items.size() < min || value->items.size() > max) {
    fail(key, fmt::format("has {} entries, and must have {} to {}", value->items.size(), min, max));
    return {};
  }
  return value->items;
}

void YamlMap::finish() {
  for (std::size_t i = 0; i < is_read_.size(); ++i) {
    if (is_read_[i]) continue;
    const auto& [key, at] = node_.keys[i];
    errors_.fail(at, path_, fmt::format("there is no key {}", in_quotes(key)), suggest(key, asked_));
    return;
  }
}

}  // namespace tern
