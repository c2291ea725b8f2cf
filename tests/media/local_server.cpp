// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "local_server.h"

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace tern::test {
namespace {

constexpr int kPollMs = 100;

bool is_readable(int socket) {
  pollfd poll{socket, POLLIN, 0};
  return ::poll(&poll, 1, kPollMs) > 0;
}

}  // namespace

LocalServer::LocalServer(Serve serve, int port) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 4) != 0 ||
      ::getsockname(listener_, generic, &size) != 0)
    throw std::runtime_error("no port to listen at");
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this, serve = std::move(serve)](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!is_readable(listener_)) continue;
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      ++clients_;
      serve(client, stop);
      ::close(client);
    }
  });
}

LocalServer::~LocalServer() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string receive_some(int socket) {
  std::array<char, 4096> bytes{};
  const ssize_t size = is_readable(socket) ? ::recv(socket, bytes.data(), bytes.size(), 0) : 0;
  return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

void wait_for_end(int socket, std::stop_token stop) {
  char byte = 0;
  while (!stop.stop_requested()) {
    if (is_readable(socket) && ::recv(socket, &byte, 1, 0) <= 0) return;
  }
}

}  // namespace tern::test
