// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "store/entry.h"

#include <algorithm>

#include "base/error.h"
#include "store/files.h"
#include "tern/engine_name.h"

namespace tern {

std::string folder_name(const EngineKey& key) {
  return key.hash().substr(0, kFolderDigits);
}

bool is_folder_name(std::string_view name) noexcept {
  return name.size() == kFolderDigits &&
         std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<std::optional<EngineEntry>> entry_in(const std::filesystem::path& folder) {
  TERN_ASSIGN_OR_RETURN(const auto names, names_in(folder));
  std::optional<EngineEntry> entry;
  for (const std::string& name : names) {
    if (name.starts_with('.') || !name.ends_with(EngineName::kSuffix)) continue;
    if (entry) {
      return Status(StatusCode::kIoError, "holds two engines; a store's folder has one")
          .at(folder.string())
          .with_hint("remove the one that was put there by hand");
    }
    entry = EngineEntry{folder / name};
  }
  return entry;
}

Result<EngineKey> key_of(const EngineEntry& entry) {
  const std::filesystem::path path = entry.manifest();
  TERN_ASSIGN_OR_RETURN(const Descriptor folder, open_folder(path.parent_path()));
  TERN_ASSIGN_OR_RETURN(const RegularFile file, open_regular(folder, path.filename().string(), path));
  TERN_ASSIGN_OR_RETURN(const std::string text, read_whole(file, EngineManifest::kMaxBytes));
  TERN_ASSIGN_OR_RETURN(EngineManifest manifest, EngineManifest::from_json(text, path.string()));
  return std::move(manifest.key);
}

Status check_files(const EngineFiles& files) {
  if (const auto name = EngineName::parse(files.name); !name.ok()) {
    return make_error(StatusCode::kConfigError, "not a name for an engine: {}", name.status().message())
        .at(name.status().where());
  }
  if (files.engine.empty() || files.manifest.empty() || files.sha256.empty()) {
    return Status(StatusCode::kConfigError, "an entry needs an engine, a manifest and a sidecar")
        .at(files.name)
        .with_hint("pack_engine() makes them");
  }
  return {};
}

}  // namespace tern
