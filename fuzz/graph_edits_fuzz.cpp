// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a model, and every edit of it. What can be read gives a model that can be read, with the same interface, or
// a failure of the classes that the edit documents.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "tern/quantize.h"

namespace {

using tern::Model;
using tern::Result;
using tern::StatusCode;

void require(bool holds) {
  if (!holds) std::abort();
}

bool same_interface(const Model& before, const Model& after) {
  const auto equal = [](const auto& a, const auto& b) { return a.name == b.name && a.dtype == b.dtype; };
  return std::ranges::equal(before.inputs(), after.inputs(), equal) &&
         std::ranges::equal(before.outputs(), after.outputs(), equal);
}

/// ModelError only where an old opset cannot be lifted.
void check(const Model& before, const Result<Model>& after, bool may_lift) {
  if (after.ok()) {
    require(same_interface(before, *after));
  } else {
    require(may_lift && after.status().code() == StatusCode::kModelError &&
            after.status().message().find("be lifted to") != std::string::npos);
  }
}

void quantise(const Model& model, tern::QuantTarget target) {
  tern::QuantizeOptions options{.target = target, .keep_head_float = target != tern::QuantTarget::kOpenVino};
  const auto plan = tern::plan_quantization(model, options);
  if (!plan.ok()) {
    require(plan.status().code() == StatusCode::kModelError);
    return;
  }
  tern::TensorRanges ranges;
  for (const std::string& tensor : plan->tensors)
    ranges.emplace(tensor, 1.0F + static_cast<float>(ranges.size()));
  const auto quantised = tern::quantize(model, ranges, options);
  check(model, quantised, false);
  require(tern::plan_quantization(*quantised, options).status().code() == StatusCode::kModelError);
  check(*quantised, tern::convert_to_f16(*quantised), true);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tern::ModelLimits limits;
  limits.max_file_bytes = 1 << 20;
  limits.max_nodes = 2000;
  limits.max_initializers = 2000;
  limits.max_nesting = 6;
  const auto model = Model::from_bytes(std::as_bytes(std::span(data, size)), "fuzz", {}, limits);
  if (!model.ok()) return 0;
  for (const auto target :
       {tern::QuantTarget::kTensorRt, tern::QuantTarget::kOpenVino, tern::QuantTarget::kOnnxRuntime})
    quantise(*model, target);
  check(*model, tern::fold_batch_norm(*model), false);
  check(*model, tern::convert_to_f16(*model), true);
  const auto tensors = tern::float_tensors(*model);
  const auto exposed = tern::expose_tensors(*model, tensors);
  require(exposed.ok() && exposed->outputs().size() >= model->outputs().size());
  return 0;
}
