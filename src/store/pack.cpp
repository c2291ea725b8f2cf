// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <system_error>
#include <thread>

#include "base/error.h"
#include "base/sidecar.h"
#include "store/digest.h"
#include "tern/store.h"

namespace tern {
namespace {

struct EngineDigests {
  Sha256::Digest whole{};
  std::vector<Sha256::Digest> chunks;
};

/// The hash of the whole file cannot be split, so one thread makes it while the other hashes the chunks.
EngineDigests digests_of(std::span<const std::byte> engine) {
  EngineDigests digests;
  std::jthread other;
  try {
    other = std::jthread([&] { digests.whole = Sha256::of(engine); });
  } catch (const std::system_error&) {
    digests.whole = Sha256::of(engine);
  }
  digests.chunks = chunk_digests(engine, 1);
  if (other.joinable()) other.join();
  return digests;
}

}  // namespace

Result<EngineFiles> pack_engine(EngineManifest manifest, std::span<const std::byte> engine, std::string golden,
                                const SigningKey* key) {
  const EngineDigests digests = digests_of(engine);
  manifest.size = engine.size();
  manifest.sha256 = to_hex(digests.whole);
  manifest.chunks.clear();
  for (const Sha256::Digest& chunk : digests.chunks)
    manifest.chunks.push_back(to_hex(chunk));
  manifest.root = to_hex(root_of(digests.chunks));
  if (golden.empty() != (manifest.golden.frames == 0)) {
    return make_error(StatusCode::kConfigError, "a golden file of {} bytes cannot hold {} frames", golden.size(),
                      manifest.golden.frames)
        .at(manifest.name);
  }
  if (golden.empty()) {
    manifest.golden = {};
  } else {
    manifest.golden.sha256 = to_hex(Sha256::of(std::as_bytes(std::span(golden))));
  }

  EngineFiles files;
  files.name = manifest.name;
  files.engine = engine;
  files.manifest = manifest.to_json();
  // What would be refused later must not be stored now.
  if (const auto back = EngineManifest::from_json(files.manifest, manifest.name); !back.ok()) {
    return make_error(StatusCode::kConfigError, "cannot be stored: {}", back.status().message())
        .at(back.status().where());
  }
  files.sha256 = format_sidecar(manifest.sha256, manifest.name);
  files.golden = std::move(golden);
  if (key != nullptr) {
    TERN_ASSIGN_OR_RETURN(files.signature, key->sign(files.manifest));
  }
  return files;
}

}  // namespace tern
