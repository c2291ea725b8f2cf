// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "tern/status.h"
#include "tern/store.h"

namespace tern {

/// A folder ROOT/.tmp-<16 hex>-<random> of one writer: what is in it is no entry yet, or no longer. Removed, with all in it,
/// by the destructor; what a killed writer leaves is swept by the next one that holds the key's lock.
class StagingFolder {
 public:
  [[nodiscard]] static Result<StagingFolder> create(const std::filesystem::path& root, std::string_view folder_name);
  StagingFolder(StagingFolder&& other) noexcept;
  StagingFolder& operator=(StagingFolder&&) = delete;
  StagingFolder(const StagingFolder&) = delete;
  StagingFolder& operator=(const StagingFolder&) = delete;
  ~StagingFolder();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Writes and syncs all files and the folder.
  [[nodiscard]] Status write(const EngineFiles& files) const;
  /// The folder has become something else: nothing is left to remove.
  void release() noexcept { path_.clear(); }

 private:
  explicit StagingFolder(std::filesystem::path path) noexcept : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// The key's folder name in the name of a staging folder; empty for other names.
[[nodiscard]] std::string_view staged_for(std::string_view name) noexcept;
/// Removes the staging folders of a key whose writers are dead. REQUIRES: the caller holds the key's lock, and no staging
/// folder of its own.
[[nodiscard]] Status sweep_staging(const std::filesystem::path& root, std::string_view folder_name);

}  // namespace tern
