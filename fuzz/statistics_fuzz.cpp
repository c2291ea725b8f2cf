// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <span>
#include <string>

#include "base/sha256.h"
#include "tern/quant.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// The input is given its checksum, or nothing would pass it. Whatever parses must calibrate and be written as it was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto digest = tern::Sha256::of(std::as_bytes(std::span(bytes)));
  bytes.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  const auto statistics = tern::ActivationStatistics::from_bytes(bytes, "fuzz.stats");
  if (!statistics.ok()) {
    require(statistics.status().code() == tern::StatusCode::kCalibrationCacheError);
    return 0;
  }
  require(statistics->to_bytes().value() == bytes);
  for (const auto& [name, tensor] : statistics->tensors) {
    const auto range = tern::calibrate(tensor, {.method = tern::CalibrationMethod::kEntropy});
    require(!range.ok() || *range >= 0);
  }
  return 0;
}
