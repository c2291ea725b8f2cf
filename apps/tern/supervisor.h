// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "console.h"
#include "tern/status.h"

namespace tern {

/// Arguments of this process, the program's name first, without `flag`.
[[nodiscard]] std::vector<std::string> own_arguments_without(const std::string& flag);

/// Runs this program with `arguments` (the first is its name) in a process of its own, and again whenever it ends by a signal of its own making
/// or with InferenceError or BackendError: a fault of a GPU's driver stays with a process for as long as that lives. After 1 s at
/// first, twice as long each time up to 30 s; 1 s again once it ran for a minute. SIGTERM goes to it on `stop`, and it is waited for; SIGHUP is
/// passed on.
/// Success or its failure otherwise, by its exit code. It ends, too, when this process is killed.
[[nodiscard]] Status supervise(const std::vector<std::string>& arguments, const Console& console, std::stop_token stop);

}  // namespace tern
