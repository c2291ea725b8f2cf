// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "tern/status.h"

namespace tern {

/// Posts JSON to one URL, over one connection as long as the other side keeps it open. Not thread-safe.
class HttpPost {
 public:
  /// `url`: http://[USER:PASSWORD@]HOST[:PORT][/PATH][?QUERY], or https, whose certificate is checked. `timeout`: of the connection, and of
  /// the answer. ConfigError for another URL, without showing it.
  [[nodiscard]] static Result<HttpPost> open(std::string_view url, std::chrono::nanoseconds timeout);
  HttpPost(HttpPost&&) noexcept;
  HttpPost& operator=(HttpPost&&) = delete;
  HttpPost(const HttpPost&) = delete;
  HttpPost& operator=(const HttpPost&) = delete;
  ~HttpPost();

  struct Answer {
    Status status{};              ///< success: taken (2xx); else IoError or Timeout, which names the host
    bool is_worth_retry = false;  ///< the other side, or the way there, may do better the next time
  };
  [[nodiscard]] Answer post(const std::string& body);
  /// "http://host:port".
  [[nodiscard]] const std::string& host() const noexcept;

 private:
  struct State;
  explicit HttpPost(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace tern
