// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "image/file_probe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto info = tern::probe_image(std::as_bytes(std::span(data, size)));
  if (info.ok() && (info->width < 0 || info->height < 0)) std::abort();
  return 0;
}
