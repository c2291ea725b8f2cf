// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "tern/status.h"

namespace tern {

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

/// IoError "what: reason of `error` (an errno)", at `path`, with the cure where there is one.
[[nodiscard]] Status io_error(std::string_view what, const std::filesystem::path& path, int error);

/// A regular file, open for reading.
struct RegularFile {
  Descriptor descriptor;
  struct stat info {};
  std::filesystem::path path;  ///< for messages
  [[nodiscard]] std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(info.st_size); }
};

/// IoError when it is missing or no folder. A link in its place is followed.
[[nodiscard]] Result<Descriptor> open_folder(const std::filesystem::path& path);
/// Opens `name` in `folder` without following a link and without waiting (for the writer of a FIFO). IoError when it is
/// missing or not permitted; EngineGateError when it is anything but a regular file.
[[nodiscard]] Result<RegularFile> open_regular(const Descriptor& folder, const std::string& name,
                                               const std::filesystem::path& where);
/// The same; none when it is missing.
[[nodiscard]] Result<std::optional<RegularFile>> open_if_there(const Descriptor& folder, const std::string& name,
                                                               const std::filesystem::path& where);
/// Reads `file` into `buffer`, whose size is the file's size. EngineGateError when the file has another size by now.
[[nodiscard]] Status read_exactly(const RegularFile& file, std::span<std::byte> buffer);
/// The whole file. EngineGateError above `max_bytes`, before anything is read.
[[nodiscard]] Result<std::string> read_whole(const RegularFile& file, std::uint64_t max_bytes);

/// Makes `path` and its parents where they are missing, with `mode` (less the umask).
[[nodiscard]] Status make_folders(const std::filesystem::path& path, mode_t mode);
/// Creates `path` (which must not exist), writes `bytes` and syncs them. Mode 0644 less the umask.
[[nodiscard]] Status create_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
[[nodiscard]] Status create_file(const std::filesystem::path& path, std::string_view text);
/// Makes renames and new names in `folder` survive a power cut.
[[nodiscard]] Status sync_folder(const std::filesystem::path& folder);
/// The names in a folder, without "." and "..", in the system's order; none when the folder does not exist.
[[nodiscard]] Result<std::vector<std::string>> names_in(const std::filesystem::path& folder);

}  // namespace tern
