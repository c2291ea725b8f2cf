// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "live/hooks.h"
#include "tern/pipeline_io.h"
#include "tern/pipeline_spec.h"

namespace tern {

/// The sink that `spec` describes; relative paths are taken from `folder`. IoError where its file cannot be written, ConfigError for a URL
/// that cannot be posted to, and for a live page, which is not made here.
///
/// json_lines: a line of result_line() a frame, behind what the file holds already (LineFile); loses nothing. video: an MP4 of one source,
/// which has its name once the pipeline has ended; loses nothing. http: posts each line, and loses those that the other side does not take in
/// time, counted as tern_pipeline_http_lost_total.
[[nodiscard]] Result<SinkParts> make_sink(const PipelineSpec::Sink& spec, const std::filesystem::path& folder,
                                          const LiveHooks& hooks = {});

// One for each kind.
[[nodiscard]] Result<SinkParts> make_json_lines_sink(const PipelineSpec::Sink& spec,
                                                     const std::filesystem::path& folder, const LiveHooks& hooks = {});
[[nodiscard]] Result<SinkParts> make_video_sink(const PipelineSpec::Sink& spec, const std::filesystem::path& folder,
                                                const LiveHooks& hooks = {});
[[nodiscard]] Result<SinkParts> make_http_sink(const PipelineSpec::Sink& spec, const std::filesystem::path& folder,
                                               const LiveHooks& hooks = {});

}  // namespace tern
