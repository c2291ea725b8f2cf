// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runtime/descriptor.h"
#include "tern/status.h"

namespace tern {

/// A TCP socket that waits for connections.
class Listener {
 public:
  /// `address`: an IPv4 or IPv6 address or a name; `port` 0: one that is free. ConfigError for an address that this machine does not
  /// have; IoError where the port is taken or not permitted.
  [[nodiscard]] static Result<Listener> open(const std::string& address, int port);

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] int port() const noexcept { return port_; }
  /// No other machine can reach it.
  [[nodiscard]] bool is_loopback() const noexcept { return is_loopback_; }
  /// The next connection, not blocking; not open where none waits. `error` becomes errno then, else 0.
  [[nodiscard]] Descriptor accept(int& error) const noexcept;

 private:
  Listener(Descriptor socket, int port, bool is_loopback) noexcept
      : socket_(std::move(socket)), port_(port), is_loopback_(is_loopback) {}
  Descriptor socket_;
  int port_;
  bool is_loopback_;
};

}  // namespace tern
