// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/line_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/error.h"
#include "text_output.h"

namespace tern {

LineFile::LineFile(LineFile&& other) noexcept
    : name_(std::move(other.name_)),
      buffer_(std::move(other.buffer_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      is_owned_(other.is_owned_),
      is_regular_(other.is_regular_),
      bytes_before_(other.bytes_before_) {}

LineFile::~LineFile() {
  if (is_owned_ && descriptor_ >= 0) ::close(descriptor_);
}

Status LineFile::failed(int error) const {
  const Status status =
      make_error(StatusCode::kIoError, "cannot write: {}", std::generic_category().message(error)).at(name_);
  return error == ENOSPC || error == EDQUOT ? status.with_hint("free some space, or write to another disk") : status;
}

Result<LineFile> LineFile::open(const std::filesystem::path& path) {
  if (TextOutput::is_stdout(path.native())) return LineFile("standard output", STDOUT_FILENO, false);
  // Read too, to see how it ends; a pipe or device may only be there for writing.
  int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  struct stat info {};
  const bool is_regular = descriptor >= 0 && ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  if (!is_regular) {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  }
  if (descriptor < 0) {
    return make_error(StatusCode::kIoError, "cannot be opened for writing: {}", std::generic_category().message(errno))
        .at(path.string());
  }
  LineFile file(path.string(), descriptor, true);
  file.is_regular_ = is_regular;
  file.bytes_before_ = is_regular ? static_cast<std::uint64_t>(info.st_size) : 0;
  TERN_RETURN_IF_ERROR(file.continue_file());
  return file;
}

Status LineFile::continue_file() {
  if (bytes_before_ == 0) return {};
  char last = '\n';
  if (::pread(descriptor_, &last, 1, static_cast<off_t>(bytes_before_ - 1)) != 1) return failed(errno);
  return last == '\n' ? Status() : write("");
}

void LineFile::take_back(std::size_t bytes) const noexcept {
  struct stat info {};
  const off_t end = ::lseek(descriptor_, 0, SEEK_CUR);
  // Unless another writer has added to it since.
  if (!is_regular_ || bytes == 0 || ::fstat(descriptor_, &info) != 0 || info.st_size != end) return;
  static_cast<void>(::ftruncate(descriptor_, end - static_cast<off_t>(bytes)) == 0);
}

Status LineFile::write(std::string_view line) {
  buffer_.assign(line).push_back('\n');
  std::size_t written = 0;
  while (written < buffer_.size()) {
    const ssize_t count = ::write(descriptor_, buffer_.data() + written, buffer_.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const int error = count < 0 ? errno : EIO;
      take_back(written);
      return failed(error);
    }
    written += static_cast<std::size_t>(count);
  }
  return {};
}

Status LineFile::sync() {
  if (!is_regular_ || ::fdatasync(descriptor_) == 0) return {};
  return failed(errno);
}

}  // namespace tern
