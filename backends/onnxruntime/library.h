// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tern/status.h"

namespace tern::ort_backend {

/// Opens libonnxruntime.so.1 and makes the C++ API speak to it. Found by LD_LIBRARY_PATH, then where it lay when tern was built, then
/// by the system's loader. Once a process; it stays loaded until the process ends. BackendError when there is none, or one that is
/// older than the headers tern was built with.
[[nodiscard]] Status open_library();

/// Full version of the library: "1.32.0". REQUIRES: open_library() succeeded, as all that follows.
[[nodiscard]] std::string library_version();

}  // namespace tern::ort_backend
