// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "tern/status.h"

namespace tern {

/// JSON for machines: to standard output ("-"), to a device or pipe, or to a file that appears whole with commit().
class TextOutput {
 public:
  [[nodiscard]] static Result<TextOutput> open(const std::string& path);
  /// One text alone: open(), write_line() and commit().
  [[nodiscard]] static Status write(const std::string& path, std::string_view text);
  /// `line` without its line end. IoError when the disk is full or the reader has gone.
  [[nodiscard]] Status write_line(std::string_view line);
  [[nodiscard]] Status commit();
  [[nodiscard]] static bool is_stdout(std::string_view path) noexcept { return path == "-" || path == "/dev/stdout"; }

 private:
  struct Close {
    bool owned;
    void operator()(std::FILE* file) const noexcept {
      if (owned) std::fclose(file);
    }
  };
  TextOutput() = default;
  [[nodiscard]] Status failed() const;
  std::string name_;
  std::optional<AtomicFile> file_;
  std::unique_ptr<std::FILE, Close> stream_{nullptr, Close{false}};
};

}  // namespace tern
