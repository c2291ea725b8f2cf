// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "postprocess/limits.h"
#include "tern/contract.h"
#include "tern/geometry.h"
#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

/// Whether results can be made by `contract`; ContractError.
[[nodiscard]] Status check_output_contract(const OutputContract& contract);

/// Whether an output of `shape` and `dtype` is one of `contract`; ContractError.
[[nodiscard]] Status check_output_form(const OutputContract& contract, const Shape& shape, DType dtype);

/// Whether `output` is a tensor of `contract` with `rows` batch rows, in a form that can be read here.
[[nodiscard]] Status check_output_tensor(const OutputContract& contract, const TensorView& output, std::size_t rows);

/// InputError when `geometry` cannot be a map from a source image to an input.
[[nodiscard]] Status check_geometry(const Geometry& geometry);

/// The InferenceError for a tensor with NaN or infinity: which, where, and in which image of the batch. `row` holds the
/// values of batch row `batch_row`.
[[nodiscard]] Status non_finite_error(const OutputContract& contract, const Shape& shape, std::span<const float> row,
                                      std::size_t batch_row);
/// The same where `value` and its `index` in the batch row are known.
[[nodiscard]] Status non_finite_error(const OutputContract& contract, const Shape& shape, float value,
                                      std::size_t index, std::size_t batch_row);

/// The InferenceErrors for a score above kLargestScore ("anchor" or "row", then its index), and for a class that is none.
[[nodiscard]] Status score_error(float score, std::string_view where, std::size_t index);
[[nodiscard]] Status class_error(float class_id, std::size_t row, int classes);

}  // namespace tern
