// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "store/backend_choice.h"

#include <fmt/format.h>

#include "model/text.h"
#include "tern/engine.h"

namespace tern {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxCandidates = 64;
constexpr double kMaxMs = 1e9;
constexpr std::size_t kMaxTextBytes = 2000;

void read_candidate(const json& value, StatusCode code, const std::string& path, JsonObject& parent,
                    BackendChoice& choice) {
  JsonObject object(value, code, path);
  BackendChoice::Candidate candidate;
  object.require("backend", candidate.backend);
  object.require("version", candidate.version);
  object.require("precision", candidate.precision);
  object.require("ms", candidate.ms, 0, kMaxMs);
  object.require("refused", candidate.refused);
  for (const std::string* text : {&candidate.backend, &candidate.version, &candidate.precision, &candidate.refused}) {
    if (object.ok() && (has_control_character(*text) || text->size() > kMaxTextBytes))
      object.fail("refused", "and the texts beside it must be short and without control characters");
  }
  if (object.ok() && candidate.backend.empty()) object.fail("backend", "must not be empty");
  if (object.ok() && (candidate.ms > 0) != (candidate.refused.empty() && choice.runs > 0))
    object.fail("ms", "must be more than 0 where the candidate was measured, and 0 where it was not");
  parent.fail_with(object.finish());
  choice.candidates.push_back(std::move(candidate));
}

}  // namespace

const BackendChoice::Candidate* BackendChoice::second() const noexcept {
  return candidates.size() > 1 && candidates[1].ms > 0 ? &candidates[1] : nullptr;
}

double BackendChoice::margin() const noexcept {
  const Candidate* other = second();
  return other == nullptr ? 0 : other->ms / candidates.front().ms - 1;
}

std::string BackendChoice::to_string() const {
  if (candidates.empty()) return "nothing was chosen";
  const Candidate& first = candidates.front();
  std::string text = fmt::format("{} {}", first.backend, first.precision);
  if (const Candidate* other = second(); other != nullptr) {
    text += fmt::format(": {:.2f} ms an inference, {} {:.2f} ms ({:+.1f} %)", first.ms, other->backend, other->ms,
                        100 * margin());
  }
  for (const Candidate& candidate : candidates) {
    if (!candidate.refused.empty()) text += fmt::format("; {} cannot serve: {}", candidate.backend, candidate.refused);
  }
  return text;
}

json to_json(const BackendChoice& choice) {
  json candidates = json::array();
  for (const BackendChoice::Candidate& candidate : choice.candidates) {
    candidates.push_back({{"backend", candidate.backend},
                          {"version", candidate.version},
                          {"precision", candidate.precision},
                          {"ms", candidate.ms},
                          {"refused", candidate.refused}});
  }
  return {{"candidates", std::move(candidates)}, {"runs", choice.runs}, {"measured_at", choice.measured_at}};
}

void read_choice(JsonObject& parent, std::string_view key, StatusCode code, std::optional<BackendChoice>& out) {
  const json* value = parent.optional(key);
  if (value == nullptr || value->is_null()) return;
  JsonObject object(*value, code, parent.path_of(key));
  BackendChoice choice;
  object.require("runs", choice.runs, 0, 1 << 20);
  object.require("measured_at", choice.measured_at);
  const json* list = object.require("candidates");
  if (list != nullptr && (!list->is_array() || list->empty() || list->size() > kMaxCandidates)) {
    object.fail("candidates", "must be a list of candidates, and not empty");
  } else if (list != nullptr) {
    for (const json& item : *list) {
      read_candidate(item, code, fmt::format("{}[{}]", object.path_of("candidates"), choice.candidates.size()), object,
                     choice);
    }
  }
  if (object.ok() && !choice.candidates.front().refused.empty())
    object.fail("candidates", "must begin with the chosen one, which was not refused");
  parent.fail_with(object.finish());
  if (parent.ok()) out = std::move(choice);
}

}  // namespace tern
