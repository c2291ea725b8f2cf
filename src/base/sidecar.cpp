// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/sidecar.h"

#include <algorithm>
#include <cstddef>

#include "base/error.h"
#include "base/sha256.h"

namespace tern {
namespace {

constexpr std::size_t kDigits = 64;

}  // namespace

std::string format_sidecar(std::string_view sha256, std::string_view name) {
  // sha256sum marks a line in which it had to escape the name; engine names hold no line breaks.
  std::string line(name.find('\\') == std::string_view::npos ? "" : "\\");
  line.append(sha256).append("  ");
  for (const char c : name)
    line.append(c == '\\' ? 2 : 1, c);
  return line + "\n";
}

Result<Sidecar> parse_sidecar(std::string_view text, StatusCode code) {
  const auto malformed = [&](std::string_view why) { return make_error(code, "is no line of sha256sum: {}", why); };
  const bool is_escaped = text.starts_with('\\');
  if (is_escaped) text.remove_prefix(1);
  if (text.ends_with('\n')) text.remove_suffix(1);
  Sidecar sidecar;
  sidecar.sha256 = std::string(text.substr(0, kDigits));
  std::ranges::transform(sidecar.sha256, sidecar.sha256.begin(),
                         [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (!is_hex_digest(sidecar.sha256)) return malformed("it does not begin with 64 hex digits");
  text.remove_prefix(kDigits);
  if (text.empty() && !is_escaped) return sidecar;
  if (!text.starts_with("  ") && !text.starts_with(" *")) return malformed("no file name follows the digits");
  text.remove_prefix(2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_escaped && text[i] == '\\' && (++i == text.size() || text[i] != '\\'))
      return malformed("the file name is not escaped rightly");
    sidecar.name += text[i];
  }
  if (sidecar.name.empty()) return malformed("no file name follows the digits");
  if (sidecar.name.find('\n') != std::string::npos) return malformed("it has more than one line");
  return sidecar;
}

}  // namespace tern
