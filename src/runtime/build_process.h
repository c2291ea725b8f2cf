// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "tern/engine.h"
#include "tern/log.h"
#include "tern/model.h"
#include "tern/status.h"

namespace tern {

struct BuildProcessOptions {
  /// tern-build-worker; empty: $TERN_BUILD_WORKER where set (an absolute path), else the one beside the plugins.
  std::filesystem::path worker{};
  /// Address space that a build may take beyond the bare worker's (RLIMIT_AS); 0: no limit.
  std::uint64_t memory_limit_bytes = 0;
  /// Told what the worker and the backend print (debug). Its level is the worker's.
  std::shared_ptr<Logger> logger = null_logger();
};

/// Backend::compile() in a process of its own: tern-build-worker, which loads the backends that BackendRegistry::load() finds.
/// The engine comes back in a sealed file without a name, mapped read-only. `progress` is called in this thread and never falls.
///
/// Timeout when config.timeout passes, Cancelled on a stop (both end the worker: SIGTERM, then SIGKILL after 2 s),
/// EngineBuildError with the worker's last log lines as cause when it does not start, crashes, is killed or runs out of memory;
/// else the worker's own Status, unchanged. The worker dies with the calling thread, so also with this process.
/// Any number of threads may build at the same time.
[[nodiscard]] TERN_API Result<EngineBlob> compile_in_process(const std::string& backend, const Model& model,
                                                             const BuildConfig& config, const Progress& progress,
                                                             std::stop_token stop, const BuildProcessOptions& options);

}  // namespace tern
