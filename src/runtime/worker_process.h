// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>

#include "tern/status.h"

namespace tern {

/// A program that runs beside this one, in a process group of its own, with the descriptors given and no others, default signal
/// handlers and no blocked signals. The destructor kills the group. Not thread-safe.
class WorkerProcess {
 public:
  /// How it ended.
  struct Ending {
    bool known = false;  ///< false: somebody else reaped it (an application that ignores SIGCHLD)
    int signal = 0;      ///< not 0: what killed it
    int exit_code = 0;
    /// "was killed by SIGSEGV (Segmentation fault)", "ended with exit code 3".
    [[nodiscard]] std::string text() const;
  };

  /// `descriptors[i]` becomes the program's descriptor i. EngineBuildError where the program does not start.
  [[nodiscard]] static Result<WorkerProcess> start(const std::filesystem::path& program,
                                                   std::span<const int> descriptors);
  WorkerProcess(WorkerProcess&& other) noexcept;
  WorkerProcess& operator=(WorkerProcess&&) = delete;
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();

  /// Whether the program has ended; does not wait.
  [[nodiscard]] bool has_ended();
  void signal_group(int signal) noexcept;
  /// Kills what is left of the group and waits for the program. Call it once.
  Ending finish() noexcept;

 private:
  explicit WorkerProcess(pid_t pid) noexcept : pid_(pid) {}
  pid_t pid_;
  bool is_reaped_ = false;
};

}  // namespace tern
