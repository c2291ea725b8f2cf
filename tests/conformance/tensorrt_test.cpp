// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "backend_suite.h"

namespace tern::conformance {
namespace {

/// Kernels of two batches add in different orders: logits of the demo models stay below 30.
BackendCase tensorrt() {
  BackendCase backend{.name = "tensorrt", .tolerance = 1e-3F};
  backend.base.precision = Precision::kF32;  // what the exact tests are about; `auto` is f16
  backend.base.optimization_level = 0;       // builds in seconds
  backend.default_batch = 4;
  backend.counts_threads = false;
  backend.needs_a_device = true;
  return backend;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(TensorRt, BackendConformance, ::testing::Values(tensorrt()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace tern::conformance
