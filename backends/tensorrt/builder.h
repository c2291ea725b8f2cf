// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

#include "host.h"
#include "library.h"
#include "tern/engine.h"

namespace tern::trt_backend {

/// Parses, builds, and examines what was built; see Backend::compile(). The plan itself is the blob: other tools can load it.
[[nodiscard]] Result<EngineBlob> build_engine(const Library& library, const Gpu& gpu, const Model& model,
                                              const BuildConfig& config, const Progress& progress,
                                              std::stop_token stop);

}  // namespace tern::trt_backend
