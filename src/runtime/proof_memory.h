// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "tern/engine.h"
#include "tern/manifest.h"

namespace tern {

/// Remembers which engines passed their golden check on this host: one empty file in STATE/golden/ for each, named by a
/// hash of the engine's digest, the device, the driver and tern's version. Kept apart from the store, so that whoever may write
/// an engine cannot also say that it was checked.
class ProofMemory {
 public:
  explicit ProofMemory(std::filesystem::path state) : folder_(std::move(state) / "golden") {}
  [[nodiscard]] bool knows(const EngineManifest& manifest, const HostFacts& host) const;
  /// IoError when the state folder refuses; the engine is proven all the same.
  [[nodiscard]] Status remember(const EngineManifest& manifest, const HostFacts& host) const;

 private:
  [[nodiscard]] std::filesystem::path file_of(const EngineManifest& manifest, const HostFacts& host) const;
  std::filesystem::path folder_;
};

}  // namespace tern
