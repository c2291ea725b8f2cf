// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/strict_json.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/text.h"

namespace tern {
namespace {

constexpr int kMaxDepth = 16;

std::string position(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = newline == std::string_view::npos ? before.size() : before.size() - newline - 1;
  return fmt::format("line {}, column {}", line, std::max<std::size_t>(column, 1));
}

}  // namespace

Result<nlohmann::json> parse_strict_json(std::string_view text, StatusCode code) {
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  std::string duplicate;
  bool too_deep = false;
  const auto watch = [&](int depth, Event event, nlohmann::json& value) {
    // An object or array that starts at depth n has n others around it.
    if (depth >= kMaxDepth && (event == Event::object_start || event == Event::array_start)) too_deep = true;
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
      duplicate = value.get<std::string>();
    return !too_deep;  // drops what lies deeper
  };
  try {
    nlohmann::json value = nlohmann::json::parse(text, watch);
    if (too_deep) return make_error(code, "the JSON is nested more than {} deep", kMaxDepth);
    if (!duplicate.empty()) return make_error(code, "the key {} stands twice in one object", in_quotes(duplicate));
    return value;
  } catch (const nlohmann::json::parse_error& error) {
    return make_error(code, "not valid JSON at {}", position(text, error.byte));
  } catch (const nlohmann::json::exception&) {
    return make_error(code, "not valid JSON: a number is out of range");
  }
}

}  // namespace tern
