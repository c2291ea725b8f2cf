// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/live_page.h"

#include <utility>
#include <vector>

#include "web/live_view.h"

namespace tern {

LivePage::LivePage(WebServer server, std::shared_ptr<LivePictures> pictures) noexcept
    : pictures_(std::move(pictures)), server_(std::move(server)) {}

Result<LivePage> LivePage::open(const PipelineSpec& spec, const PipelineSpec::Sink& sink,
                                const std::filesystem::path& folder) {
  WebServerOptions options;
  options.address = sink.address;
  options.port = sink.port;
  if (!sink.token_file.empty()) {
    TERN_ASSIGN_OR_RETURN(options.access, WebAccess::from_file(folder / sink.token_file));
  }
  TERN_ASSIGN_OR_RETURN(WebServer server, WebServer::open(options));
  std::vector<std::string> names;
  for (const PipelineSpec::Source& source : spec.sources)
    names.push_back(source.name);
  return LivePage(std::move(server), std::make_shared<LivePictures>(std::move(names)));
}

SinkParts LivePage::take_sink() {
  SinkParts parts;
  parts.name = "web";
  parts.sink = std::make_unique<LiveView>(pictures_);
  parts.queue = 2;  // an older picture is of no use
  parts.is_lossless = false;
  return parts;
}

void LivePage::start(Pipeline& pipeline) {
  server_.start({[&pipeline] { return pipeline.snapshot(); }, [&pipeline] { return pipeline.metrics_text(); },
                 [&pipeline] { return pipeline.trace_json(); }, pictures_});
}

}  // namespace tern
