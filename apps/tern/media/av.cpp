// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/av.h"

#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <mutex>

extern "C" {
#include <libavutil/log.h>
}

#include "media/url.h"

namespace tern::av {
namespace {

constexpr std::size_t kKeptLines = 5;

// FFmpeg has one log callback for the process, called from its own threads too.
struct Log {
  std::mutex mutex;
  std::deque<std::string> lines;
};
Log& log() {
  static Log instance;
  return instance;
}

void keep_line(void* object, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING) return;
  std::array<char, 512> text{};
  int prefix = 1;
  av_log_format_line2(object, level, format, arguments, text.data(), static_cast<int>(text.size()), &prefix);
  std::string line = with_shown_urls(text.data());
  while (line.ends_with('\n'))
    line.pop_back();
  if (line.empty()) return;
  const std::lock_guard lock(log().mutex);
  log().lines.push_back(std::move(line));
  if (log().lines.size() > kKeptLines) log().lines.pop_front();
}

}  // namespace

void capture_log() {
  av_log_set_callback(keep_line);
}

std::string take_log() {
  const std::lock_guard lock(log().mutex);
  std::string text;
  for (const std::string& line : log().lines) {
    text += text.empty() ? line : "\n" + line;
  }
  log().lines.clear();
  return text;
}

std::string error_text(int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error, text.data(), text.size());
  return text.data();
}

}  // namespace tern::av
