// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "live/hooks.h"
#include "media/stream_reader.h"
#include "tern/pipeline_io.h"
#include "tern/pipeline_spec.h"

namespace tern {

/// The source that `spec` describes; relative paths are taken from `folder`. ConfigError for a pattern without a size or rate; what
/// is wrong with a location is the failure of SourceParts::open.
///
/// images: the image files of a folder, sorted by name, each read when it is due. video: at the pace of its time stamps, whatever
/// they are, where it is real_time; it may come up to Pacer::kMaxLag late, and then goes on that much later. pattern: PatternScene.
/// rtsp, v4l2: StreamReader; the damaged packets and frames that it skips are counted as tern_pipeline_damaged_total. Messages and metrics
/// show no more of a URL than its host.
[[nodiscard]] Result<SourceParts> make_source(const PipelineSpec::Source& spec, const std::filesystem::path& folder,
                                              const LiveHooks& hooks = {});

/// How to talk to the camera of an rtsp or v4l2 source. REQUIRES: it is one.
[[nodiscard]] StreamOrigin stream_origin(const PipelineSpec::Source& spec);

/// The source `name` of what `origin` is.
[[nodiscard]] SourceParts make_stream_source(const std::string& name, const StreamOrigin& origin,
                                             const LiveHooks& hooks);

}  // namespace tern
