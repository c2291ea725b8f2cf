// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Arbitrary text as a manifest, as a sidecar and as a signature.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/sidecar.h"
#include "tern/engine_name.h"
#include "tern/gate.h"
#include "tern/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto sidecar = tern::parse_sidecar(text, tern::StatusCode::kEngineGateError); sidecar.ok()) {
    const auto again = tern::parse_sidecar(tern::format_sidecar(sidecar->sha256, "x" + sidecar->name),
                                           tern::StatusCode::kEngineGateError);
    if (!again.ok() || again->sha256 != sidecar->sha256 || again->name != "x" + sidecar->name) std::abort();
  }

  const auto manifest = tern::EngineManifest::from_json(text, "fuzz");
  if (!manifest.ok()) {
    if (manifest.status().code() != tern::StatusCode::kEngineGateError) std::abort();
    return 0;
  }
  // What was accepted agrees with itself and is written so that it is read as the same.
  const auto name = tern::EngineName::parse(manifest->name);
  if (!name.ok() || name->stem != manifest->stem || name->precision != manifest->precision) std::abort();
  if (manifest->chunks.size() != (manifest->size - 1) / tern::EngineManifest::kChunkBytes + 1) std::abort();
  const std::string written = manifest->to_json();
  const auto again = tern::EngineManifest::from_json(written, "again");
  if (!again.ok() || again->to_json() != written || again->key.hash() != manifest->key.hash()) std::abort();
  // It says nothing of these bytes, so that they never pass.
  if (tern::gate_bytes(std::as_bytes(std::span(data, size)), text, "", "").ok()) std::abort();
  return 0;
}
