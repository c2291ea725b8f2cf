// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tern/engine.h"
#include "tern/manifest.h"
#include "tern/signature.h"
#include "tern/status.h"
#include "tern/store.h"

namespace tern {

/// An engine file that passed gate A: mapped once, and that mapping was hashed.
struct GatedEngine {
  EngineManifest manifest;
  std::span<const std::byte> bytes;   ///< of the mapping (a sealed copy in memory where a trust store was asked for)
  std::shared_ptr<const void> owner;  ///< keeps the mapping
  std::string golden;                 ///< bytes of the golden file, hash checked; empty: none
  bool is_signed = false;             ///< a signature was there and verified

  /// What Backend::load() takes.
  [[nodiscard]] TERN_API EngineBlob blob() const;
};

struct GateOptions {
  const TrustStore* trust = nullptr;                  ///< given: an unsigned or wrongly signed engine is refused
  const EngineKey* key = nullptr;                     ///< given: the engine must be of this key
  std::string stem{};                                 ///< not empty: the engine must be of this model
  std::uint64_t max_bytes = std::uint64_t{16} << 30;  ///< of the engine file
  int threads = 2;                                    ///< that hash the chunks
};

/// Gate A: files alone, nothing loaded. In this order: name and size bounds; owner and mode (the files and their folder
/// belong to this user or root, and no other may write them); signature; manifest; sidecar; chunk hashes; golden file.
/// EngineGateError names the field, what was found, what was wanted, and the cure.
[[nodiscard]] TERN_API Result<GatedEngine> gate_files(const EngineEntry& entry, const GateOptions& options = {});
/// The same for an engine in the caller's memory, which must live as long as the result and not change.
[[nodiscard]] TERN_API Result<GatedEngine> gate_bytes(std::span<const std::byte> engine, std::string_view manifest,
                                                      std::string_view golden, std::string_view signature,
                                                      const GateOptions& options = {});

/// Gate B: whether the engine fits this host. Compares the manifest with `host` and never sees the engine.
[[nodiscard]] TERN_API Status gate_fit(const EngineManifest& manifest, std::string_view backend, const HostFacts& host);

}  // namespace tern
