// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/proof_memory.h"

#include <span>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
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
  // Only a file of this user counts: nobody else may vouch for an engine.
  struct stat info {};
  return ::lstat(file_of(manifest, host).c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid();
}

Status ProofMemory::remember(const EngineManifest& manifest, const HostFacts& host) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error)
    return make_error(StatusCode::kIoError, "cannot make the folder: {}", error.message()).at(folder_.string());
  fs::permissions(folder_, fs::perms::owner_all, error);
  return write_file(file_of(manifest, host), std::string_view());
}

}  // namespace tern
