// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tern/pipeline.h"
#include "tern/pipeline_io.h"
#include "tern/pipeline_spec.h"
#include "web/live_pictures.h"
#include "web/web_server.h"

namespace tern {

/// The web sink of a pipeline file: its server, and the sink that draws for it. The server listens from open() on, so that a port that is
/// taken is told before any model is opened; it answers from start() on.
class LivePage {
 public:
  /// `sink` is one of spec.sinks, of kind web; a relative token file is taken from `folder`. As WebServer::open() and
  /// WebAccess::from_file() say.
  [[nodiscard]] static Result<LivePage> open(const PipelineSpec& spec, const PipelineSpec::Sink& sink,
                                             const std::filesystem::path& folder);

  /// For Pipeline::create(). Once.
  [[nodiscard]] SinkParts take_sink();
  /// `pipeline` has that sink, and lives longer than this page. Once.
  void start(Pipeline& pipeline);
  /// Where a browser on this machine finds it, with the port that it got.
  [[nodiscard]] const std::string& url() const noexcept { return server_.url(); }

 private:
  LivePage(WebServer server, std::shared_ptr<LivePictures> pictures) noexcept;
  std::shared_ptr<LivePictures> pictures_;
  WebServer server_;
};

}  // namespace tern
