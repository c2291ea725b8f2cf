// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace tern::test {

/// Heap allocations (malloc family and operator new) of one thread, told apart by who made them.
struct Allocations {
  std::size_t backend = 0;  ///< with a function of a backend plugin on the call stack
  std::size_t other = 0;    ///< everything else: tern itself, its libraries, the test
};

/// Counts what the calling thread allocates during `call`.
Allocations count_allocations(const std::function<void()>& call);
/// Counts what all threads allocate during `call`. One at a time.
Allocations count_allocations_of_all_threads(const std::function<void()>& call);

}  // namespace tern::test
