// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/worker_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/error.h"
#include "runtime/descriptor.h"

namespace tern {
namespace {

/// posix_spawn's two objects, which are made and freed by hand.
struct SpawnPlan {
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

Status cannot_start(const std::filesystem::path& program, int error) {
  return make_error(StatusCode::kEngineBuildError, "the build process does not start: {}",
                    std::generic_category().message(error))
      .at(program.string());
}

}  // namespace

std::string WorkerProcess::Ending::text() const {
  if (!known) return "ended";
  if (signal == 0) return fmt::format("ended with exit code {}", exit_code);
  const char* name = ::sigabbrev_np(signal);
  const char* words = ::sigdescr_np(signal);
  if (name == nullptr || words == nullptr) return fmt::format("was killed by signal {}", signal);
  return fmt::format("was killed by SIG{} ({})", name, words);
}

Result<WorkerProcess> WorkerProcess::start(const std::filesystem::path& program, std::span<const int> descriptors) {
  // Copies above the range that is to be filled, so that no source is overwritten before it was used.
  std::vector<Descriptor> sources;
  SpawnPlan plan;
  const int count = static_cast<int>(descriptors.size());
  for (int i = 0; i < count; ++i) {
    sources.emplace_back(::fcntl(descriptors[static_cast<std::size_t>(i)], F_DUPFD_CLOEXEC, count));
    if (!sources.back().is_open()) return cannot_start(program, errno);
    posix_spawn_file_actions_adddup2(&plan.actions, sources.back().get(), i);
  }
  // Whatever else this process has open without close-on-exec stays out: sockets and locks of the application.
  posix_spawn_file_actions_addclosefrom_np(&plan.actions, count);

  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&plan.attributes, &none);
  posix_spawnattr_setsigdefault(&plan.attributes, &all);
  posix_spawnattr_setpgroup(&plan.attributes, 0);
  posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::string name = program.string();
  const std::array<char*, 2> arguments{name.data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, name.c_str(), &plan.actions, &plan.attributes, arguments.data(), environ);
  if (error != 0) return cannot_start(program, error);
  return WorkerProcess(pid);
}

WorkerProcess::WorkerProcess(WorkerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), is_reaped_(other.is_reaped_) {}

WorkerProcess::~WorkerProcess() {
  if (pid_ > 0) finish();
}

bool WorkerProcess::has_ended() {
  // WNOWAIT leaves the zombie, which keeps the process group's number from being given to somebody else.
  siginfo_t info{};
  for (;;) {
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0) return info.si_pid == pid_;
    if (errno == EINTR) continue;
    is_reaped_ = true;
    return true;
  }
}

void WorkerProcess::signal_group(int signal) noexcept {
  if (pid_ > 0 && !is_reaped_) ::kill(-pid_, signal);
}

WorkerProcess::Ending WorkerProcess::finish() noexcept {
  signal_group(SIGKILL);
  Ending ending;
  int status = 0;
  pid_t got = -1;
  while (!is_reaped_ && (got = ::waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {
  }
  if (got == pid_) {
    ending.known = true;
    if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
    if (WIFEXITED(status)) ending.exit_code = WEXITSTATUS(status);
  }
  pid_ = -1;
  return ending;
}

}  // namespace tern
