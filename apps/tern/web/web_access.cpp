// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/web_access.h"

#include <algorithm>
#include <cstddef>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "web/request_head.h"

namespace tern {
namespace {

constexpr std::string_view kHowToMake = "make one with: (umask 077; openssl rand -hex 32 > FILE)";

bool is_token_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// The length of a secret may be told, its letters not.
bool equals_in_constant_time(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  return difference == 0;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

// "127.x.y.z", each 0..255.
bool is_loopback_v4(std::string_view host) noexcept {
  if (!host.starts_with("127.")) return false;
  int parts = 0;
  for (;;) {
    const std::size_t end = std::min(host.find('.'), host.size());
    const std::string_view part = host.substr(0, end);
    int value = 0;
    if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), is_digit)) return false;
    for (const char c : part)
      value = 10 * value + (c - '0');
    if (value > 255 || ++parts > 4) return false;
    if (end == host.size()) return parts == 4;
    host.remove_prefix(end + 1);
  }
}

std::string cookie_name(int port) {
  return fmt::format("tern_{}", port);
}

}  // namespace

Result<WebAccess> WebAccess::from_file(const std::filesystem::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) == 0 && (info.st_mode & (S_IWGRP | S_IRWXO)) != 0) {
    return make_error(StatusCode::kConfigError, "others may read or write the token (mode {:o})", info.st_mode & 0777U)
        .at(file.string())
        .with_hint("chmod 600; if others may have read it, make a new one");
  }
  TERN_ASSIGN_OR_RETURN(std::string text, read_text_file(file, 4096));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  Result<WebAccess> access = from_token(text);
  return access.ok() ? std::move(access) : Result<WebAccess>(access.status().at(file.string()));
}

Result<WebAccess> WebAccess::from_token(std::string_view token) {
  if (token.size() < kMinToken || token.size() > kMaxToken) {
    return make_error(StatusCode::kConfigError, "the token has {} letters; {} to {} are wanted", token.size(),
                      kMinToken, kMaxToken)
        .with_hint(kHowToMake);
  }
  if (!std::all_of(token.begin(), token.end(), is_token_letter)) {
    return make_error(StatusCode::kConfigError,
                      "the token has other letters than A-Z a-z 0-9 - _ . ~, or several lines")
        .with_hint(kHowToMake);
  }
  WebAccess access;
  access.token_ = token;
  Sha256 hash;
  hash.update("tern web cookie 1\n");
  hash.update(token);
  access.cookie_ = to_hex(hash.finish());
  return access;
}

bool WebAccess::is_token(std::string_view text) const noexcept {
  return !token_.empty() && equals_in_constant_time(text, token_);
}

bool WebAccess::is_authorization(std::string_view header) const noexcept {
  constexpr std::string_view kScheme = "bearer ";
  return header.size() > kScheme.size() && equals_ignoring_case(header.substr(0, kScheme.size()), kScheme) &&
         is_token(trimmed(header.substr(kScheme.size())));
}

bool WebAccess::is_cookie(std::string_view header, int port) const noexcept {
  const std::string wanted = cookie_name(port);
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    const std::string_view pair = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != wanted) continue;
    if (!cookie_.empty() && equals_in_constant_time(pair.substr(equals + 1), cookie_)) return true;
  }
  return false;
}

std::string WebAccess::set_cookie(int port) const {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict", cookie_name(port), cookie_);
}

bool is_loopback_host(std::string_view host) noexcept {
  const std::size_t after_name = host.starts_with('[') ? host.find(']') : 0;
  if (after_name == std::string_view::npos) return false;
  const std::size_t colon = host.find(':', after_name);
  if (colon != std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) return false;
    host = host.substr(0, colon);
  }
  return equals_ignoring_case(host, "localhost") || host == "[::1]" || is_loopback_v4(host);
}

}  // namespace tern
