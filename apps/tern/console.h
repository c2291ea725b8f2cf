// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"

namespace tern {

/// Where the program's words for people go. Results for machines never pass through here.
struct Console {
  std::FILE* out = stdout;      ///< reports and tables; stderr when standard output carries JSON
  bool quiet = false;           ///< errors alone
  bool live = false;            ///< a progress bar can be drawn: stderr is a terminal, not quiet
  bool colored_errors = false;  ///< stderr is a terminal, and NO_COLOR is not set

  /// Looks at the terminal and the environment.
  [[nodiscard]] static Console detect();
  /// A line of a report, unless quiet.
  void print(std::string_view line) const;
  /// "tern: warning: ..." on stderr, unless quiet.
  void warn(std::string_view message) const;
  /// The failure on stderr: "tern: ModelError: where: message", then hint and cause on indented lines of their own.
  void error(const Status& status) const;
};

/// `text` with control characters made visible, so that a file name cannot steer the terminal. Line ends stay.
[[nodiscard]] std::string printable(std::string_view text);

/// One line of stderr, redrawn in place; nothing at all when the console is not live.
class ProgressBar {
 public:
  explicit ProgressBar(const Console& console) : live_(console.live) {}
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// At most ten times a second. `fraction` below 0: unknown.
  void update(double fraction, std::string_view text);
  void clear();

 private:
  bool live_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

/// Rows of cells as lines of text, columns aligned; the first row is the heading. Cells that begin with a digit (or a sign)
/// are set to the right. Columns count bytes, so non-ASCII cells shift what follows them.
[[nodiscard]] std::string format_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace tern
