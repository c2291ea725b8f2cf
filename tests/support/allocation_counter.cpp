// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "support/allocation_counter.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <execinfo.h>

#include "base/sanitizers.h"

namespace {

// Plain storage: a thread_local with a constructor would itself allocate on first use.
thread_local bool tls_is_counting = false;
thread_local bool tls_is_paused = false;  // within count()
thread_local tern::test::Allocations tls_count;
std::atomic<bool> is_counting_all = false;
std::atomic<std::size_t> all_of_backend = 0, all_others = 0;

/// AddressSanitizer asks where the stack of a new thread lies. (Whoever starts the thread allocates its state, which is counted.)
bool is_of_new_thread(const void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 && info.dli_sname != nullptr &&
         std::strcmp(info.dli_sname, "pthread_getattr_np") == 0;
}

/// A backend's plugin, or the runtime under it, which has threads of its own.
bool is_in_backend(const void* address) {
  constexpr std::array kLibraries{"libtern_", "libopenvino", "libonnxruntime", "libtbb"};
  Dl_info info{};
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return false;
  for (const char* library : kLibraries) {
    if (std::strstr(info.dli_fname, library) != nullptr) return true;
  }
  return false;
}

[[maybe_unused]] void count() noexcept {
  const bool is_counting_everywhere = is_counting_all.load(std::memory_order_relaxed);
  if ((!tls_is_counting && !is_counting_everywhere) || tls_is_paused) return;
  tls_is_paused = true;  // what follows may allocate
  std::array<void*, 64> frames{};
  const int depth = backtrace(frames.data(), static_cast<int>(frames.size()));
  bool is_backend = false;
  for (int i = 0; i < depth && !is_backend; ++i)
    is_backend =
        is_in_backend(frames[static_cast<std::size_t>(i)]) || is_of_new_thread(frames[static_cast<std::size_t>(i)]);
  if (tls_is_counting) ++(is_backend ? tls_count.backend : tls_count.other);
  if (is_counting_everywhere) ++(is_backend ? all_of_backend : all_others);
  tls_is_paused = false;
}

}  // namespace

namespace tern::test {

Allocations count_allocations(const std::function<void()>& call) {
  tls_count = {};
  tls_is_counting = true;
  call();
  tls_is_counting = false;
  return tls_count;
}

Allocations count_allocations_of_all_threads(const std::function<void()>& call) {
  all_of_backend = all_others = 0;
  is_counting_all = true;
  call();
  is_counting_all = false;
  return {all_of_backend, all_others};
}

}  // namespace tern::test

#if defined(TERN_ASAN)

// Of sanitizer/allocator_interface.h, which GCC does not install.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                                         void (*on_free)(const volatile void*));

namespace {

[[maybe_unused]] const int kInstalled = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { count(); }, [](const volatile void*) {});

}  // namespace

#elif defined(TERN_TSAN)

// ThreadSanitizer keeps malloc for itself and has no hooks: what C++ allocates is counted, what C does is not.
#include <new>

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  count();
  return std::malloc(size == 0 ? 1 : size);
}
void* operator new(std::size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

#else

// glibc's own entry points stay reachable under these names when a program replaces the public ones.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}
void* calloc(std::size_t items, std::size_t size) {
  count();
  return __libc_calloc(items, size);
}
void* realloc(void* memory, std::size_t size) {
  count();
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  count();
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? 12 : 0;  // ENOMEM
}
}

#endif
