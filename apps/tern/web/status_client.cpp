// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/status_client.h"

#include <charconv>
#include <cstddef>
#include <httplib.h>
#include <optional>
#include <utility>

#include "base/error.h"

namespace tern {
namespace {

constexpr std::size_t kMaxAnswer = std::size_t{16} << 20;
constexpr int kTimeoutSeconds = 3;

std::optional<int> port_of(std::string_view text) noexcept {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65'535) return {};
  return port;
}

bool is_host(std::string_view text) noexcept {
  if (text.empty() || text.size() > 253) return false;
  for (const char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!is_letter && c != '.' && c != '-' && c != '_' && c != ':') return false;
  }
  return true;
}

Status not_an_address(std::string_view text) {
  return make_error(StatusCode::kConfigError, "'{}' is no address of a live page", text)
      .with_hint("http://HOST:PORT/, as the pipeline shows it, or HOST:PORT");
}

}  // namespace

Result<ServerAddress> ServerAddress::parse(std::string_view text) {
  const std::string_view all = text;
  if (text.starts_with("https://")) {
    return make_error(StatusCode::kConfigError, "the live page speaks http, not https")
        .at(std::string(all))
        .with_hint("through a tunnel: ssh -L 8080:127.0.0.1:8080 MACHINE, then tern top");
  }
  if (text.starts_with("http://")) text.remove_prefix(7);
  if (text.ends_with('/')) text.remove_suffix(1);
  ServerAddress address;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return not_an_address(all);
    address.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return not_an_address(all);
  } else {
    const std::size_t colon = text.find(':');
    if (colon != 0) address.host = text.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (address.host.find(':') != std::string::npos) return not_an_address(all);
  }
  if (!is_host(address.host)) return not_an_address(all);
  if (!port.empty()) {
    const std::optional<int> number = port_of(port.substr(1));
    if (!number) return not_an_address(all);
    address.port = *number;
  }
  return address;
}

std::string ServerAddress::url() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}/", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

class StatusClient::Impl {
 public:
  Impl(const ServerAddress& address, std::string token)
      : url_(address.url()), has_token_(!token.empty()), client_(address.host, address.port) {
    client_.set_connection_timeout(kTimeoutSeconds);
    client_.set_read_timeout(kTimeoutSeconds);
    client_.set_write_timeout(kTimeoutSeconds);
    client_.set_keep_alive(true);
    if (has_token_) headers_.emplace("Authorization", "Bearer " + token);
  }

  Result<std::string> read() {
    std::string body;
    const auto answer = client_.Get("/status.json", headers_, [&](const char* data, std::size_t size) {
      if (body.size() + size > kMaxAnswer) return false;
      body.append(data, size);
      return true;
    });
    if (!answer) {
      return make_error(StatusCode::kIoError, "no live page answers: {}", httplib::to_string(answer.error()))
          .at(url_)
          .with_hint("the pipeline file needs a sink of kind web; the pipeline shows its address when it starts");
    }
    if (answer->status == 401) {
      return make_error(StatusCode::kConfigError, "{}",
                        has_token_ ? "the token is not the pipeline's" : "a token is needed")
          .at(url_)
          .with_hint("--token-file FILE, the token_file of the pipeline's web sink");
    }
    if (answer->status != 200) {
      return make_error(StatusCode::kInputError, "the answer is {}, not a pipeline's status", answer->status).at(url_);
    }
    return body;
  }

 private:
  const std::string url_;
  const bool has_token_;
  httplib::Client client_;
  httplib::Headers headers_;
};

StatusClient::StatusClient(const ServerAddress& address, std::string token)
    : impl_(std::make_unique<Impl>(address, std::move(token))) {}
StatusClient::~StatusClient() = default;

Result<std::string> StatusClient::read() {
  return impl_->read();
}

}  // namespace tern
