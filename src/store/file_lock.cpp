// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "store/file_lock.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>

#include "base/error.h"

namespace tern {
namespace {

constexpr std::chrono::milliseconds kPoll{20};

}  // namespace

Result<std::unique_ptr<FileLock>> FileLock::try_lock(const std::filesystem::path& path) {
  // A descriptor of its own each time: flock() knows open files, not threads or processes.
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return io_error("cannot open the lock", path, errno);
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::unique_ptr<FileLock>();
    if (errno != EINTR) return io_error("cannot lock", path, errno);
  }
  return std::make_unique<FileLock>(std::move(file));
}

Result<std::unique_ptr<FileLock>> FileLock::lock(const std::filesystem::path& path, const WaitOptions& wait,
                                                 const std::function<void()>& on_wait) {
  for (bool is_first = true;; is_first = false) {
    if (wait.stop.stop_requested())
      return Status(StatusCode::kCancelled, "stopped while waiting for another build of this engine").at(path.string());
    TERN_ASSIGN_OR_RETURN(auto lock, try_lock(path));
    if (lock != nullptr) return lock;
    if (is_first && on_wait) on_wait();
    auto until = std::chrono::steady_clock::now() + kPoll;
    if (wait.deadline) {
      if (std::chrono::steady_clock::now() >= *wait.deadline) {
        return Status(StatusCode::kTimeout, "another build of this engine did not end in time")
            .at(path.string())
            .with_hint("wait longer, or look which process holds the lock: fuser FILE");
      }
      until = std::min(until, *wait.deadline);
    }
    std::this_thread::sleep_until(until);
  }
}

}  // namespace tern
