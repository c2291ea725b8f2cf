// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Arbitrary text as a pipeline file: what is accepted keeps the promises of PipelineSpec, so that a scheduler takes it.
#include <cstdlib>

#include "tern/pipeline_spec.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto spec = tern::PipelineSpec::parse(text, "fuzz");
  if (!spec.ok()) {
    require(spec.status().code() == tern::StatusCode::kConfigError);
    require(spec.status().where().starts_with("fuzz"));
    return 0;
  }
  require(!spec->sources.empty() && !spec->models.empty());
  require(tern::ThermalGovernor::create(spec->thermal).ok());
  const auto curve =
      tern::LatencyCurve::create({{1, std::chrono::milliseconds(1)}, {1024, std::chrono::milliseconds(9)}});
  const auto config = spec->scheduler_config(std::vector(spec->models.size(), *curve), 1);
  // The one bound that a file may pass: places for jobs, of which 64 models and 4096 sources would take too many.
  require(config.ok() || config.status().message().find("jobs") != std::string::npos);
  return 0;
}
