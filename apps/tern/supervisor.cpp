// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "supervisor.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/interruptible_sleep.h"

namespace tern {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kFirstDelay{1}, kLongestDelay{30}, kLongRun{60};

volatile std::sig_atomic_t child_process = 0;  // for the handler of SIGHUP, which is meant for it

/// Of the new process alone, between fork() and exec(): no call that takes a lock.
[[noreturn]] void become(char* const* arguments, pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);  // this process blocks the signals that it waits for
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGHUP, SIG_DFL);
  setpgid(0, 0);  // Ctrl-C goes to this process, which passes it on once
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() == parent) execv("/proc/self/exe", arguments);
  _exit(127);
}

Result<pid_t> start(const std::vector<std::string>& arguments) {
  std::vector<std::string> texts = arguments;
  std::vector<char*> pointers;
  for (std::string& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return make_error(StatusCode::kInternalError, "no process can be started: {}", std::strerror(errno));
  if (child == 0) become(pointers.data(), parent);
  child_process = child;
  return child;
}

/// Waits for the child's end; its wait status.
int wait_for(pid_t child, const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [child] { kill(child, SIGTERM); });
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  child_process = 0;
  return status;
}

StatusCode code_of(int exit_code) {
  const auto rows = error_classes();
  const auto found = std::ranges::find(rows, exit_code, &ErrorClass::exit_code);
  return found != rows.end() ? found->code : StatusCode::kInternalError;
}

bool is_worth_a_new_process(int status) {
  if (WIFSIGNALED(status))
    return WTERMSIG(status) != SIGTERM && WTERMSIG(status) != SIGINT && WTERMSIG(status) != SIGKILL;
  const StatusCode code = code_of(WEXITSTATUS(status));
  return WEXITSTATUS(status) != 0 && (code == StatusCode::kInferenceError || code == StatusCode::kBackendError);
}

std::string text_of(int status) {
  return WIFSIGNALED(status) ? fmt::format("was ended by signal {}", WTERMSIG(status))
                             : fmt::format("ended with {}", error_class(code_of(WEXITSTATUS(status))).name);
}

}  // namespace

std::vector<std::string> own_arguments_without(const std::string& flag) {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string one; std::getline(file, one, '\0');) {
    if (one != flag) arguments.push_back(one);
  }
  return arguments;
}

Status supervise(const std::vector<std::string>& arguments, const Console& console, std::stop_token stop) {
  std::signal(SIGHUP, [](int) {
    if (child_process > 0) kill(child_process, SIGHUP);
  });
  std::chrono::seconds delay = kFirstDelay;
  for (;;) {
    const Clock::time_point began = Clock::now();
    TERN_ASSIGN_OR_RETURN(const pid_t child, start(arguments));
    const int status = wait_for(child, stop);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    if (stop.stop_requested() || !is_worth_a_new_process(status))
      return {WIFEXITED(status) ? code_of(WEXITSTATUS(status)) : StatusCode::kInternalError,
              fmt::format("the supervised process {}", text_of(status))};
    if (Clock::now() - began >= kLongRun) delay = kFirstDelay;
    console.warn(fmt::format("the supervised process {}; a new one begins in {} s", text_of(status), delay.count()));
    if (!InterruptibleSleep().lasting(delay, stop)) return {};
    delay = std::min(delay * 2, kLongestDelay);
  }
}

}  // namespace tern
