// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "precision.h"
#include "tern/model.h"
#include "tern/quant.h"

namespace tern::trt_backend {

/// The graph that TensorRT is given for `plan`: Q/DQ nodes inserted by `ranges`, what is left of f32 converted to f16, or the model
/// as it is.
[[nodiscard]] Result<Model> edit_graph(const Model& model, const PrecisionPlan& plan, const TensorRanges& ranges);

}  // namespace tern::trt_backend
