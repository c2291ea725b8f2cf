// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "pipeline/yaml_map.h"
#include "tern/pipeline_spec.h"

namespace tern {

/// What a file says before its references are resolved; entries belong to those of `spec` by index.
struct SpecDraft {
  struct SourceNames {
    YamlName name{};
    bool has_models = false;  // else all models
    std::vector<YamlName> models{};
  };
  struct ModelNames {
    YamlName name{};
    YamlName crops_of{}, region_mask{};  // empty texts: not given
    YamlPosition share_at{};
  };
  struct StepNames {
    std::vector<YamlName> off{}, on{};
  };
  PipelineSpec spec{};
  std::vector<SourceNames> sources{};
  std::vector<ModelNames> models{};
  std::vector<YamlName> sink_sources{};
  std::vector<StepNames> steps{};
};

/// Checks everything that can be told from one value or one map alone; the first failure goes to `errors`.
[[nodiscard]] SpecDraft read_spec(const YamlNode& root, YamlErrors& errors);

/// Resolves names, sorts models behind their inputs and checks what several entries make together.
void resolve_spec(SpecDraft& draft, YamlErrors& errors);

}  // namespace tern
