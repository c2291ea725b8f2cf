// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "tern/results.h"

namespace tern {

/// The first of the largest, and the probabilities: softmax (in f64) of logits, other values as they are. False for NaN or
/// infinity. REQUIRES: at least one value.
[[nodiscard]] bool classify_values(std::span<const float> values, bool are_logits, Classification& result);

}  // namespace tern
