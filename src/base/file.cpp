// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/error.h"
#include "base/sha256.h"

namespace tern {
namespace {

Status io_error(std::string_view what, const std::filesystem::path& path, int error) {
  const Status status =
      make_error(StatusCode::kIoError, "{}: {}", what, std::generic_category().message(error)).at(path.string());
  return error == ENOSPC ? status.with_hint("free some space, or write to another disk") : status;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

// Reads until the end or the limit: a file may grow, shrink or have no size (a pipe), so st_size is a hint only.
template <typename Buffer>
Status read_all(const std::filesystem::path& path, std::uint64_t max_bytes, StatusCode too_large, Buffer& buffer) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return io_error("cannot open the file", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return io_error("cannot read the file", path, errno);
  if (S_ISDIR(info.st_mode)) return make_error(StatusCode::kIoError, "is a folder, not a file").at(path.string());
  const auto over_limit = [&](std::uint64_t size) {
    return make_error(too_large, "the file has {} bytes or more; the limit is {}", size, max_bytes).at(path.string());
  };
  const auto expected = static_cast<std::uint64_t>(info.st_size);
  if (S_ISREG(info.st_mode) && expected > max_bytes) return over_limit(expected);
  std::size_t size = 0;
  buffer.resize(static_cast<std::size_t>(S_ISREG(info.st_mode) ? expected + 1 : 65536));
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("cannot read the file", path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size > max_bytes) return over_limit(size);
    if (size == buffer.size()) buffer.resize(buffer.size() * 2);
  }
  buffer.resize(size);
  return {};
}

}  // namespace

Result<std::vector<std::byte>> read_file(const std::filesystem::path& path, std::uint64_t max_bytes,
                                         StatusCode too_large) {
  std::vector<std::byte> bytes;
  TERN_RETURN_IF_ERROR(read_all(path, max_bytes, too_large, bytes));
  return bytes;
}

Result<std::string> read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  std::string text;
  TERN_RETURN_IF_ERROR(read_all(path, max_bytes, StatusCode::kInputError, text));
  return text;
}

Result<std::string> sha256_of_file(const std::filesystem::path& path) {
  // Without waiting for the writer of a FIFO.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return io_error("cannot open the file", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return io_error("cannot read the file", path, errno);
  if (!S_ISREG(info.st_mode)) return make_error(StatusCode::kIoError, "is no regular file").at(path.string());
  Sha256 hash;
  std::vector<std::byte> buffer(1 << 18);
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("cannot read the file", path, errno);
    if (got == 0) return to_hex(hash.finish());
    hash.update(std::span(buffer).first(static_cast<std::size_t>(got)));
  }
}

AtomicFile::AtomicFile(std::filesystem::path path, std::filesystem::path temporary, int descriptor)
    : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& path) {
  // The name keeps the extension: libraries that write by name choose their format by it.
  std::string temporary =
      (path.parent_path() / ("." + path.stem().string() + ".XXXXXX" + path.extension().string())).string();
  const int fd = ::mkostemps(temporary.data(), static_cast<int>(path.extension().string().size()), O_CLOEXEC);
  if (fd < 0) return io_error("cannot create the file", path, errno);
  ::fchmod(fd, 0644);
  return AtomicFile(path, temporary, fd);
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_error("cannot write the file", path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Status AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) return io_error("cannot write the file", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return io_error("cannot write the file", path_, errno);
  ::close(std::exchange(descriptor_, -1));
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
  return {};
}

Status write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  TERN_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  TERN_RETURN_IF_ERROR(file.write(bytes));
  return file.commit();
}

Status write_file(const std::filesystem::path& path, std::string_view text) {
  return write_file(path, std::as_bytes(std::span(text)));
}

}  // namespace tern
