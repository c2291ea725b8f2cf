// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <new>
#include <utility>

#include "tern/status.h"

namespace tern {

/// Calls what belongs to somebody else (a source, a sink, a model); what it throws becomes a Status.
template <typename F>
[[nodiscard]] auto guarded(F&& call) noexcept -> decltype(call()) {
  try {
    return std::forward<F>(call)();
  } catch (const Error& e) {
    return e.status();
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kOutOfMemoryError, "there is no more memory");
  } catch (const std::exception& e) {
    return Status(StatusCode::kInternalError, e.what());
  } catch (...) {
    return Status(StatusCode::kInternalError, "an exception of unknown type");
  }
}

}  // namespace tern
