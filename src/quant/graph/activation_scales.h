// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "tern/quantize.h"

namespace tern {

/// The scale of each tensor of a plan. InputError, naming tensor and reader, as quantize() says.
[[nodiscard]] Result<std::map<std::string, float, std::less<>>> activation_scales(const QuantizationPlan& plan,
                                                                                  const TensorRanges& ranges);

}  // namespace tern
