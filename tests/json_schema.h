// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tern::test {

/// A pattern is compiled once: that takes far longer than a match.
inline bool matches(const std::string& text, const std::string& pattern) {
  static std::map<std::string, std::regex> compiled;
  const auto found = compiled.find(pattern);
  return std::regex_search(text,
                           found != compiled.end() ? found->second : compiled.emplace(pattern, pattern).first->second);
}

/// Enough of JSON Schema 2020-12 for the schemas in docs/schemas; an unknown keyword fails the test.
inline bool valid(const nlohmann::json& schema, const nlohmann::json& value) {
  using nlohmann::json;
  for (const auto& [key, rule] : schema.items()) {
    const bool number = value.is_number();
    const double v = number ? value.get<double>() : 0;
    const auto length =
        value.is_string() || value.is_array() ? value.is_array() ? value.size() : value.get<std::string>().size() : 0;
    const auto fits = [&](const json& one) { return valid(one, value); };
    if (key == "type" && rule.is_array()) {
      if (std::none_of(rule.begin(), rule.end(), [&](const json& type) { return valid({{"type", type}}, value); }))
        return false;
    } else if (key == "type") {
      const bool ok = rule == "object"    ? value.is_object()
                      : rule == "array"   ? value.is_array()
                      : rule == "string"  ? value.is_string()
                      : rule == "boolean" ? value.is_boolean()
                      : rule == "null"    ? value.is_null()
                      : rule == "integer" ? number && v == std::floor(v)
                                          : number;
      if (!ok) return false;
    } else if (key == "enum") {
      if (std::find(rule.begin(), rule.end(), value) == rule.end()) return false;
    } else if (key == "minimum") {
      if (number && v < rule.get<double>()) return false;
    } else if (key == "exclusiveMinimum") {
      if (number && v <= rule.get<double>()) return false;
    } else if (key == "maximum") {
      if (number && v > rule.get<double>()) return false;
    } else if (key == "minLength" || key == "minItems") {
      if (length < rule.get<std::size_t>()) return false;
    } else if (key == "maxLength" || key == "maxItems") {
      if (length > rule.get<std::size_t>()) return false;
    } else if (key == "items") {
      for (const json& entry : value) {
        if (!valid(rule, entry)) return false;
      }
    } else if (key == "pattern") {
      if (value.is_string() && !matches(value.get<std::string>(), rule.get<std::string>())) return false;
    } else if (key == "anyOf") {
      if (std::none_of(rule.begin(), rule.end(), fits)) return false;
    } else if (key == "oneOf") {
      if (std::count_if(rule.begin(), rule.end(), fits) != 1) return false;
    } else if (key == "required") {
      for (const json& name : rule) {
        if (value.is_object() && !value.contains(name.get<std::string>())) return false;
      }
    } else if (key == "properties") {
      if (!value.is_object()) continue;
      for (const auto& [name, entry] : value.items()) {
        if (!rule.contains(name) || !valid(rule[name], entry)) return false;
      }
    } else if (key == "additionalProperties" && rule.is_object()) {
      for (const json& entry : value) {
        if (!valid(rule, entry)) return false;
      }
    } else if (key != "additionalProperties" && key != "$schema" && key != "title" && key != "description") {
      ADD_FAILURE() << "the schema uses " << key;
    }
  }
  return true;
}

}  // namespace tern::test
