// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tern/export.h"

namespace tern {

/// All of tern-build-worker: takes a request from the descriptors that runtime/build_protocol.h names, compiles, answers. Never
/// returns; the exit code is 0 when an answer was given.
[[noreturn]] TERN_API void run_build_worker() noexcept;

}  // namespace tern
