// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "store/files.h"
#include "store/store_folders.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxOfOneKey = 100'000;

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

/// Moves `folder` to a free ROOT/quarantine/<name>-<n> and returns that; empty when there is no `folder` (any more).
Result<fs::path> move_away(const fs::path& root, const fs::path& folder) {
  const fs::path quarantine = root / kQuarantineFolder;
  TERN_RETURN_IF_ERROR(make_folders(quarantine, kPrivateFolder));
  for (int n = 1; n <= kMaxOfOneKey; ++n) {
    const fs::path place = quarantine / fmt::format("{}-{}", folder.filename().string(), n);
    // The empty folder reserves the number; rename() may replace it, and replaces nothing else.
    if (::mkdir(place.c_str(), kPrivateFolder) != 0) {
      if (errno == EEXIST) continue;
      return io_error("cannot quarantine the entry", folder, errno);
    }
    if (::rename(folder.c_str(), place.c_str()) != 0) {
      const int error = errno;
      ::rmdir(place.c_str());
      if (error == ENOENT) return fs::path();
      return io_error("cannot quarantine the entry", folder, error);
    }
    TERN_RETURN_IF_ERROR(sync_folder(quarantine));
    TERN_RETURN_IF_ERROR(sync_folder(root));
    return place;
  }
  return io_error("cannot quarantine the entry", folder, EEXIST);
}

}  // namespace

Status quarantine_folder(const fs::path& root, const fs::path& folder, std::string_view engine, const Status& reason,
                         Logger& logger) {
  TERN_ASSIGN_OR_RETURN(const fs::path place, move_away(root, folder));
  if (place.empty()) return {};
  logger.log(LogLevel::kWarning, "store",
             fmt::format("moved {} to {}: {}", folder.string(), place.string(), reason.to_string()));
  const std::string text = fmt::format("{} {}\n{}\n", now_utc(), engine, reason.to_string());
  // The entry is out of the way: a full disk must not stop what comes next.
  if (const Status written = write_file(place / "REASON", text); !written.ok())
    logger.log(LogLevel::kWarning, "store", "cannot write the reason: " + written.to_string());
  return {};
}

}  // namespace tern
