// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/request_head.h"

#include <algorithm>
#include <cstddef>

namespace tern {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

struct Line {
  std::size_t start = 0, size = 0;  // the line end included
};

// The first header line of this name from `start` on, which is the start of a line; size 0: none.
Line find_header(std::string_view head, std::string_view name, std::size_t start) noexcept {
  while (start < head.size()) {
    const std::size_t end = head.find(kLineEnd, start);
    const std::size_t next = end == std::string_view::npos ? head.size() : end + kLineEnd.size();
    const std::string_view line = head.substr(start, next - start);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equals_ignoring_case(line.substr(0, colon), name))
      return {start, next - start};
    start = next;
  }
  return {};
}

std::size_t after_first_line(std::string_view head) noexcept {
  const std::size_t end = head.find(kLineEnd);
  return end == std::string_view::npos ? head.size() : end + kLineEnd.size();
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool has_stray_controls(std::string_view head) noexcept {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    if (c == '\r' && i + 1 < head.size() && head[i + 1] == '\n') {
      ++i;
    } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) {
      return true;
    }
  }
  return false;
}

bool has_body(std::string_view head) noexcept {
  const std::size_t start = after_first_line(head);
  return find_header(head, "content-length", start).size > 0 || find_header(head, "transfer-encoding", start).size > 0;
}

void remove_header(std::string& head, std::string_view name) {
  std::size_t start = after_first_line(head);
  for (Line line = find_header(head, name, start); line.size > 0; line = find_header(head, name, start)) {
    start = line.start;
    head.erase(line.start, line.size);
  }
}

}  // namespace tern
