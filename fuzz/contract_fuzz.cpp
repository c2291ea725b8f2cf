// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Arbitrary text as a contract file, as a metadata literal and as a whole contract.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/contract_fields.h"
#include "model/literal.h"
#include "tern/contract.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  const auto literal = tern::parse_literal(text);
  // What the parser accepted is UTF-8, so that it can be written; what it wrote, it reads again as the same.
  if (literal.ok() && tern::parse_literal(literal.value().dump()).value() != literal.value()) std::abort();

  const auto given = tern::read_contract_json(text, {tern::FieldOrigin::Source::kFile, "fuzz"});
  if (given.ok()) {
    tern::Contract contract;
    for (const auto& [path, value] : given.value()) {
      (void)tern::apply_field(*tern::find_contract_field(path), value, contract);
    }
    (void)tern::check_consistency(contract, given.value());
  }

  const auto contract = tern::Contract::from_json(text, "fuzz");
  if (!contract.ok()) return 0;
  const auto again = tern::Contract::from_json(contract.value().to_json(), "again");
  if (!again.ok() || again.value().hash() != contract.value().hash()) std::abort();
  return 0;
}
