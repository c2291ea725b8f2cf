// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <span>
#include <sys/file.h>
#include <sys/stat.h>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "store/entry.h"
#include "store/files.h"
#include "tern/store.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

/// Stands while the first write of a name is under way: files without a manifest beside it are what a killed write left,
/// and not somebody else's.
fs::path mark_of(const EngineEntry& entry) {
  return entry.engine.parent_path() / ("." + entry.engine.filename().string() + ".key");
}

/// ConfigError unless the name is free, or taken by an entry of the same key.
Status check_place(const EngineEntry& entry, const EngineKey& key) {
  const auto refuse = [&](const Status& status) {
    return status.at(entry.engine.string()).with_hint("choose another folder, or move the old files away");
  };
  if (is_there(entry.manifest())) {
    const auto found = key_of(entry);
    if (!found.ok() && found.status().code() != StatusCode::kEngineGateError) return found.status();
    if (!found.ok()) {
      return refuse(make_error(StatusCode::kConfigError, "the name is taken by an engine whose manifest is damaged: {}",
                               found.status().message()));
    }
    if (found->hash() == key.hash()) return {};
    return refuse(make_error(StatusCode::kConfigError, "the name is taken by an engine of another key; differs in: {}",
                             fmt::join(found->differences(key), ", ")));
  }
  if (is_there(mark_of(entry))) return {};
  for (const fs::path& path : {entry.engine, entry.sha256(), entry.golden(), entry.signature()}) {
    if (is_there(path)) {
      return refuse(make_error(StatusCode::kConfigError, "the name is taken by {}, which has no manifest",
                               path.filename().string()));
    }
  }
  return {};
}

/// Files that are written whole under temporary names first, so that a full disk spoils nothing that was there.
struct Pending {
  std::vector<AtomicFile> files;  ///< in the order in which they get their names
  std::vector<fs::path> gone;     ///< of an older entry, without a counterpart in the new one

  Status add(const fs::path& path, std::span<const std::byte> bytes) {
    if (bytes.empty()) {
      gone.push_back(path);
      return {};
    }
    TERN_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
    TERN_RETURN_IF_ERROR(file.write(bytes));
    files.push_back(std::move(file));
    return {};
  }
  Status add(const fs::path& path, std::string_view text) { return add(path, std::as_bytes(std::span(text))); }

  Status commit() {
    for (const fs::path& path : gone) {
      if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error("cannot remove the old file", path, errno);
    }
    for (AtomicFile& file : files)
      TERN_RETURN_IF_ERROR(file.commit());
    return {};
  }
};

}  // namespace

Result<EngineEntry> write_flat(const fs::path& folder, const EngineKey& key, const EngineFiles& files) {
  TERN_RETURN_IF_ERROR(check_files(files));
  TERN_RETURN_IF_ERROR(make_folders(folder, 0755));
  const EngineEntry entry{folder / files.name};
  // One writer at a time: keys that differ may have one flat name.
  TERN_ASSIGN_OR_RETURN(const Descriptor lock, open_folder(folder));
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return io_error("cannot lock the folder", folder, errno);
  }
  TERN_RETURN_IF_ERROR(check_place(entry, key));
  Pending pending;
  TERN_RETURN_IF_ERROR(pending.add(entry.engine, files.engine));
  TERN_RETURN_IF_ERROR(pending.add(entry.golden(), files.golden));
  TERN_RETURN_IF_ERROR(pending.add(entry.signature(), files.signature));
  TERN_RETURN_IF_ERROR(pending.add(entry.sha256(), files.sha256));
  TERN_RETURN_IF_ERROR(pending.add(entry.manifest(), files.manifest));
  const fs::path mark = mark_of(entry);
  TERN_RETURN_IF_ERROR(write_file(mark, key.hash() + "\n"));
  TERN_RETURN_IF_ERROR(pending.commit());
  if (::unlink(mark.c_str()) != 0) return io_error("cannot remove the mark", mark, errno);
  return entry;
}

}  // namespace tern
