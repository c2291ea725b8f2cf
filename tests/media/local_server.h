// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace tern::test {

/// A TCP server on 127.0.0.1 that serves one client after the other.
class LocalServer {
 public:
  /// Returns when it is done with the client, or soon after the stop.
  using Serve = std::function<void(int socket, std::stop_token stop)>;
  /// `port` 0: any that is free.
  explicit LocalServer(Serve serve, int port = 0);
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;
  ~LocalServer();

  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] int clients() const noexcept { return clients_; }

 private:
  int listener_;
  int port_ = 0;
  std::atomic<int> clients_ = 0;
  std::jthread thread_;
};

/// False where the client has gone.
bool send_all(int socket, std::string_view bytes);
/// What has come, waited for up to 100 ms; empty: nothing, or the client has gone.
std::string receive_some(int socket);
/// Until the stop, or the client goes.
void wait_for_end(int socket, std::stop_token stop);

}  // namespace tern::test
