// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "store/files.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <system_error>

#include "base/error.h"

namespace tern {
namespace {

std::string_view cure_of(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space (tern cache prune), or choose another folder with store.path or TERN_STORE_PATH";
    case EROFS:
    case EACCES:
    case EPERM:
      return "this user may not use it: choose another folder with store.path or TERN_STORE_PATH";
    case EFBIG:
      return "the limit on file sizes (ulimit -f) is too small for engines";
    case EMFILE:
    case ENFILE:
      return "too many files are open: raise the limit (ulimit -n)";
    default:
      return {};
  }
}

}  // namespace

Status io_error(std::string_view what, const std::filesystem::path& path, int error) {
  return make_error(StatusCode::kIoError, "{}: {}", what, std::generic_category().message(error))
      .at(path.string())
      .with_hint(cure_of(error));
}

Result<Descriptor> open_folder(const std::filesystem::path& path) {
  Descriptor folder(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return io_error("cannot open the folder", path, errno);
  return folder;
}

Result<std::optional<RegularFile>> open_if_there(const Descriptor& folder, const std::string& name,
                                                 const std::filesystem::path& where) {
  RegularFile file;
  file.path = where;
  file.descriptor =
      Descriptor(::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const auto not_regular = [&](std::string_view what) {
    return make_error(StatusCode::kEngineGateError, "is {}, not a regular file", what)
        .at(where.string())
        .with_hint("engines are plain files, as tern compile writes them: copy the file itself there");
  };
  if (!file.descriptor.valid()) {
    const int error = errno;
    if (error == ENOENT) return std::optional<RegularFile>();
    if (error == ELOOP) return not_regular("a symbolic link");
    if (error == ENXIO) return not_regular("a socket or a device");
    return io_error("cannot open the file", where, error);
  }
  if (::fstat(file.descriptor.get(), &file.info) != 0) return io_error("cannot look at the file", where, errno);
  if (S_ISDIR(file.info.st_mode)) return not_regular("a folder");
  if (S_ISFIFO(file.info.st_mode)) return not_regular("a FIFO");
  if (!S_ISREG(file.info.st_mode)) return not_regular("a device or something else");
  return std::optional(std::move(file));
}

Result<RegularFile> open_regular(const Descriptor& folder, const std::string& name,
                                 const std::filesystem::path& where) {
  TERN_ASSIGN_OR_RETURN(auto file, open_if_there(folder, name, where));
  if (!file) return io_error("cannot open the file", where, ENOENT);
  return std::move(*file);
}

Status read_exactly(const RegularFile& file, std::span<std::byte> buffer) {
  const auto changed = [&] {
    return make_error(StatusCode::kEngineGateError, "the file changed while it was read: it had {} bytes",
                      buffer.size())
        .at(file.path.string())
        .with_hint("let one program at a time write engines, and by renaming");
  };
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got =
        ::pread(file.descriptor.get(), buffer.data() + done, buffer.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("cannot read the file", file.path, errno);
    if (got == 0) return changed();
    done += static_cast<std::size_t>(got);
  }
  std::byte more{};
  if (::pread(file.descriptor.get(), &more, 1, static_cast<off_t>(done)) > 0) return changed();
  return {};
}

Result<std::string> read_whole(const RegularFile& file, std::uint64_t max_bytes) {
  if (file.size() > max_bytes) {
    return make_error(StatusCode::kEngineGateError, "the file has {} bytes; the limit is {}", file.size(), max_bytes)
        .at(file.path.string());
  }
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  TERN_RETURN_IF_ERROR(read_exactly(file, std::as_writable_bytes(std::span(text))));
  return text;
}

Status make_folders(const std::filesystem::path& path, mode_t mode) {
  std::filesystem::path made;
  for (const std::filesystem::path& part : path) {
    made /= part;
    if (::mkdir(made.c_str(), mode) == 0 || errno == EEXIST) continue;
    // Parents that exist may refuse in other ways (read-only, not ours): what counts is whether the folder is there.
    const int error = errno;
    struct stat info {};
    if (::stat(made.c_str(), &info) != 0) return io_error("cannot make the folder", made, error);
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return io_error("cannot make the folder", path, errno);
  if (!S_ISDIR(info.st_mode)) return io_error("cannot make the folder", path, ENOTDIR);
  return {};
}

Status create_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file.valid()) return io_error("cannot create the file", path, errno);
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_error("cannot write the file", path, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  if (::fsync(file.get()) != 0) return io_error("cannot write the file", path, errno);
  return {};
}

Status create_file(const std::filesystem::path& path, std::string_view text) {
  return create_file(path, std::as_bytes(std::span(text)));
}

Status sync_folder(const std::filesystem::path& folder) {
  TERN_ASSIGN_OR_RETURN(const Descriptor directory, open_folder(folder));
  // Some file systems cannot sync a folder and say EINVAL; there is no more to be done then.
  if (::fsync(directory.get()) != 0 && errno != EINVAL) return io_error("cannot sync the folder", folder, errno);
  return {};
}

Result<std::vector<std::string>> names_in(const std::filesystem::path& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), [](DIR* d) { return ::closedir(d); });
  std::vector<std::string> names;
  if (directory == nullptr) {
    if (errno == ENOENT) return names;
    return io_error("cannot read the folder", folder, errno);
  }
  for (errno = 0; const dirent* entry = ::readdir(directory.get()); errno = 0) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return io_error("cannot read the folder", folder, errno);
  return names;
}

}  // namespace tern
