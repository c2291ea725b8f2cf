// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "store/staging.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "store/entry.h"
#include "store/files.h"

namespace tern {
namespace {

constexpr std::string_view kPrefix = ".tmp-";

}  // namespace

Result<StagingFolder> StagingFolder::create(const std::filesystem::path& root, std::string_view folder_name) {
  std::string path = (root / (std::string(kPrefix) + std::string(folder_name) + "-XXXXXX")).string();
  if (::mkdtemp(path.data()) == nullptr) return io_error("the store takes no new entry", root, errno);
  return StagingFolder(path);
}

StagingFolder::StagingFolder(StagingFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

StagingFolder::~StagingFolder() {
  std::error_code ignored;  // what cannot be removed now is swept later
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Status StagingFolder::write(const EngineFiles& files) const {
  const EngineEntry entry{path_ / files.name};
  TERN_RETURN_IF_ERROR(create_file(entry.engine, files.engine));
  if (!files.golden.empty()) TERN_RETURN_IF_ERROR(create_file(entry.golden(), files.golden));
  if (!files.signature.empty()) TERN_RETURN_IF_ERROR(create_file(entry.signature(), files.signature));
  TERN_RETURN_IF_ERROR(create_file(entry.sha256(), files.sha256));
  TERN_RETURN_IF_ERROR(create_file(entry.manifest(), files.manifest));
  return sync_folder(path_);
}

std::string_view staged_for(std::string_view name) noexcept {
  if (!name.starts_with(kPrefix)) return {};
  name.remove_prefix(kPrefix.size());
  const std::string_view folder = name.substr(0, kFolderDigits);
  const bool is_staging = is_folder_name(folder) && name.size() > kFolderDigits && name[kFolderDigits] == '-';
  return is_staging ? folder : std::string_view();
}

Status sweep_staging(const std::filesystem::path& root, std::string_view folder_name) {
  TERN_ASSIGN_OR_RETURN(const auto names, names_in(root));
  for (const std::string& name : names) {
    std::error_code failure;
    if (staged_for(name) == folder_name) std::filesystem::remove_all(root / name, failure);
    if (failure) return io_error("cannot remove what a killed build left", root / name, failure.value());
  }
  return {};
}

}  // namespace tern
