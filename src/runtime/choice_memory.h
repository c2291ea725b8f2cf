// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/manifest.h"

namespace tern {

/// Remembers which backend `auto` took: one JSON file in STATE/choices/ for each set of engine keys that there was to choose from.
/// Another version of a backend, another model or config is another set, and is measured anew. Kept apart from the store, as the memory
/// of golden checks is.
class ChoiceMemory {
 public:
  explicit ChoiceMemory(const std::filesystem::path& state) : folder_(state / "choices") {}

  /// None where nothing is remembered, or where the file is damaged or not this user's: it is measured anew then.
  [[nodiscard]] std::optional<BackendChoice> recall(const std::vector<EngineKey>& keys) const;
  /// IoError when the state folder refuses; the choice holds all the same.
  [[nodiscard]] Status remember(const std::vector<EngineKey>& keys, const BackendChoice& choice) const;

 private:
  [[nodiscard]] std::filesystem::path file_of(const std::vector<EngineKey>& keys) const;
  std::filesystem::path folder_;
};

/// What remember() writes.
[[nodiscard]] std::string choice_text(const BackendChoice& choice);
/// A choice from the text of a file. ConfigError on anything that choice_text() does not give.
[[nodiscard]] Result<BackendChoice> parse_choice(std::string_view text);

}  // namespace tern
