// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/choice_memory.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "model/strict_json.h"
#include "runtime/own_file.h"
#include "store/backend_choice.h"
#include "tern/version.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 20;
constexpr auto kRefused = StatusCode::kConfigError;

}  // namespace

std::string choice_text(const BackendChoice& choice) {
  const nlohmann::json document = {{"choice", to_json(choice)}};
  return document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<BackendChoice> parse_choice(std::string_view text) {
  TERN_ASSIGN_OR_RETURN(const nlohmann::json document, parse_strict_json(text, kRefused));
  JsonObject object(document, kRefused);
  std::optional<BackendChoice> choice;
  object.require("choice");
  read_choice(object, "choice", kRefused, choice);
  TERN_RETURN_IF_ERROR(object.finish());
  if (!choice) return Status(kRefused, "there is no choice");
  return std::move(*choice);
}

fs::path ChoiceMemory::file_of(const std::vector<EngineKey>& keys) const {
  std::vector<std::string> hashes;
  for (const EngineKey& key : keys)
    hashes.push_back(key.hash());
  std::ranges::sort(hashes);
  std::string text = fmt::format("tern {}\n", version());
  for (const std::string& hash : hashes)
    text += hash + "\n";
  return folder_ / (to_hex(Sha256::of(std::as_bytes(std::span(text)))) + ".json");
}

std::optional<BackendChoice> ChoiceMemory::recall(const std::vector<EngineKey>& keys) const {
  const fs::path file = file_of(keys);
  if (!is_own_file(file)) return std::nullopt;
  const auto text = read_text_file(file, kMaxBytes);
  auto choice = text.ok() ? parse_choice(*text) : Result<BackendChoice>(text.status());
  if (!choice.ok()) return std::nullopt;
  return std::move(*choice);
}

Status ChoiceMemory::remember(const std::vector<EngineKey>& keys, const BackendChoice& choice) const {
  return write_own_file(file_of(keys), choice_text(choice));
}

}  // namespace tern
