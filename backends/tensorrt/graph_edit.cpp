// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "graph_edit.h"

#include "tern/quantize.h"

namespace tern::trt_backend {

Result<Model> edit_graph(const Model& model, const PrecisionPlan& plan, const TensorRanges& ranges) {
  Model edited = model;
  if (plan.insert_qdq) {
    TERN_ASSIGN_OR_RETURN(edited, quantize(edited, ranges, {.target = QuantTarget::kTensorRt}));
  }
  if (plan.convert_to_f16) {
    TERN_ASSIGN_OR_RETURN(edited, convert_to_f16(edited));
  }
  return edited;
}

}  // namespace tern::trt_backend
