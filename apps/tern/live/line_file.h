// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "tern/status.h"

namespace tern {

/// Lines at the end of a file, a device, a pipe or standard output. Each is in the system's hands when write() returns, by one call, so that
/// neither a crash nor another writer of the same file tears it. Not thread-safe.
class LineFile {
 public:
  /// Makes the file where there is none. Behind a line that an earlier writer did not end, a new one begins. "-" is standard output.
  [[nodiscard]] static Result<LineFile> open(const std::filesystem::path& path);
  LineFile(LineFile&& other) noexcept;
  LineFile& operator=(LineFile&&) = delete;
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  ~LineFile();

  /// `line` without its line end. IoError when the disk is full or the reader has gone; the file ends with a whole line then, too.
  [[nodiscard]] Status write(std::string_view line);
  /// On the disk when it returns, where there is one.
  [[nodiscard]] Status sync();
  /// What was in it before.
  [[nodiscard]] std::uint64_t bytes_before() const noexcept { return bytes_before_; }

 private:
  LineFile(std::string name, int descriptor, bool is_owned)
      : name_(std::move(name)), descriptor_(descriptor), is_owned_(is_owned) {}
  [[nodiscard]] Status continue_file();
  [[nodiscard]] Status failed(int error) const;
  void take_back(std::size_t bytes) const noexcept;

  std::string name_;
  std::string buffer_;
  int descriptor_;
  bool is_owned_;
  bool is_regular_ = false;
  std::uint64_t bytes_before_ = 0;
};

}  // namespace tern
