// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "backend_suite.h"

namespace tern::conformance {

// Two runs of one f32 graph differ where a batch makes oneDNN choose other kernels: logits of the demo models stay
// below 30.
INSTANTIATE_TEST_SUITE_P(OpenVino, BackendConformance,
                         ::testing::Values(BackendCase{.name = "openvino", .tolerance = 2e-4F}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace tern::conformance
