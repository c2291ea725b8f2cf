// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "interrupt.h"

#include <csignal>
#include <pthread.h>
#include <unistd.h>

#include "tern/status.h"

namespace tern {

// A stop request takes locks, which a signal handler must not; so the signals are blocked in every thread (threads inherit
// the mask) and one thread waits for them.
Interrupt::Interrupt() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  waiter_ = std::thread([this, signals] {
    int signal = 0;
    while (sigwait(&signals, &signal) == 0 && !done_) {
      if (!source_.request_stop()) ::_exit(error_class(StatusCode::kCancelled).exit_code);
    }
  });
}

Interrupt::~Interrupt() {
  done_ = true;
  pthread_kill(waiter_.native_handle(), SIGTERM);
  waiter_.join();
}

}  // namespace tern
