// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <tuple>

#include "base/byte_size.h"
#include "base/error.h"
#include "store/entry.h"
#include "store/file_lock.h"
#include "store/files.h"
#include "store/staging.h"
#include "store/store_folders.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::system_clock;

/// What one folder takes; none when it is no entry, or went away meanwhile.
Result<std::optional<DirectoryStore::Usage>> usage_in(const fs::path& folder) {
  struct stat info {};
  // No link is followed: what lies outside the store is not the store's.
  if (::lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return std::optional<DirectoryStore::Usage>();
  TERN_ASSIGN_OR_RETURN(const auto entry, entry_in(folder));
  if (!entry) return std::optional<DirectoryStore::Usage>();
  DirectoryStore::Usage usage{.entry = *entry, .bytes = 0, .last_used = {}};
  usage.last_used = Clock::time_point(std::chrono::duration_cast<Clock::duration>(
      std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec)));
  TERN_ASSIGN_OR_RETURN(const auto names, names_in(folder));
  for (const std::string& name : names) {
    if (::lstat((folder / name).c_str(), &info) == 0) usage.bytes += static_cast<std::uint64_t>(info.st_size);
  }
  return std::optional(std::move(usage));
}

/// Removes an entry unless its key is locked. Whoever has its files open keeps them.
Result<bool> remove_unlocked(const fs::path& root, const fs::path& folder) {
  const std::string name = folder.filename().string();
  TERN_RETURN_IF_ERROR(make_folders(root / kLocksFolder, kPrivateFolder));
  TERN_ASSIGN_OR_RETURN(const auto lock, FileLock::try_lock(lock_path(root, name)));
  if (lock == nullptr) return false;
  TERN_ASSIGN_OR_RETURN(const StagingFolder aside, StagingFolder::create(root, name));
  // One rename takes the entry away whole; the staging folder then removes its files one by one.
  if (::rename(folder.c_str(), aside.path().c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  return io_error("cannot remove the entry", folder, errno);
}

/// Removes what killed builds left, where nobody holds the key's lock.
Status sweep_all(const fs::path& root) {
  TERN_ASSIGN_OR_RETURN(const auto names, names_in(root));
  std::set<std::string, std::less<>> staged;
  for (const std::string& name : names)
    staged.emplace(staged_for(name));
  staged.erase("");
  for (const std::string& name : staged) {
    TERN_RETURN_IF_ERROR(make_folders(root / kLocksFolder, kPrivateFolder));
    TERN_ASSIGN_OR_RETURN(const auto lock, FileLock::try_lock(lock_path(root, name)));
    if (lock != nullptr) TERN_RETURN_IF_ERROR(sweep_staging(root, name));
  }
  return {};
}

}  // namespace

fs::path lock_path(const fs::path& root, std::string_view folder_name) {
  return root / kLocksFolder / (std::string(folder_name) + ".lock");
}

Result<std::vector<DirectoryStore::Usage>> usage_of(const fs::path& root) {
  TERN_ASSIGN_OR_RETURN(const auto names, names_in(root));
  std::vector<DirectoryStore::Usage> all;
  for (const std::string& name : names) {
    if (!is_folder_name(name)) continue;
    TERN_ASSIGN_OR_RETURN(auto usage, usage_in(root / name));
    if (usage) all.push_back(std::move(*usage));
  }
  std::ranges::sort(all, [](const auto& a, const auto& b) {
    return std::tie(b.last_used, a.entry.engine) < std::tie(a.last_used, b.entry.engine);
  });
  return all;
}

Result<std::vector<DirectoryStore::Usage>> prune_store(const fs::path& root, std::uint64_t max_bytes,
                                                       std::string_view keep, Logger& logger) {
  TERN_RETURN_IF_ERROR(sweep_all(root));
  TERN_ASSIGN_OR_RETURN(auto all, usage_of(root));
  std::uint64_t total = 0;
  for (const auto& usage : all)
    total += usage.bytes;
  std::vector<DirectoryStore::Usage> removed;
  for (auto oldest = all.rbegin(); oldest != all.rend() && total > max_bytes; ++oldest) {
    const fs::path folder = oldest->entry.engine.parent_path();
    if (folder.filename() == fs::path(keep)) continue;
    TERN_ASSIGN_OR_RETURN(const bool is_removed, remove_unlocked(root, folder));
    if (!is_removed) continue;
    total -= oldest->bytes;
    logger.log(LogLevel::kInfo, "store",
               fmt::format("removed {} ({}), the least recently used", oldest->entry.engine.string(),
                           format_byte_size(oldest->bytes)));
    removed.push_back(*oldest);
  }
  return removed;
}

}  // namespace tern
