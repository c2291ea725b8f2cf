// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tern/contract.h"

namespace tern {

/// One field of the contract: its path in JSON, and how its value goes in and out.
struct ContractField {
  std::string_view path;
  /// A fact of the model, on which file and metadata must agree; else a policy that the file may set as it likes.
  bool fact;
  bool text;  ///< its JSON type is a string
  /// Type and range are checked; the message does not name the field.
  Status (*read)(const nlohmann::json& value, Contract& contract);
  nlohmann::json (*write)(const Contract& contract);
};

/// All fields, in the order of the structs.
[[nodiscard]] std::span<const ContractField> contract_fields() noexcept;
/// All paths, for hints.
[[nodiscard]] std::span<const std::string_view> contract_paths() noexcept;
[[nodiscard]] const ContractField* find_contract_field(std::string_view path) noexcept;

/// A value that some source gives for a field.
struct GivenValue {
  nlohmann::json value;
  FieldOrigin origin;
};
using GivenValues = std::map<std::string, GivenValue, std::less<>>;

/// "m.tern.json", "the ONNX metadata 'color'", "the flag input.color": for messages.
[[nodiscard]] std::string describe(const FieldOrigin& origin);

/// Reads `given` into the field of `contract`; the failure names the field and where the value came from.
[[nodiscard]] Status apply_field(const ContractField& field, const GivenValue& given, Contract& contract);

/// Values of a contract file or of a canonical contract: {"task": ..., "input": {...}, "output": {...}}. ContractError
/// on unknown keys (with the nearest known one) and wrong structure. "$schema" is let pass.
[[nodiscard]] Result<GivenValues> read_contract_json(std::string_view text, const FieldOrigin& origin);

/// Whether the fields of a contract agree with each other; `given` tells how many numbers mean and std had.
[[nodiscard]] Status check_consistency(const Contract& contract, const GivenValues& given);

}  // namespace tern
