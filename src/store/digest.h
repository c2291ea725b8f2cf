// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"

namespace tern {

/// The digest that is_hex_digest() text stands for; none for other text.
[[nodiscard]] std::optional<Sha256::Digest> parse_hex_digest(std::string_view text) noexcept;

/// SHA-256 of each EngineManifest::kChunkBytes of `bytes`, the last one shorter, by up to `threads` threads (this one
/// among them; fewer when the system gives no more). None for no bytes.
[[nodiscard]] std::vector<Sha256::Digest> chunk_digests(std::span<const std::byte> bytes, int threads);
/// SHA-256 over the digests' 32 bytes each, in order.
[[nodiscard]] Sha256::Digest root_of(std::span<const Sha256::Digest> chunks);

}  // namespace tern
