// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "store/mapping.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/error.h"

namespace tern {
namespace {

std::shared_ptr<void> map(int descriptor, std::size_t size, int protection, int flags) {
  void* const address = ::mmap(nullptr, size, protection, flags, descriptor, 0);
  if (address == MAP_FAILED) return nullptr;
  return {address, [size](void* a) { ::munmap(a, size); }};
}

}  // namespace

Result<Mapping> map_file(const RegularFile& file) {
  const auto size = static_cast<std::size_t>(file.size());
  const std::shared_ptr<void> memory = map(file.descriptor.get(), size, PROT_READ, MAP_PRIVATE);
  if (memory == nullptr) return io_error("cannot map the file", file.path, errno);
  ::madvise(memory.get(), size, MADV_WILLNEED);  // a hint: without it the file is read page by page
  return Mapping{{static_cast<const std::byte*>(memory.get()), size}, memory};
}

Result<Mapping> map_sealed_copy(const RegularFile& file) {
  const auto size = static_cast<std::size_t>(file.size());
  const auto failed = [&](std::string_view what) { return io_error(what, file.path, errno); };
  const Descriptor copy(::memfd_create("tern-engine", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy.valid()) return failed("cannot make a sealed copy in memory");
  if (::ftruncate(copy.get(), static_cast<off_t>(size)) != 0) return failed("no memory for a sealed copy");
  {
    // The kernel seals only what nobody has mapped for writing.
    const std::shared_ptr<void> writable = map(copy.get(), size, PROT_READ | PROT_WRITE, MAP_SHARED);
    if (writable == nullptr) return failed("no memory for a sealed copy");
    TERN_RETURN_IF_ERROR(read_exactly(file, {static_cast<std::byte*>(writable.get()), size}));
  }
  if (::fcntl(copy.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return failed("cannot seal the copy in memory");
  const std::shared_ptr<void> memory = map(copy.get(), size, PROT_READ, MAP_PRIVATE);
  if (memory == nullptr) return failed("cannot map the sealed copy");
  return Mapping{{static_cast<const std::byte*>(memory.get()), size}, memory};
}

}  // namespace tern
