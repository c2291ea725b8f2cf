// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/json_object.h"

#include "base/error.h"
#include "model/text.h"

namespace tern {

using nlohmann::json;

JsonObject::JsonObject(const json& object, StatusCode code, std::string path)
    : object_(object), code_(code), path_(std::move(path)) {
  if (!object_.is_object()) {
    status_ = make_error(code_, "must be a JSON object, not {}", object_.type_name()).at(path_);
  }
}

std::string JsonObject::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void JsonObject::fail(std::string_view key, std::string_view message) {
  if (status_.ok()) status_ = make_error(code_, "{}", message).at(path_of(key));
}

const json* JsonObject::find(std::string_view key) {
  read_.emplace(key);
  if (!status_.ok()) return nullptr;
  const auto it = object_.find(key);
  return it == object_.end() ? nullptr : &*it;
}

const json* JsonObject::require(std::string_view key) {
  const json* value = find(key);
  if (value == nullptr) fail(key, "is missing");
  return value;
}

void JsonObject::require(std::string_view key, std::string& out) {
  const json* value = require(key);
  if (value == nullptr) return;
  if (!value->is_string()) return fail(key, fmt::format("must be a string, not {}", value->type_name()));
  out = value->get<std::string>();
}

void JsonObject::require(std::string_view key, bool& out) {
  const json* value = require(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) return fail(key, fmt::format("must be true or false, not {}", value->type_name()));
  out = value->get<bool>();
}

void JsonObject::require(std::string_view key, int& out, int min, int max) {
  const json* value = require(key);
  if (value == nullptr) return;
  if (!value->is_number_integer()) return fail(key, fmt::format("must be a whole number, not {}", value->type_name()));
  // Unsigned numbers beyond int64 would wrap.
  const bool huge = value->is_number_unsigned() && value->get<std::uint64_t>() > INT32_MAX;
  const std::int64_t number = huge ? 0 : value->get<std::int64_t>();
  if (huge || number < min || number > max)
    return fail(key, fmt::format("is {}; it must be {} to {}", value->dump(), min, max));
  out = static_cast<int>(number);
}

void JsonObject::require(std::string_view key, std::uint64_t& out, std::uint64_t min, std::uint64_t max) {
  const json* value = require(key);
  if (value == nullptr) return;
  if (!value->is_number_unsigned()) {
    const std::string found = value->is_number() ? value->dump() : std::string(value->type_name());
    return fail(key, fmt::format("must be a whole number of at least {}, not {}", min, found));
  }
  const auto number = value->get<std::uint64_t>();
  if (number < min || number > max) return fail(key, fmt::format("is {}; it must be {} to {}", number, min, max));
  out = number;
}

void JsonObject::require(std::string_view key, double& out, double min, double max) {
  const json* value = require(key);
  if (value == nullptr) return;
  if (!value->is_number()) return fail(key, fmt::format("must be a number, not {}", value->type_name()));
  const auto number = value->get<double>();
  if (!(number >= min && number <= max)) return fail(key, fmt::format("is {}; it must be {} to {}", number, min, max));
  out = number;
}

void JsonObject::require(std::string_view key, std::vector<std::string>& out) {
  const json* value = require(key);
  if (value == nullptr) return;
  if (!value->is_array()) return fail(key, fmt::format("must be a list of strings, not {}", value->type_name()));
  std::vector<std::string> list;
  list.reserve(value->size());
  for (const json& item : *value) {
    if (!item.is_string()) return fail(key, fmt::format("must be a list of strings; one item is {}", item.type_name()));
    list.push_back(item.get<std::string>());
  }
  out = std::move(list);
}

Status JsonObject::finish() {
  if (!status_.ok()) return status_;
  for (const auto& [key, value] : object_.items()) {
    if (key == "$schema" || read_.contains(key)) continue;
    const std::vector<std::string_view> known(read_.begin(), read_.end());
    return make_error(code_, "is not a known key").at(path_of(in_quotes(key))).with_hint(suggest(key, known));
  }
  return {};
}

}  // namespace tern
