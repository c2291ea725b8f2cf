// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tern/pipeline_snapshot.h"

namespace tern {

/// How a pipeline did, as tables for people: sources, models, sinks, and a last line about the whole.
[[nodiscard]] std::string pipeline_report(const PipelineSnapshot& snapshot);
/// The same in a few words while it runs: "2 sources, 59.8 frames/s, 99.9 % in time, age p95 31 ms".
[[nodiscard]] std::string pipeline_headline(const PipelineSnapshot& snapshot);

}  // namespace tern
