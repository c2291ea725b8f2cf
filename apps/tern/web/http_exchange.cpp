// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/http_exchange.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <utility>

#include "web/request_head.h"

namespace tern {
namespace {

using Clock = std::chrono::steady_clock;

// For one write, which httplib makes of the head, of the body, and of each part of a body without a known length.
constexpr auto kWriteTime = std::chrono::seconds(10);
constexpr std::size_t kSlowestBytesPerSecond = 64 << 10;
constexpr auto kDrainTime = std::chrono::milliseconds(200);
constexpr std::size_t kDrainBytes = 64 << 10;
constexpr int kKeepAliveSeconds = 10, kKeepAliveCount = 1000;

bool wait_for(int socket, short events, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    pollfd polled{socket, events, 0};
    const int ready = ::poll(&polled, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// What httplib reads is the head; what it writes goes to the socket.
class HeadStream final : public httplib::Stream {
 public:
  HeadStream(int socket, std::string_view head) noexcept : socket_(socket), head_(head) {}

  bool is_readable() const override { return !head_.empty(); }
  // False once the client has gone, so that a stream of pictures ends while there is none to send.
  bool is_writable() const override {
    char byte = 0;
    const ssize_t size = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
  }

  ssize_t read(char* to, std::size_t size) override {
    const std::size_t taken = std::min(size, head_.size());
    std::memcpy(to, head_.data(), taken);
    head_.remove_prefix(taken);
    return static_cast<ssize_t>(taken);
  }

  ssize_t write(const char* from, std::size_t size) override {
    const Clock::time_point until = Clock::now() + kWriteTime + std::chrono::seconds(size / kSlowestBytesPerSecond);
    for (std::size_t written = 0; written < size;) {
      const ssize_t sent = ::send(socket_, from + written, size - written, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        written += static_cast<std::size_t>(sent);
      } else if (errno != EAGAIN && errno != EINTR) {
        return -1;
      } else if (!wait_for(socket_, POLLOUT, until)) {
        return -1;
      }
    }
    return static_cast<ssize_t>(size);
  }

  // Nothing here asks who it was.
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  // httplib only asks whether its number fits an fd_set, for its own waiting.
  socket_t socket() const override { return 0; }

 private:
  const int socket_;
  std::string_view head_;
};

// The answer would be lost if the socket were closed with bytes of the client's unread.
void drain(int socket) {
  ::shutdown(socket, SHUT_WR);
  std::array<char, 4096> bytes{};
  std::size_t total = 0;
  const Clock::time_point until = Clock::now() + kDrainTime;
  while (total < kDrainBytes && wait_for(socket, POLLIN, until)) {
    const ssize_t size = ::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size <= 0) return;
    total += static_cast<std::size_t>(size);
  }
}

constexpr std::string_view kRefusal =
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\nX-Content-Type-Options: nosniff\r\n\r\n";

}  // namespace

// httplib's server without its sockets and threads: they wait for slow clients, and its queue has no end.
class HttpExchange::Server final : public httplib::Server {
 public:
  Server(httplib::Headers headers, Handler handle) {
    svr_sock_ = 0;  // it counts as running
    set_default_headers(std::move(headers));
    set_keep_alive_timeout(kKeepAliveSeconds);
    set_keep_alive_max_count(kKeepAliveCount);
    // Before its own routing, which matches regular expressions and reads bodies.
    set_pre_routing_handler([handle = std::move(handle)](const httplib::Request& request, httplib::Response& response) {
      handle(request, response);
      return HandlerResponse::Handled;
    });
  }

  bool answer(HeadStream& stream, bool is_last) {
    bool is_closed = false, is_read = false;
    const bool is_done = process(*this, stream, is_last, is_closed, [&](httplib::Request&) { is_read = true; });
    return is_done && is_read && !is_closed && !is_last;
  }

  void stop_streams() noexcept { svr_sock_ = INVALID_SOCKET; }

 private:
  // From 0.16 on it is also told the addresses.
  template <typename Self, typename OnRead>
  static bool process(Self& self, httplib::Stream& stream, bool is_last, bool& is_closed, OnRead on_read) {
    if constexpr (requires { self.process_request(stream, is_last, is_closed, on_read); }) {
      return self.process_request(stream, is_last, is_closed, on_read);
    } else {
      return self.process_request(stream, "", 0, "", 0, is_last, is_closed, on_read);
    }
  }
};

HttpExchange::HttpExchange(httplib::Headers headers, Handler handle)
    : server_(std::make_unique<Server>(std::move(headers), std::move(handle))) {}

HttpExchange::~HttpExchange() = default;

void HttpExchange::stop() noexcept {
  server_->stop_streams();
}

bool HttpExchange::answer(int socket, std::string head) {
  if (has_stray_controls(head)) {
    HeadStream(socket, {}).write(kRefusal.data(), kRefusal.size());
    drain(socket);
    return false;
  }
  // httplib would match ranges with a regular expression that recurses with every letter, and compress at the pipeline's cost.
  for (const std::string_view name : {"range", "accept-encoding", "expect"})
    remove_header(head, name);
  const bool is_last = has_body(head);
  HeadStream stream(socket, head);
  const bool is_kept = server_->answer(stream, is_last);
  if (is_last) drain(socket);
  return is_kept;
}

}  // namespace tern
