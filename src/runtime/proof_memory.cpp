// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/proof_memory.h"

#include <span>

#include <fmt/format.h>

#include "base/sha256.h"
#include "runtime/own_file.h"
#include "tern/version.h"

namespace tern {

namespace fs = std::filesystem;

fs::path ProofMemory::file_of(const EngineManifest& manifest, const HostFacts& host) const {
  // The root covers every byte of the engine, the golden hash what it was held against.
  std::string text = fmt::format("tern {}\nengine {}\ngolden {}\ntarget {}\n", version(), manifest.root,
                                 manifest.golden.sha256, host.target);
  for (const auto* facts : {&host.fit, &host.info}) {
    for (const auto& [name, value] : *facts)
      text += fmt::format("{}={}\n", name, value);
  }
  return folder_ / to_hex(Sha256::of(std::as_bytes(std::span(text))));
}

bool ProofMemory::knows(const EngineManifest& manifest, const HostFacts& host) const {
  return is_own_file(file_of(manifest, host));
}

Status ProofMemory::remember(const EngineManifest& manifest, const HostFacts& host) const {
  return write_own_file(file_of(manifest, host), std::string_view());
}

}  // namespace tern
