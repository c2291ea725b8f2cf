// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

#include "tern/engine.h"
#include "tern/model.h"
#include "tern/status.h"

namespace tern {

struct BuildProcessOptions {
  std::filesystem::path worker;  ///< tern-build-worker; empty: the one beside the plugins, or $TERN_BUILD_WORKER
  std::uint64_t memory_limit_bytes = 0;            ///< of the worker's address space; 0: none
  std::shared_ptr<Logger> logger = null_logger();  ///< told the worker's own log lines (debug)
};

/// Backend::compile() in a process of its own. The worker gets the model's bytes and the config over a pipe, sends progress back,
/// and leaves the engine in an unlinked file that is mapped here.
///
/// Timeout when config.timeout passes, Cancelled on a stop (the worker is ended: SIGTERM, then SIGKILL after 2 s), EngineBuildError
/// with the worker's last log lines when it crashes, is killed or runs out of memory; else the worker's own Status, unchanged.
/// The worker dies with this process.
[[nodiscard]] TERN_API Result<EngineBlob> compile_in_process(const std::string& backend, const Model& model,
                                                             const BuildConfig& config, const Progress& progress,
                                                             std::stop_token stop, const BuildProcessOptions& options);

}  // namespace tern
