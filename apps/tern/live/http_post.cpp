// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/http_post.h"

#include <cstddef>
#include <httplib.h>
#include <optional>
#include <utility>

#include "base/error.h"
#include "media/url.h"

namespace tern {
namespace {

// Of an answer, which is not looked at.
constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 10;

}  // namespace

struct HttpPost::State {
  State(HttpUrl where, std::chrono::nanoseconds limit)
      : target(std::move(where)), timeout(limit), client(target.host) {}
  HttpUrl target;
  std::chrono::nanoseconds timeout;
  httplib::Client client;
};

HttpPost::HttpPost(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
HttpPost::HttpPost(HttpPost&&) noexcept = default;
HttpPost::~HttpPost() = default;

const std::string& HttpPost::host() const noexcept {
  return state_->target.host;
}

Result<HttpPost> HttpPost::open(std::string_view url, std::chrono::nanoseconds timeout) {
  const auto invalid = [] {
    return make_error(StatusCode::kConfigError, "the URL to post to cannot be understood")
        .with_hint("http://[USER:PASSWORD@]HOST[:PORT][/PATH][?QUERY], or https://");
  };
  std::optional<HttpUrl> target = parse_http_url(url);
  if (!target) return invalid();
  try {
    auto state = std::make_unique<State>(std::move(*target), timeout);
    if (!state->client.is_valid()) return invalid();
    const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(timeout);
    state->client.set_connection_timeout(limit);
    state->client.set_read_timeout(limit);
    state->client.set_write_timeout(limit);
    state->client.set_keep_alive(true);
    state->client.set_tcp_nodelay(true);
    state->client.set_url_encode(false);
    if (!state->target.user.empty()) state->client.set_basic_auth(state->target.user, state->target.password);
    return HttpPost(std::move(state));
  } catch (const std::exception&) {  // https, where the library is without OpenSSL
    return invalid();
  }
}

HttpPost::Answer HttpPost::post(const std::string& body) {
  const auto give_up = std::chrono::steady_clock::now() + state_->timeout;
  int code = 0;
  std::size_t bytes = 0;
  httplib::Request request;
  request.method = "POST";
  request.path = state_->target.path;
  request.body = body;
  request.set_header("Content-Type", "application/json");
  request.response_handler = [&code](const httplib::Response& response) {
    code = response.status;
    return true;
  };
  // An answer that is too long, or trickles, is not waited for.
  request.content_receiver = [&](const char*, std::size_t size, auto, auto) {
    bytes += size;
    return bytes <= kMaxAnswerBytes && std::chrono::steady_clock::now() < give_up;
  };
  const httplib::Result result = state_->client.send(request);
  if (result) code = result->status;  // of an answer without a body the handler is not told
  if (code >= 200 && code < 300) return {};
  if (code != 0) {
    const bool is_temporary = code >= 500 || code == 408 || code == 429;
    return {make_error(StatusCode::kIoError, "answered with HTTP status {}", code).at(host()), is_temporary};
  }
  const bool is_late = result.error() == httplib::Error::Read || result.error() == httplib::Error::ConnectionTimeout;
  return {make_error(is_late ? StatusCode::kTimeout : StatusCode::kIoError, "cannot be posted to: {}",
                     httplib::to_string(result.error()))
              .at(host()),
          true};
}

}  // namespace tern
