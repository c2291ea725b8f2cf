// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/eval.h"
#include "tern/status.h"

namespace tern {

/// The text of an instances.json; paths are as written there. InputError names the key.
[[nodiscard]] Result<std::vector<DetectionSample>> parse_instances(std::string_view text,
                                                                   std::span<const std::string> class_names);

/// The text of a labels.json; paths are as written there. InputError names the key.
[[nodiscard]] Result<std::vector<ClassificationSample>> parse_class_labels(std::string_view text,
                                                                           std::span<const std::string> class_names);

}  // namespace tern
