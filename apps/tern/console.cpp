// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "console.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <unistd.h>

#include <fmt/format.h>

#include "standard_error.h"

namespace tern {
namespace {

void put(std::FILE* file, std::string_view text) {
  std::unique_lock<std::mutex> lock;
  if (file == stderr) lock = std::unique_lock(standard_error_mutex());
  std::fwrite(text.data(), 1, text.size(), file);
  if (file == stderr) std::fflush(file);
}

void put_indented(std::string_view label, std::string_view text) {
  std::string lines = fmt::format("  {}: ", label);
  for (const char c : text) {
    lines += c;
    if (c == '\n') lines += "    ";
  }
  put(stderr, lines + "\n");
}

bool is_number(std::string_view cell) {
  if (cell.empty()) return false;
  const char c = cell[0];
  return (c >= '0' && c <= '9') || ((c == '-' || c == '+') && (cell.size() == 1 || (cell[1] >= '0' && cell[1] <= '9')));
}

}  // namespace

Console Console::detect() {
  Console console;
  const char* term = std::getenv("TERM");
  const bool terminal = ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
  const char* no_color = std::getenv("NO_COLOR");
  console.live = terminal;
  console.colored_errors = terminal && (no_color == nullptr || *no_color == '\0');
  return console;
}

void Console::print(std::string_view line) const {
  if (quiet) return;
  put(out, printable(line) + "\n");
  std::fflush(out);
}

void Console::warn(std::string_view message) const {
  if (!quiet) put(stderr, fmt::format("tern: warning: {}\n", printable(message)));
}

void Console::error(const Status& status) const {
  const char* red = colored_errors ? "\x1B[1;31m" : "";
  const char* plain = colored_errors ? "\x1B[0m" : "";
  const std::string where = status.where().empty() ? std::string() : status.where() + ": ";
  put(stderr, fmt::format("tern: {}{}{}: {}{}\n", red, error_class(status.code()).name, plain, printable(where),
                          printable(status.message())));
  if (!status.hint().empty()) put_indented("hint", printable(status.hint()));
  if (!status.cause().empty()) put_indented("cause", printable(status.cause()));
}

std::string printable(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) {
      safe += fmt::format("\\x{:02x}", byte);
    } else {
      safe += c;
    }
  }
  return safe;
}

void ProgressBar::update(double fraction, std::string_view text) {
  const auto now = std::chrono::steady_clock::now();
  if (!live_ || (drawn_ && now - last_ < std::chrono::milliseconds(100))) return;
  last_ = now;
  drawn_ = true;
  constexpr int kWidth = 24;
  std::string bar;
  if (fraction >= 0) {
    const int full = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kWidth);
    for (int i = 0; i < kWidth; ++i)
      bar += i < full ? '#' : '.';
    bar = fmt::format("[{}] {:3.0f}% ", bar, 100 * std::clamp(fraction, 0.0, 1.0));
  }
  put(stderr, fmt::format("\r{}{}\x1B[K", bar, printable(text)));
}

void ProgressBar::clear() {
  if (!drawn_) return;
  put(stderr, "\r\x1B[K");
  drawn_ = false;
}

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      if (i == widths.size()) {
        widths.push_back(0);
        right.push_back(false);
      }
      widths[i] = std::max(widths[i], rows[r][i].size());
      if (r > 0 && is_number(rows[r][i])) right[i] = true;
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += right[i] ? fmt::format("{:>{}}  ", row[i], widths[i]) : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    while (line.ends_with(' '))
      line.pop_back();
    text += text.empty() ? line : "\n" + line;
  }
  return text;
}

}  // namespace tern
