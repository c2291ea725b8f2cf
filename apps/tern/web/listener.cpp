// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/listener.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace tern {
namespace {

constexpr int kBacklog = 64;
// What a page or a picture takes, so that few answers wait for a slow reader.
constexpr int kSendBuffer = 256 << 10;

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

bool is_loopback_address(const sockaddr* address) noexcept {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof(v4));
    return (ntohl(v4.sin_addr.s_addr) >> 24U) == 127;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof(v6));
  return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

int port_of(int fd) noexcept {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  in_port_t port = 0;  // at the same place in IPv4 and IPv6
  std::memcpy(&port, reinterpret_cast<const char*>(&bound) + offsetof(sockaddr_in, sin_port), sizeof(port));
  return ntohs(port);
}

Status refused(const std::string& address, int port, int error) {
  const std::string where = fmt::format("{}:{}", address, port);
  const std::string reason = std::generic_category().message(error);
  switch (error) {
    case EADDRINUSE:
      return make_error(StatusCode::kIoError, "the port is taken: another program listens there")
          .at(where)
          .with_hint("choose another 'port', or end that program (ss -ltnp shows it)");
    case EACCES:
      return make_error(StatusCode::kIoError, "the port is not permitted: those below 1024 belong to root")
          .at(where)
          .with_hint("choose a 'port' from 1024 on");
    case EADDRNOTAVAIL:
      return make_error(StatusCode::kConfigError, "this machine does not have the address")
          .at(where)
          .with_hint("127.0.0.1 for this machine alone, 0.0.0.0 for all its networks; ip addr lists its addresses");
    default:
      return make_error(StatusCode::kIoError, "cannot listen: {}", reason).at(where);
  }
}

}  // namespace

Result<Listener> Listener::open(const std::string& address, int port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0 || found == nullptr) {
    return make_error(StatusCode::kConfigError, "the address to listen at is not known: {}", ::gai_strerror(failure))
        .at(address)
        .with_hint("127.0.0.1 for this machine alone, 0.0.0.0 for all its networks");
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  Descriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, found->ai_protocol));
  if (!socket.is_open()) return refused(address, port, errno);
  // A port that was in use a minute ago can be taken; one that is in use cannot.
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(socket.get(), kBacklog) != 0)
    return refused(address, port, errno);
  const int bound = port_of(socket.get());
  return Listener(std::move(socket), bound, is_loopback_address(found->ai_addr));
}

Descriptor Listener::accept(int& error) const noexcept {
  Descriptor connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  error = connection.is_open() ? 0 : errno;
  if (!connection.is_open()) return connection;
  const int on = 1;
  ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof(kSendBuffer));
  return connection;
}

}  // namespace tern
