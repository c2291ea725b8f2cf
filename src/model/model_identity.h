// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tern/model.h"

namespace tern {

/// What self_contained_bytes() do not tell of the model they come from.
struct ModelIdentity {
  std::string path, label, stem, content_hash;
};
[[nodiscard]] ModelIdentity identity_of(const Model& model);

/// The model behind another process's self_contained_bytes(), which checked it: no limits, and messages, keys and names are those
/// of the original. ModelError where the bytes are not a model after all.
[[nodiscard]] Result<Model> restore_model(std::vector<std::byte> bytes, const ModelIdentity& identity);

}  // namespace tern
