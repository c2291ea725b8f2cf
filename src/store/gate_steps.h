// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "store/files.h"
#include "tern/gate.h"

namespace tern {

// The steps of gate A, in their order. Each returns EngineGateError, without a location: the caller knows the file.

/// EngineGateError "field: found ..., wanted ..." with the cure.
[[nodiscard]] Status refuse(std::string_view field, std::string_view found, std::string_view wanted,
                            std::string_view cure);

/// Largest golden file and signature; the engine's own limit is GateOptions::max_bytes.
constexpr std::uint64_t kMaxGoldenBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxSignatureBytes = 4096;
/// `min` <= size <= `max`.
[[nodiscard]] Status check_size(std::string_view field, std::uint64_t size, std::uint64_t min, std::uint64_t max);
/// A file or folder belongs to this user or root, and no other may write it.
[[nodiscard]] Status check_owner(const struct stat& info);
/// Whether a signature was verified: false without a trust store.
[[nodiscard]] Result<bool> check_signature(const TrustStore* trust, std::string_view manifest,
                                           std::optional<std::string_view> signature);
/// Parses the manifest and holds it against the engine's size, its file name (empty: not known) and what was asked for.
[[nodiscard]] Result<EngineManifest> check_manifest(std::string_view text, std::string_view file_name,
                                                    std::uint64_t engine_size, const GateOptions& options);
[[nodiscard]] Status check_sidecar(std::string_view text, const EngineManifest& manifest);
/// Every chunk of the engine, by `threads` threads.
[[nodiscard]] Status check_chunks(std::span<const std::byte> engine, const EngineManifest& manifest, int threads);
/// `golden`: none when there is no golden file.
[[nodiscard]] Status check_golden_hash(std::optional<std::string_view> golden, const EngineManifest& manifest);

}  // namespace tern
