// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

/// Scores and probabilities lie in 0..1; this much beyond is rounding in a low precision, and is brought back.
inline constexpr float kProbabilityMargin = 0.001F;

/// Whether results can be made by `contract`; ContractError.
[[nodiscard]] Status check_output_contract(const OutputContract& contract);

/// Whether `output` is a tensor of `contract` with `rows` batch rows, in a form that can be read here.
[[nodiscard]] Status check_output_tensor(const OutputContract& contract, const TensorView& output, std::size_t rows);

/// InputError when `geometry` cannot be a map from a source image to an input.
[[nodiscard]] Status check_geometry(const Geometry& geometry);

/// The InferenceError for a tensor with NaN or infinity: which, where, and in which image of the batch. `row` holds the
/// values of batch row `batch_row`.
[[nodiscard]] Status non_finite_error(const OutputContract& contract, const Shape& shape, std::span<const float> row,
                                      std::size_t batch_row);

}  // namespace tern
