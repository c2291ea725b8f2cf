// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a model: read, checked, inspected, and a contract made of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "tern/contract.h"
#include "tern/inspect.h"
#include "tern/model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tern::ModelLimits limits;
  limits.max_file_bytes = 1 << 20;
  limits.max_nodes = 2000;
  limits.max_initializers = 2000;
  limits.max_nesting = 6;
  const auto model = tern::Model::from_bytes(std::as_bytes(std::span(data, size)), "fuzz", {}, limits);
  if (!model.ok()) {
    if (model.status().code() != tern::StatusCode::kModelError) std::abort();
    return 0;
  }
  const auto contract = tern::Contract::resolve(model.value());
  if (!contract.ok() && contract.status().code() != tern::StatusCode::kContractError) std::abort();
  if (tern::inspect_json(model.value(), contract.ok() ? &contract.value() : nullptr).empty()) std::abort();
  // What was accepted is accepted again from the bytes that backends get.
  const auto bytes = model.value().self_contained_bytes();
  if (!bytes.ok() || !tern::Model::from_bytes(bytes.value(), "again").ok()) std::abort();
  return 0;
}
