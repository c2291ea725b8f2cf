// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Arbitrary text as a calibration cache of TensorRT.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tern/calib_cache.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto cache = tern::TensorrtCache::parse({reinterpret_cast<const char*>(data), size}, "fuzz.calib_cache");
  if (!cache.ok()) {
    require(cache.status().code() == tern::StatusCode::kCalibrationCacheError);
    return 0;
  }
  // Whatever parses has sound scales, and is written so that it is read as the same.
  require(!cache->entries.empty());
  for (const auto& [tensor, range] : cache->ranges())
    require(std::isfinite(range) && range >= 0 && !tensor.empty());
  const auto text = cache->to_text();
  require(text.ok());
  require(tern::TensorrtCache::parse(*text, "again").value() == *cache);
  require(tern::parse_tensorrt_version(tern::tensorrt_version_text(cache->version)).value() == cache->version);
  return 0;
}
