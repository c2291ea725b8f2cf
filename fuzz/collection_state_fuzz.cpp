// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What an interrupted calibration leaves behind. The input is a line of JSON; the statistics behind it are sound, and the fuzzer
// says where the first of them ends: the statistics themselves have a fuzzer of their own.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "quant/calibration/collection_state.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kStatistics = [] {
    tern::ActivationStatistics statistics;
    const float values[] = {1, -2, 3};
    require(statistics.observe_range("t", values, 3).ok());
    return statistics.to_bytes().value();
  }();
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (const std::size_t end = bytes.find('\n'); end == std::string::npos) bytes += "\n" + kStatistics + kStatistics;
  const auto state = tern::CollectionState::from_bytes(bytes, "fuzz.part");
  if (!state.ok()) {
    require(state.status().code() == tern::StatusCode::kCalibrationCacheError);
    return 0;
  }
  require(tern::CollectionState::from_bytes(state->to_bytes().value(), "again").value() == *state);
  return 0;
}
