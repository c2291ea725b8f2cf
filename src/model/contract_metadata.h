// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "model/contract_fields.h"
#include "tern/model.h"

namespace tern {

/// What an ONNX file's metadata say about its contract.
struct MetadataFacts {
  GivenValues values;
  std::optional<int> channels;  ///< key 'channels' of newer Ultralytics exports: the number alone
  std::optional<int> stride;    ///< dynamic sides must be multiples of it
  bool ultralytics = false;     ///< written by Ultralytics' exporter, whose conventions then apply
};

/// Reads Ultralytics' keys (task, names, imgsz, stride, end2end, channels) and tern's own beside them (color, scale,
/// mean, std, layout). Other keys are left alone. A key that only concerns fields in `overrides` may be malformed.
///
/// ContractError names the key when a value cannot be understood, when two keys contradict each other, and for tasks
/// that tern does not know (pose, obb, ...).
[[nodiscard]] Result<MetadataFacts> read_contract_metadata(const Model& model, const GivenValues& overrides);

}  // namespace tern
