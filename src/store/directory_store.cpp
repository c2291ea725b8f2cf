// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>

#include "base/error.h"
#include "store/entry.h"
#include "store/file_lock.h"
#include "store/files.h"
#include "store/staging.h"
#include "store/store_folders.h"
#include "tern/store.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

/// What stands where an entry is to go.
struct Occupant {
  bool is_same_key = false;  ///< an entry of the key itself
  Status damage;             ///< an entry whose key cannot be told, and why
};

Result<Occupant> occupant_of(const fs::path& folder, const EngineKey& key) {
  Occupant occupant;
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) {
    if (errno == ENOENT) return occupant;
    return io_error("cannot look at the entry", folder, errno);
  }
  TERN_ASSIGN_OR_RETURN(const auto entry, entry_in(folder));
  if (!entry || ::lstat(entry->manifest().c_str(), &info) != 0) {
    occupant.damage = Status(StatusCode::kEngineGateError, "has no engine, or no manifest").at(folder.string());
    return occupant;
  }
  const auto found = key_of(*entry);
  if (found.ok() && found->hash() != key.hash()) {
    return make_error(StatusCode::kIoError, "engine {} is in the place that engine {} would take", found->hash(),
                      key.hash())
        .at(folder.string())
        .with_hint("remove the one that you need less");
  }
  occupant.is_same_key = found.ok();
  // Only a manifest that was read and is wrong is damage; one that cannot be read now may be readable later.
  if (!found.ok() && found.status().code() != StatusCode::kEngineGateError) return found.status();
  occupant.damage = found.status();
  return occupant;
}

/// Puts the staged folder where `folder` holds another build of the same key, which goes when all is done.
Status replace(const fs::path& root, const fs::path& folder, const fs::path& staged) {
  TERN_ASSIGN_OR_RETURN(StagingFolder aside, StagingFolder::create(root, folder.filename().string()));
  if (::rename(folder.c_str(), aside.path().c_str()) != 0) return io_error("cannot replace the entry", folder, errno);
  if (::rename(staged.c_str(), folder.c_str()) == 0) return {};
  const int error = errno;
  (void)::rename(aside.path().c_str(), folder.c_str());
  aside.release();  // the old entry is back, or stays in the staging folder: what failed here removes nothing
  return io_error("cannot replace the entry", folder, error);
}

}  // namespace

DirectoryStore::DirectoryStore(fs::path root, std::uint64_t max_bytes, std::shared_ptr<Logger> logger)
    : root_(std::move(root)), max_bytes_(max_bytes), logger_(std::move(logger)) {}

DirectoryStore::~DirectoryStore() = default;

Result<fs::path> DirectoryStore::default_root() {
  const auto folder = [](const char* variable) {
    const char* value = std::getenv(variable);
    return fs::path(value == nullptr ? "" : value);
  };
  // Relative paths are to be ignored, says the XDG base directory specification.
  if (const fs::path cache = folder("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "tern" / "engines";
  if (const fs::path home = folder("HOME"); home.is_absolute()) return home / ".cache" / "tern" / "engines";
  return Status(StatusCode::kConfigError, "no folder for engines: neither XDG_CACHE_HOME nor HOME is an absolute path")
      .with_hint("set store.path or TERN_STORE_PATH");
}

Result<std::optional<EngineEntry>> DirectoryStore::find(const EngineKey& key) {
  const fs::path folder = root_ / folder_name(key);
  TERN_ASSIGN_OR_RETURN(auto entry, entry_in(folder));
  // The folder's time is that of the last use. A store that may not be written serves all the same.
  if (entry) (void)::utimensat(AT_FDCWD, folder.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  return entry;
}

Result<std::unique_ptr<EngineStore::Lock>> DirectoryStore::lock(const EngineKey& key, const WaitOptions& wait) {
  const std::string name = folder_name(key);
  TERN_RETURN_IF_ERROR(make_folders(root_ / kLocksFolder, kPrivateFolder));
  const auto on_wait = [&] {
    logger_->log(LogLevel::kInfo, "store", fmt::format("waiting for another build of engine {}", name));
  };
  TERN_ASSIGN_OR_RETURN(auto lock, FileLock::lock(lock_path(root_, name), wait, on_wait));
  return std::unique_ptr<Lock>(std::move(lock));
}

Result<EngineEntry> DirectoryStore::put(const EngineKey& key, const EngineFiles& files) {
  TERN_RETURN_IF_ERROR(check_files(files));
  const std::string name = folder_name(key);
  const fs::path folder = root_ / name;
  TERN_RETURN_IF_ERROR(make_folders(root_, kPrivateFolder));
  TERN_RETURN_IF_ERROR(sweep_staging(root_, name));
  TERN_ASSIGN_OR_RETURN(const Occupant occupant, occupant_of(folder, key));
  TERN_ASSIGN_OR_RETURN(StagingFolder staged, StagingFolder::create(root_, name));
  TERN_RETURN_IF_ERROR(staged.write(files));
  // Nothing that cannot be read is overwritten: somebody may want to know what happened to it.
  if (!occupant.damage.ok())
    TERN_RETURN_IF_ERROR(quarantine_folder(root_, folder, files.name, occupant.damage, *logger_));
  if (occupant.is_same_key) {
    TERN_RETURN_IF_ERROR(replace(root_, folder, staged.path()));
  } else if (::rename(staged.path().c_str(), folder.c_str()) != 0) {
    return io_error("cannot store the entry", folder, errno);
  }
  staged.release();
  TERN_RETURN_IF_ERROR(sync_folder(root_));
  logger_->log(LogLevel::kInfo, "store", fmt::format("stored {}", (folder / files.name).string()));
  if (max_bytes_ > 0) {
    // The entry is stored, whatever becomes of the older ones.
    if (const auto removed = prune_store(root_, max_bytes_, name, *logger_); !removed.ok())
      logger_->log(LogLevel::kWarning, "store", "the limit is not kept: " + removed.status().to_string());
  }
  return EngineEntry{folder / files.name};
}

Status DirectoryStore::quarantine(const EngineEntry& entry, const Status& reason) {
  const fs::path folder = entry.engine.parent_path();
  std::error_code failure;
  if (!is_folder_name(folder.filename().string()) || !fs::equivalent(folder.parent_path(), root_, failure)) {
    return make_error(StatusCode::kConfigError, "is no entry of the store {}", root_.string())
        .at(entry.engine.string());
  }
  return quarantine_folder(root_, folder, entry.engine.filename().string(), reason, *logger_);
}

Result<std::vector<EngineEntry>> DirectoryStore::list() {
  TERN_ASSIGN_OR_RETURN(const auto all, usage_of(root_));
  std::vector<EngineEntry> entries;
  for (const Usage& usage : all)
    entries.push_back(usage.entry);
  return entries;
}

Result<std::vector<DirectoryStore::Usage>> DirectoryStore::usage() {
  return usage_of(root_);
}

Result<std::vector<DirectoryStore::Usage>> DirectoryStore::prune(std::uint64_t max_bytes) {
  return prune_store(root_, max_bytes, {}, *logger_);
}

}  // namespace tern
