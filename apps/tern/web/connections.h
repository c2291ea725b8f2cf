// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "runtime/descriptor.h"
#include "web/listener.h"

namespace tern {

/// Bounds on what clients can take.
struct ConnectionLimits {
  std::size_t connections = 128;  ///< open at once; beyond, the one that has been idle longest is closed
  std::size_t workers = 20;       ///< threads that answer
  std::size_t head_bytes = 16384;
  std::chrono::milliseconds head_time{5000};   ///< from the first byte of a request's head to its last
  std::chrono::milliseconds idle_time{15000};  ///< between requests
};

/// Accepts connections and hands whole request heads to worker threads. One thread reads all heads, so that a client that sends slowly,
/// or nothing, holds no worker; connections are kept between requests (HTTP/1.1) without one, too.
class Connections {
 public:
  /// Answers on `socket` the request whose head this is, its empty line included; true: the connection may carry another. Called on
  /// several threads.
  using Answer = std::function<bool(int socket, std::string head)>;

  Connections(Listener listener, const ConnectionLimits& limits, Answer answer);
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections();  ///< Ends what is being answered, too: its socket takes no more bytes.

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    Descriptor socket;
    std::string received{};      // of the next request; what follows its head, too
    Clock::time_point due{};     // when it is closed
    bool is_being_read = false;  // not between requests
  };

  void read_heads(const std::stop_token& stop);
  void accept_all();
  enum class Received : std::uint8_t { kPart, kHead, kEnd };
  [[nodiscard]] Received receive(Connection& connection) const;
  [[nodiscard]] Received look_at(Connection& connection) const;
  void pass_on(std::list<Connection>::iterator connection);
  void make_room();
  void close_late();
  void take_back();
  [[nodiscard]] int wait_ms() const;
  void work();
  void answer(Connection connection);
  void wake() const noexcept;

  const Listener listener_;
  const ConnectionLimits limits_;
  const Answer answer_;
  const Descriptor wake_up_;
  std::list<Connection> reading_;     // of the reading thread alone; what was put there first stands first
  Clock::time_point accept_after_{};  // no descriptor was free before

  std::mutex mutex_;
  std::condition_variable has_work_;
  bool is_stopping_ = false;
  std::deque<Connection> waiting_;
  std::vector<Connection> returned_;
  std::vector<int> answered_;  // sockets that workers use now
  std::vector<std::thread> workers_;
  std::jthread reader_;
};

}  // namespace tern
