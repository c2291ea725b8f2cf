// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/engine.h"

namespace tern {

void EngineBlob::own(std::vector<std::byte> buffer) {
  auto kept = std::make_shared<const std::vector<std::byte>>(std::move(buffer));
  bytes = *kept;
  owner = std::move(kept);
}

}  // namespace tern
