// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/contract_metadata.h"

namespace tern {

/// Fills a contract whose `given` values are settled: what nobody said is taken from the model's tensors, then from
/// defaults; what was said is held against the tensors. ContractError as Contract::resolve().
[[nodiscard]] Result<Contract> complete_contract(const Model& model, const GivenValues& given,
                                                 const MetadataFacts& metadata);

}  // namespace tern
