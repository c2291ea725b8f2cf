// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "tern/engine.h"

namespace tern::trt_backend {

/// Shapes of one input in one optimisation profile.
struct Bounds {
  Shape min, opt, max;
  [[nodiscard]] bool contains(const Shape& shape) const noexcept;
};
/// By input.
using Profile = std::vector<Bounds>;

constexpr int kDefaultBatch = 4;
constexpr std::int64_t kDefaultSide = 1280;

/// The optimisation profiles for `inputs`, at least one. An input with several ShapeProfiles in the config makes as many
/// profiles; the other inputs repeat their last one. Without any, an open leading dimension is 1..max_batch (optimised for
/// max_batch), an open height or width is kDefaultSide, and another open dimension is a ConfigError, as is a profile that does not
/// fit its input or names none.
[[nodiscard]] Result<std::vector<Profile>> plan_profiles(const std::vector<TensorSpec>& inputs,
                                                         const BuildConfig& config);

}  // namespace tern::trt_backend
