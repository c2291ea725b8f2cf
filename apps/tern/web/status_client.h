// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tern/status.h"

namespace tern {

/// Where a live page is.
struct ServerAddress {
  std::string host = "127.0.0.1";  ///< a name or an address; IPv6 without brackets
  int port = 8080;

  /// "http://HOST:PORT/", "HOST:PORT", "HOST", ":PORT", "[::1]:8080". ConfigError for anything else, https included.
  [[nodiscard]] static Result<ServerAddress> parse(std::string_view text);
  /// "http://127.0.0.1:8080/"
  [[nodiscard]] std::string url() const;
};

/// Reads /status.json of a live page, on a connection that it keeps. Not thread-safe.
class StatusClient {
 public:
  /// `token`: empty where the page has none.
  StatusClient(const ServerAddress& address, std::string token);
  StatusClient(const StatusClient&) = delete;
  StatusClient& operator=(const StatusClient&) = delete;
  ~StatusClient();

  /// The text of the answer, at most 16 MiB. IoError where nobody answers; ConfigError where the token is missing or wrong; InputError
  /// where it is not the live page of a pipeline.
  [[nodiscard]] Result<std::string> read();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tern
