// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What every backend asks of a model and of what is bound.
#include <algorithm>

#include "base/error.h"
#include "tern/dev/backend.h"

namespace tern::dev {

bool is_quantised(const Model& model) {
  return std::ranges::any_of(
      model.op_counts(), [](const auto& op) { return op.first == "QuantizeLinear" || op.first == "DequantizeLinear"; });
}

Status check_tensor(const TensorView& tensor, const TensorSpec& spec) {
  if (tensor.empty()) return Status(StatusCode::kInputError, "the tensor has no data").at(spec.name);
  if (tensor.dtype() != spec.dtype) {
    return make_error(StatusCode::kInputError, "the tensor has element type {}; the model wants {}",
                      to_string(tensor.dtype()), to_string(spec.dtype))
        .at(spec.name);
  }
  if (!tensor.is_contiguous())
    return Status(StatusCode::kInputError, "the tensor is not contiguous")
        .at(spec.name)
        .with_hint("copy it with Tensor::copy_of");
  if (!spec.shape.accepts(tensor.shape())) {
    return make_error(StatusCode::kInputError, "the tensor has shape {}; the model wants {}",
                      tensor.shape().to_string(), spec.shape.to_string())
        .at(spec.name);
  }
  return {};
}

}  // namespace tern::dev
