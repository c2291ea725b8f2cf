// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "model/json_object.h"
#include "tern/manifest.h"

namespace tern {

[[nodiscard]] nlohmann::json to_json(const BackendChoice& choice);
/// The choice under `key` of `object`; none where the key is missing or null.
void read_choice(JsonObject& object, std::string_view key, StatusCode code, std::optional<BackendChoice>& out);

}  // namespace tern
