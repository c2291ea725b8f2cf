// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>

#include "tern/log.h"

namespace tern {

/// Standard error belongs to who holds it: while an image is decoded, what its libraries print there is caught, and a line of anyone else's
/// would be taken for theirs. Held for as long as a line, or an image, takes.
[[nodiscard]] std::mutex& standard_error_mutex() noexcept;

/// stderr_logger() whose lines wait until standard error is nobody's.
[[nodiscard]] std::shared_ptr<Logger> patient_stderr_logger(LogLevel level);

}  // namespace tern
