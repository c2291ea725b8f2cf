// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/connections.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <poll.h>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <utility>

namespace tern {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr auto kWithoutDescriptors = std::chrono::milliseconds(100);

// Best effort: to a client that is at fault, and without waiting for it.
void refuse(int socket, std::string_view status) noexcept {
  std::array<char, 128> text{};
  constexpr std::string_view kStart = "HTTP/1.1 ", kEnd = "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  auto* at = std::copy(kStart.begin(), kStart.end(), text.begin());
  at = std::copy(status.begin(), status.end(), at);
  at = std::copy(kEnd.begin(), kEnd.end(), at);
  (void)::send(socket, text.data(), static_cast<std::size_t>(at - text.begin()), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

Connections::Connections(Listener listener, const ConnectionLimits& limits, Answer answer)
    : listener_(std::move(listener)),
      limits_(limits),
      answer_(std::move(answer)),
      wake_up_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (std::size_t i = 0; i < limits_.workers; ++i)
    workers_.emplace_back([this] { work(); });
  reader_ = std::jthread([this](const std::stop_token& stop) { read_heads(stop); });
}

Connections::~Connections() {
  reader_.request_stop();
  wake();
  reader_.join();
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    for (const int socket : answered_)
      ::shutdown(socket, SHUT_RDWR);
  }
  has_work_.notify_all();
  for (std::thread& worker : workers_)
    worker.join();
}

void Connections::wake() const noexcept {
  (void)::eventfd_write(wake_up_.get(), 1);
}

void Connections::read_heads(const std::stop_token& stop) {
  std::vector<pollfd> polled;
  while (!stop.stop_requested()) {
    polled.assign({{wake_up_.get(), POLLIN, 0}, {listener_.fd(), POLLIN, 0}});
    if (Clock::now() < accept_after_) polled[1].fd = -1;
    for (const Connection& connection : reading_)
      polled.push_back({connection.socket.get(), POLLIN, 0});
    if (::poll(polled.data(), polled.size(), wait_ms()) < 0 && errno != EINTR) return;
    std::size_t i = 2;
    for (auto connection = reading_.begin(); i < polled.size(); ++i) {
      const auto current = connection++;
      if (polled[i].revents == 0) continue;
      const Received received = receive(*current);
      if (received == Received::kHead) pass_on(current);
      if (received == Received::kEnd) reading_.erase(current);
    }
    close_late();
    if (polled[0].revents != 0) take_back();
    if (polled[1].revents != 0) accept_all();
  }
}

int Connections::wait_ms() const {
  Clock::time_point next = Clock::time_point::max();
  const Clock::time_point now = Clock::now();
  if (now < accept_after_) next = accept_after_;
  for (const Connection& connection : reading_)
    next = std::min(next, connection.due);
  if (next == Clock::time_point::max()) return -1;
  return static_cast<int>(std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(next - now).count()));
}

void Connections::accept_all() {
  for (;;) {
    int error = 0;
    Descriptor socket = listener_.accept(error);
    if (!socket.is_open()) {
      if (error == ECONNABORTED || error == EINTR) continue;
      // Out of descriptors: the connection goes on waiting, and polling for it would spin.
      if (error != EAGAIN) accept_after_ = Clock::now() + kWithoutDescriptors;
      return;
    }
    make_room();
    reading_.push_back({std::move(socket), {}, Clock::now() + limits_.head_time, false});
  }
}

// The one that has been there longest without a whole request goes: a client that sends its request at once is served, however many
// others do not.
void Connections::make_room() {
  std::size_t inside = 0;
  {
    const std::lock_guard lock(mutex_);
    inside = waiting_.size() + answered_.size() + returned_.size();
  }
  if (reading_.size() + inside < limits_.connections || reading_.empty()) return;
  refuse(reading_.front().socket.get(), "503 Service Unavailable");
  reading_.pop_front();
}

Connections::Received Connections::receive(Connection& connection) const {
  std::array<char, 4096> bytes{};
  const ssize_t size = ::recv(connection.socket.get(), bytes.data(), bytes.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return Received::kPart;
  if (size <= 0) return Received::kEnd;
  connection.received.append(bytes.data(), static_cast<std::size_t>(size));
  return look_at(connection);
}

Connections::Received Connections::look_at(Connection& connection) const {
  const std::size_t end = std::string_view(connection.received).substr(0, limits_.head_bytes).find(kHeadEnd);
  if (end != std::string::npos) return Received::kHead;
  if (connection.received.size() >= limits_.head_bytes) {
    refuse(connection.socket.get(), "431 Request Header Fields Too Large");
    return Received::kEnd;
  }
  if (!connection.is_being_read && !connection.received.empty()) {
    connection.is_being_read = true;
    connection.due = Clock::now() + limits_.head_time;
  }
  return Received::kPart;
}

void Connections::pass_on(std::list<Connection>::iterator connection) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(*connection));
  }
  reading_.erase(connection);
  has_work_.notify_one();
}

void Connections::close_late() {
  const Clock::time_point now = Clock::now();
  reading_.remove_if([&](const Connection& connection) {
    if (now < connection.due) return false;
    if (connection.is_being_read) refuse(connection.socket.get(), "408 Request Timeout");
    return true;
  });
}

void Connections::take_back() {
  eventfd_t count = 0;
  (void)::eventfd_read(wake_up_.get(), &count);
  std::vector<Connection> returned;
  {
    const std::lock_guard lock(mutex_);
    returned.swap(returned_);
  }
  for (Connection& connection : returned) {
    connection.is_being_read = false;
    connection.due = Clock::now() + limits_.idle_time;
    reading_.push_back(std::move(connection));
    const Received received = look_at(reading_.back());  // the next request may have come with the last
    if (received == Received::kHead) pass_on(std::prev(reading_.end()));
    if (received == Received::kEnd) reading_.pop_back();
  }
}

void Connections::work() {
  for (;;) {
    Connection connection;
    {
      std::unique_lock lock(mutex_);
      has_work_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
      if (is_stopping_) return;
      connection = std::move(waiting_.front());
      waiting_.pop_front();
      answered_.push_back(connection.socket.get());
    }
    answer(std::move(connection));
  }
}

void Connections::answer(Connection connection) {
  const std::size_t size = connection.received.find(kHeadEnd) + kHeadEnd.size();
  const bool is_kept = answer_(connection.socket.get(), connection.received.substr(0, size));
  connection.received.erase(0, size);
  {
    const std::lock_guard lock(mutex_);
    std::erase(answered_, connection.socket.get());
    if (!is_kept) return;
    returned_.push_back(std::move(connection));
  }
  wake();
}

}  // namespace tern
