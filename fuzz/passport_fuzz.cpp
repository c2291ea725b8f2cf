// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Arbitrary text as the passport of a calibration.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tern/calib_cache.h"
#include "tern/passport.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto passport = tern::CalibrationPassport::from_json(text, "fuzz.calib.json");
  if (!passport.ok()) {
    require(passport.status().code() == tern::StatusCode::kCalibrationCacheError);
    return 0;
  }
  // Whatever parses has sound ranges, is written so that it is read as the same, and makes a cache of TensorRT.
  require(passport->coverage() >= 0 && passport->coverage() <= 1);
  for (const auto& [tensor, range] : passport->ranges)
    require(std::isfinite(range) && !std::signbit(range));
  require(tern::CalibrationPassport::from_json(passport->to_json(), "again").value() == *passport);
  require(tern::TensorrtCache::of(passport->ranges, 8601).to_text().ok());
  return 0;
}
