// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>

#include "tensor/npy.h"

// Whatever parses must survive being written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tensor = tern::parse_npy(std::as_bytes(std::span(data, size)));
  if (!tensor.ok()) return 0;
  const auto file = tern::to_npy(tensor->view());
  if (!file.ok()) std::abort();
  const auto back = tern::parse_npy(*file);
  if (!back.ok() || back->dtype() != tensor->dtype() || back->shape() != tensor->shape()) std::abort();
  if (back->bytes() > 0 && std::memcmp(back->view().data(), tensor->view().data(), back->bytes()) != 0) std::abort();
  return 0;
}
