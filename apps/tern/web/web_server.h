// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tern/pipeline_snapshot.h"
#include "tern/status.h"
#include "web/connections.h"
#include "web/live_pictures.h"
#include "web/web_access.h"

namespace tern {

/// What the server tells. Called on several threads, from WebServer::start() until it is destroyed.
struct WebContent {
  std::function<PipelineSnapshot()> snapshot{};
  std::function<std::string()> metrics_text{};        ///< Prometheus' text format 0.0.4
  std::function<Result<std::string>()> trace_json{};  ///< Chrome's trace format
  std::shared_ptr<LivePictures> pictures{};
};

struct WebServerOptions {
  std::string address = "127.0.0.1";
  int port = 8080;  ///< 0: one that is free
  WebAccess access{};
  ConnectionLimits limits{};
};

/// The live page of a pipeline and what it is made of, over HTTP:
///
///   /                the page           /status.json       the snapshot (docs/schemas/pipeline-status.schema.json)
///   /metrics         for Prometheus     /trace.json        for Perfetto
///   /frame/NAME.jpg  the newest picture of a source, or 204; ?after=ID waits for another than that (its id is the ETag), a second
///                    or ?wait= ms
///   /stream/NAME     the same as motion JPEG                /healthz  "ok", or 503 where every source has failed
///
/// It answers GET and HEAD alone and changes nothing. docs/security.md says who may read it.
class WebServer {
 public:
  /// Listens. ConfigError for an address that other machines reach where `access` has no token; else as Listener::open().
  [[nodiscard]] static Result<WebServer> open(const WebServerOptions& options);
  WebServer(WebServer&&) noexcept;
  WebServer& operator=(WebServer&&) noexcept;
  ~WebServer();  ///< Ends every connection.

  /// Answers from now on. To be called once.
  void start(WebContent content);
  [[nodiscard]] int port() const noexcept;
  /// For a browser on this machine: "http://127.0.0.1:8080/". Without the token.
  [[nodiscard]] const std::string& url() const noexcept;

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tern
