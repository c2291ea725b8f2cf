// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <httplib.h>
#include <memory>
#include <string>

namespace tern {

/// Reads requests and writes responses with httplib, on sockets that are not its own.
class HttpExchange {
 public:
  using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

  /// `headers` come with every response. `handle` gets every request that can be read, on several threads.
  HttpExchange(httplib::Headers headers, Handler handle);
  ~HttpExchange();

  /// Answers the request whose head this is; true: the connection may carry another. Bodies of requests are not read, and end the
  /// connection, as a head does that cannot be read. Ranges, compression and "Expect" are not honoured. A content provider without a length must end by returning false.
  bool answer(int socket, std::string head);
  /// Responses without a known length end at their next part.
  void stop() noexcept;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace tern
