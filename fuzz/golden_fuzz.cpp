// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "runtime/safetensors.h"
#include "tern/golden.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// Whatever parses must survive being written and read again, as plain tensors and as golden frames.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto file = tern::SafeTensors::parse(bytes);
  const auto set = tern::GoldenSet::from_bytes(bytes, "fuzz.golden");
  if (!file.ok()) {
    require(!set.ok() && file.status().code() == tern::StatusCode::kEngineGateError);
    return 0;
  }
  const auto tensors = file->to_bytes();
  require(tensors.ok());
  const auto same_file = tern::SafeTensors::parse(*tensors);
  require(same_file.ok() && same_file->tensors.size() == file->tensors.size() && same_file->metadata == file->metadata);
  if (!set.ok()) {
    require(set.status().code() == tern::StatusCode::kEngineGateError);
    return 0;
  }
  const auto frames = set->to_bytes();
  require(frames.ok());
  const auto same_set = tern::GoldenSet::from_bytes(*frames, "fuzz.golden");
  require(same_set.ok() && same_set->to_bytes().value() == *frames);
  return 0;
}
