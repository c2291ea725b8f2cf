// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/sinks.h"

#include <utility>

#include "base/error.h"
#include "live/line_file.h"
#include "live/result_line.h"
#include "text_output.h"

namespace tern {
namespace {

class JsonLinesSink : public ResultSink {
 public:
  explicit JsonLinesSink(LineFile file) : file_(std::move(file)) {}
  Status begin(const PipelineSpec& spec, const std::vector<PipelineModelInfo>& models) override {
    spec_ = &spec;
    models_ = &models;
    return {};
  }
  Status write(const FrameResult& result) override { return file_.write(result_line(result, *spec_, *models_)); }
  Status finish() override { return file_.sync(); }

 private:
  LineFile file_;
  const PipelineSpec* spec_ = nullptr;
  const std::vector<PipelineModelInfo>* models_ = nullptr;
};

}  // namespace

Result<SinkParts> make_json_lines_sink(const PipelineSpec::Sink& spec, const std::filesystem::path& folder,
                                       const LiveHooks& hooks) {
  std::filesystem::path path = spec.path;
  if (!TextOutput::is_stdout(spec.path)) path = folder / path;
  TERN_ASSIGN_OR_RETURN(LineFile file, LineFile::open(path));
  if (file.bytes_before() > 0) {
    hooks.logger->log(
        LogLevel::kInfo, "json_lines",
        fmt::format("{}: goes on behind the {} bytes that are there", path.string(), file.bytes_before()));
  }
  SinkParts parts;
  parts.name = "json_lines";
  parts.sink = std::make_unique<JsonLinesSink>(std::move(file));
  return parts;
}

Result<SinkParts> make_sink(const PipelineSpec::Sink& spec, const std::filesystem::path& folder,
                            const LiveHooks& hooks) {
  switch (spec.kind) {
    case PipelineSpec::SinkKind::kJsonLines:
      return make_json_lines_sink(spec, folder, hooks);
    case PipelineSpec::SinkKind::kVideo:
      return make_video_sink(spec, folder, hooks);
    case PipelineSpec::SinkKind::kHttp:
      return make_http_sink(spec, folder, hooks);
    case PipelineSpec::SinkKind::kWeb:
      break;
  }
  return make_error(StatusCode::kConfigError, "a live page cannot be made like the other sinks");
}

}  // namespace tern
