// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"

namespace tern {

/// The whole file, read at most `max_bytes` long. IoError (missing, not readable, a folder) or `too_large` beyond the
/// limit.
[[nodiscard]] TERN_API Result<std::vector<std::byte>> read_file(const std::filesystem::path& path,
                                                                std::uint64_t max_bytes,
                                                                StatusCode too_large = StatusCode::kInputError);
[[nodiscard]] TERN_API Result<std::string> read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes);
/// SHA-256 of a file of any size, as 64 hex digits. IoError when it is missing, not readable or no regular file.
[[nodiscard]] TERN_API Result<std::string> sha256_of_file(const std::filesystem::path& path);

/// A file that appears whole under its name, or not at all.
///
/// Bytes go to a temporary file in the same folder; commit() syncs it, renames it over `path` and syncs the folder.
/// Without a commit the destructor removes the temporary file. Not thread-safe.
class TERN_API AtomicFile {
 public:
  /// IoError when the folder is missing or refuses a new file.
  [[nodiscard]] static Result<AtomicFile> create(const std::filesystem::path& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// IoError when the disk is full.
  [[nodiscard]] Status write(std::span<const std::byte> bytes);
  [[nodiscard]] Status write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  [[nodiscard]] Status commit();
  /// The temporary file, for a library that writes by name; call commit() when it is done.
  [[nodiscard]] const std::filesystem::path& temporary_path() const noexcept { return temporary_; }

 private:
  AtomicFile(std::filesystem::path path, std::filesystem::path temporary, int descriptor);
  std::filesystem::path path_, temporary_;
  int descriptor_;
};

/// create, write, commit.
[[nodiscard]] TERN_API Status write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
[[nodiscard]] TERN_API Status write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace tern
