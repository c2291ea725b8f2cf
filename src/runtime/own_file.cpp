// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/own_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace tern {

namespace fs = std::filesystem;

bool is_own_file(const fs::path& file) {
  struct stat info {};
  return ::lstat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid();
}

Status write_own_file(const fs::path& file, std::string_view content) {
  const fs::path folder = file.parent_path();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return make_error(StatusCode::kIoError, "cannot make the folder: {}", error.message()).at(folder.string());
  fs::permissions(folder, fs::perms::owner_all, error);
  return write_file(file, content);
}

}  // namespace tern
