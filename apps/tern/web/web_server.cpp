// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/web_server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "result_json.h"
#include "web/http_exchange.h"
#include "web/page.h"
#include "web/request_head.h"
#include "web/status_json.h"

namespace tern {
namespace {

using httplib::Request;
using httplib::Response;
using namespace std::chrono_literals;

// Requests that wait for pictures or send much leave this many workers to the others.
constexpr std::size_t kWorkersForShort = 6;
constexpr std::chrono::milliseconds kPictureWait = 1s;
constexpr std::string_view kBoundary = "tern-picture";

// The page loads nothing from elsewhere, runs no script but its own, and cannot be put in a frame.
httplib::Headers security_headers() {
  return {{"Content-Security-Policy",
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
           "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
          {"X-Content-Type-Options", "nosniff"},
          {"X-Frame-Options", "DENY"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cache-Control", "no-store"}};
}

void say(Response& response, int status, std::string_view text) {
  response.status = status;
  response.set_content(std::string(text) + "\n", "text/plain; charset=utf-8");
}

std::uint64_t number_of(const std::string& text) noexcept {
  std::uint64_t value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The part of `path` between the two; none where it does not begin and end so.
std::optional<std::string_view> between(std::string_view path, std::string_view start, std::string_view end) noexcept {
  if (path.size() < start.size() + end.size() || !path.starts_with(start) || !path.ends_with(end)) return {};
  return path.substr(start.size(), path.size() - start.size() - end.size());
}

}  // namespace

class WebServer::Impl {
 public:
  Impl(Listener listener, const WebServerOptions& options)
      : options_(options),
        port_(listener.port()),
        is_loopback_(listener.is_loopback()),
        url_(fmt::format("http://{}:{}/", is_any(options.address) ? "127.0.0.1" : in_url(options.address), port_)),
        listener_(std::move(listener)),
        http_(security_headers(), [this](const Request& request, Response& response) { handle(request, response); }) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    stop_.request_stop();
    http_.stop();
    connections_.reset();
  }

  void start(WebContent content) {
    content_ = std::move(content);
    connections_.emplace(std::move(*listener_), options_.limits,
                         [this](int socket, std::string head) { return http_.answer(socket, std::move(head)); });
    listener_.reset();
  }
  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] const std::string& url() const noexcept { return url_; }

 private:
  // A worker of the few that may be held for long; given back when destroyed.
  class HeldWorker {
   public:
    explicit HeldWorker(std::atomic<std::size_t>& count) noexcept : count_(count) {}
    HeldWorker(const HeldWorker&) = delete;
    HeldWorker& operator=(const HeldWorker&) = delete;
    ~HeldWorker() { --count_; }

   private:
    std::atomic<std::size_t>& count_;
  };

  static bool is_any(const std::string& address) { return address == "0.0.0.0" || address == "::"; }
  static std::string in_url(const std::string& address) {
    return address.find(':') == std::string::npos ? address : "[" + address + "]";
  }

  void handle(const Request& request, Response& response) {
    try {
      if (!refuse(request, response)) route(request, response);
    } catch (const std::exception& e) {
      response = Response();
      for (const auto& [name, value] : security_headers())
        response.set_header(name, value);
      say(response, 500, fmt::format("the server failed: {}", e.what()));
    }
  }

  // Whether the request is not to be answered, and says so.
  bool refuse(const Request& request, Response& response) {
    if (request.method != "GET" && request.method != "HEAD") {
      response.set_header("Allow", "GET, HEAD");
      say(response, 405, "only GET and HEAD are answered: nothing can be changed here");
      return true;
    }
    if (is_loopback_ &&
        (request.get_header_value_count("Host") != 1 || !is_loopback_host(request.get_header_value("Host")))) {
      say(response, 403, "the Host header names another machine: open the page as " + url_);
      return true;
    }
    // A page of another site may lead here by a link, and that is all.
    if (request.get_header_value("Sec-Fetch-Site") == "cross-site" &&
        request.get_header_value("Sec-Fetch-Mode") != "navigate") {
      say(response, 403, "pages of other sites may not read this");
      return true;
    }
    return request.path != "/healthz" && refuse_stranger(request, response);
  }

  bool refuse_stranger(const Request& request, Response& response) {
    const WebAccess& access = options_.access;
    if (!access.needs_token()) return false;
    if (request.has_param("token") && access.is_token(request.get_param_value("token"))) {
      response.set_header("Set-Cookie", access.set_cookie(port_));
      if (request.path != "/") return false;
      // So that the token does not stay in the address bar and the history.
      response.set_header("Location", "/");
      response.status = 303;
      return true;
    }
    if (access.is_authorization(request.get_header_value("Authorization")) ||
        access.is_cookie(request.get_header_value("Cookie"), port_))
      return false;
    response.set_header("WWW-Authenticate", "Bearer realm=\"tern\"");
    say(response, 401,
        "a token is needed: open /?token=TOKEN once, or send the header Authorization: Bearer TOKEN\n"
        "(the token is in the pipeline's token_file)");
    return true;
  }

  void route(const Request& request, Response& response) {
    const std::string& path = request.path;
    if (const PageFile* file = page_file(path)) {
      response.set_content(std::string(file->content), std::string(file->type));
    } else if (path == "/status.json") {
      response.set_content(to_line(status_json(content_.snapshot())), "application/json");
    } else if (path == "/metrics") {
      response.set_content(content_.metrics_text(), "text/plain; version=0.0.4; charset=utf-8");
    } else if (path == "/trace.json") {
      send_trace(response);
    } else if (path == "/healthz") {
      send_health(response);
    } else if (const auto frame = between(path, "/frame/", ".jpg")) {
      send_picture(*frame, request, response);
    } else if (const auto stream = between(path, "/stream/", "")) {
      send_stream(*stream, response);
    } else {
      say(response, 404, "there is no such page: / is the live page");
    }
  }

  void send_trace(Response& response) {
    const auto held = hold_worker(response);
    if (!held) return;
    const Result<std::string> trace = content_.trace_json();
    if (trace.ok()) return response.set_content(*trace, "application/json");
    const std::string hint = trace.status().hint();
    say(response, 404, trace.status().message() + (hint.empty() ? "" : "\n" + hint));
  }

  void send_health(Response& response) const {
    const std::vector<PipelineSnapshot::Source> sources = content_.snapshot().sources;
    const bool is_dead = !sources.empty() && std::all_of(sources.begin(), sources.end(), [](const auto& source) {
      return source.state == PipelineSnapshot::Source::State::kFailed;
    });
    say(response, is_dead ? 503 : 200, is_dead ? "every source has failed" : "ok");
  }

  // Null, and the response says so, where too many are held.
  std::shared_ptr<HeldWorker> hold_worker(Response& response) {
    auto held = std::make_shared<HeldWorker>(held_);
    const std::size_t workers = options_.limits.workers;
    if (++held_ <= workers - std::min(kWorkersForShort, workers - 1)) return held;
    response.set_header("Retry-After", "1");
    say(response, 503, "too many others watch: try again");
    return nullptr;
  }

  // -1, and the response says so, where there is none of this name.
  int find_source(std::string_view name, Response& response) const {
    const int source = content_.pictures ? content_.pictures->find(name) : -1;
    if (source < 0) say(response, 404, "there is no source of this name");
    return source;
  }

  void send_picture(std::string_view name, const Request& request, Response& response) {
    const int source = find_source(name, response);
    if (source < 0) return;
    const auto held = hold_worker(response);
    if (!held) return;
    const std::uint64_t known = number_of(request.get_param_value("after"));
    std::chrono::milliseconds wait = kPictureWait;
    if (request.has_param("wait"))
      wait = std::chrono::milliseconds(std::min<std::uint64_t>(number_of(request.get_param_value("wait")), 1000));
    const auto picture = content_.pictures->wait(source, known, wait, stop_.get_token());
    if (!picture) {
      response.status = 204;  // none yet, or none newer
      return;
    }
    response.set_header("ETag", fmt::format("\"{}\"", picture->id));
    response.set_content(*picture->jpeg, "image/jpeg");
  }

  void send_stream(std::string_view name, Response& response) {
    const int source = find_source(name, response);
    if (source < 0) return;
    const auto held = hold_worker(response);
    if (!held) return;
    response.set_header("Connection", "close");
    const auto send_next = [this, held, source, id = std::uint64_t{0}](std::size_t, httplib::DataSink& sink) mutable {
      const auto picture = content_.pictures->wait(source, id, kPictureWait, stop_.get_token());
      if (stop_.stop_requested() || !sink.is_writable()) return false;
      if (!picture) return true;
      id = picture->id;
      const std::string head = fmt::format("--{}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", kBoundary,
                                           picture->jpeg->size());
      return sink.write(head.data(), head.size()) && sink.write(picture->jpeg->data(), picture->jpeg->size()) &&
             sink.write("\r\n", 2);
    };
    response.set_content_provider(fmt::format("multipart/x-mixed-replace; boundary={}", kBoundary), send_next);
  }

  const WebServerOptions options_;
  const int port_;
  const bool is_loopback_;
  const std::string url_;
  std::optional<Listener> listener_;  // until start()
  WebContent content_;
  std::stop_source stop_;
  std::atomic<std::size_t> held_{0};
  HttpExchange http_;
  std::optional<Connections> connections_;
};

WebServer::WebServer(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
WebServer::WebServer(WebServer&&) noexcept = default;
WebServer& WebServer::operator=(WebServer&&) noexcept = default;
WebServer::~WebServer() = default;

Result<WebServer> WebServer::open(const WebServerOptions& options) {
  TERN_ASSIGN_OR_RETURN(Listener listener, Listener::open(options.address, options.port));
  if (!listener.is_loopback() && !options.access.needs_token()) {
    return make_error(StatusCode::kConfigError, "other machines can reach this address, and the live page has no token")
        .at(options.address)
        .with_hint("give a token_file, or listen at 127.0.0.1");
  }
  return WebServer(std::make_unique<Impl>(std::move(listener), options));
}

void WebServer::start(WebContent content) {
  impl_->start(std::move(content));
}

int WebServer::port() const noexcept {
  return impl_->port();
}

const std::string& WebServer::url() const noexcept {
  return impl_->url();
}

}  // namespace tern
