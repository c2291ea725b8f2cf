// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "backend_suite.h"

namespace tern::conformance {
namespace {

BackendCase onnxruntime() {
  BackendCase backend{.name = "onnxruntime", .tolerance = 2e-4F};
  // A Relu before values that are quantised in i8 stays between the convolution and its Q, and then ONNX Runtime computes in f32; in u8
  // the Relu is part of the quantisation.
  backend.fuses_unsigned_alone = true;
  return backend;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(OnnxRuntime, BackendConformance, ::testing::Values(onnxruntime()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace tern::conformance
