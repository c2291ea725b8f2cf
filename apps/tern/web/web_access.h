// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "tern/status.h"

namespace tern {

/// Who may read the live page. Holds a token, or none.
class WebAccess {
 public:
  static constexpr std::size_t kMinToken = 16, kMaxToken = 512;

  /// Without a token everyone may.
  WebAccess() = default;
  /// The token is the file's only line: kMinToken..kMaxToken letters, digits, "-", "_", "." or "~". ConfigError for another, and where others
  /// than the file's owner and group may read it or others than its owner may write it; IoError where it cannot be read.
  [[nodiscard]] static Result<WebAccess> from_file(const std::filesystem::path& file);
  /// ConfigError as from_file().
  [[nodiscard]] static Result<WebAccess> from_token(std::string_view token);

  [[nodiscard]] bool needs_token() const noexcept { return !token_.empty(); }
  /// In a time that does not tell where the first difference lies.
  [[nodiscard]] bool is_token(std::string_view text) const noexcept;
  /// An Authorization header: "Bearer TOKEN".
  [[nodiscard]] bool is_authorization(std::string_view header) const noexcept;
  /// A Cookie header that holds what set_cookie() gave.
  [[nodiscard]] bool is_cookie(std::string_view header, int port) const noexcept;
  /// A Set-Cookie header. The cookie is derived from the token and does not tell it; scripts cannot read it, and other sites' pages do not
  /// send it. Cookies know no ports, so its name has the port.
  [[nodiscard]] std::string set_cookie(int port) const;

 private:
  std::string token_{}, cookie_{};
};

/// Whether a Host header names this machine by loopback: "localhost", "127.x.y.z", "[::1]", with any port. Pages of other sites whose name
/// was made to lead here (DNS rebinding) send their own.
[[nodiscard]] bool is_loopback_host(std::string_view host) noexcept;

}  // namespace tern
