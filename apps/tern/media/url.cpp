// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/url.h"

#include <algorithm>
#include <cstddef>

namespace tern {
namespace {

constexpr std::string_view kAfterScheme = "://";
constexpr std::string_view kEndsUrl = " \t\r\n'\"<>";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %40 becomes @.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    plain += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
    if (low >= 0) i += 2;
  }
  return plain;
}

// A name or address, then, if anything, ':' and a port.
bool is_host(std::string_view host) {
  constexpr std::size_t kMaxPortDigits = 5;
  const std::size_t address = host.starts_with('[') ? std::min(host.find(']'), host.size()) : 0;
  const std::size_t colon = std::min(host.find(':', address), host.size());
  const std::string_view port = host.substr(std::min(colon + 1, host.size()));
  if (colon == 0 || host.substr(0, colon).find('\\') != std::string_view::npos) return false;
  return colon == host.size() || (!port.empty() && port.size() <= kMaxPortDigits &&
                                  port.find_first_not_of("0123456789") == std::string_view::npos);
}

}  // namespace

std::string shown_url(std::string_view url) {
  const std::size_t scheme = url.find(kAfterScheme);
  if (scheme == std::string_view::npos) return std::string(url);
  const std::size_t begin = scheme + kAfterScheme.size();
  std::string_view rest = url.substr(begin);
  std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t at = host.rfind('@');
  if (at != std::string_view::npos) {
    host.remove_prefix(at + 1);
  } else if (rest.find('@') != std::string_view::npos) {
    host = "...";  // a password with a '/' that is not escaped looks like a host
  }
  return std::string(url.substr(0, begin)).append(host);
}

std::string with_shown_urls(std::string_view text) {
  std::string shown;
  for (;;) {
    const std::size_t scheme = text.find(kAfterScheme);
    if (scheme == std::string_view::npos) return shown.append(text);
    const std::size_t end = std::min(text.find_first_of(kEndsUrl, scheme), text.size());
    shown.append(text.substr(0, scheme)).append(shown_url(text.substr(scheme, end - scheme)));
    text.remove_prefix(end);
  }
}

std::optional<HttpUrl> parse_http_url(std::string_view url) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; };
  if (std::ranges::any_of(url, is_control)) return std::nullopt;
  std::string_view scheme;
  for (const std::string_view known : {"http://", "https://"}) {
    if (url.starts_with(known)) scheme = known;
  }
  if (scheme.empty()) return std::nullopt;
  url.remove_prefix(scheme.size());
  url = url.substr(0, url.find('#'));
  std::string_view host = url.substr(0, url.find_first_of("/?"));
  const std::string_view path = url.substr(host.size());
  HttpUrl parts;
  parts.path = path.starts_with('/') ? std::string(path) : "/" + std::string(path);
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = host.substr(0, at);
    const std::size_t colon = user.find(':');
    parts.user = unescape(user.substr(0, colon));
    if (colon != std::string_view::npos) parts.password = unescape(user.substr(colon + 1));
    host.remove_prefix(at + 1);
  }
  if (!is_host(host)) return std::nullopt;
  parts.host = std::string(scheme) + std::string(host);
  return parts;
}

}  // namespace tern
