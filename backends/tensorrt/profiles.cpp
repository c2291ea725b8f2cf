// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "profiles.h"

#include <algorithm>

#include "base/error.h"

namespace tern::trt_backend {
namespace {

Result<Bounds> default_bounds(const TensorSpec& input, int max_batch) {
  Bounds bounds{input.shape, input.shape, input.shape};
  for (std::size_t i = 0; i < input.shape.rank(); ++i) {
    if (input.shape[i] != Shape::kDynamic) continue;
    if (i == 0) {
      bounds.min[i] = 1;
      bounds.opt[i] = bounds.max[i] = max_batch > 0 ? max_batch : kDefaultBatch;
    } else if (input.shape.rank() == 4 && i >= 2) {
      bounds.min[i] = bounds.opt[i] = bounds.max[i] = kDefaultSide;
    } else {
      return make_error(StatusCode::kConfigError, "dimension {} of {} is open and needs a shape profile", i,
                        input.shape.to_string())
          .at(input.name)
          .with_hint("give its least, usual and largest shape: --profile NAME=MIN:OPT:MAX");
    }
  }
  return bounds;
}

Result<Bounds> bounds_of(const ShapeProfile& profile, const TensorSpec& input) {
  if (profile.min.rank() != input.shape.rank() || profile.opt.rank() != input.shape.rank() ||
      profile.max.rank() != input.shape.rank()) {
    return make_error(StatusCode::kConfigError, "the profile has rank {}; the input has {}", profile.max.rank(),
                      input.shape.rank())
        .at(input.name);
  }
  for (std::size_t i = 0; i < input.shape.rank(); ++i) {
    const bool rises = profile.min[i] >= 1 && profile.min[i] <= profile.opt[i] && profile.opt[i] <= profile.max[i];
    const bool fits =
        input.shape[i] == Shape::kDynamic || (profile.min[i] == input.shape[i] && profile.max[i] == input.shape[i]);
    if (!rises || !fits) {
      return make_error(StatusCode::kConfigError, "the profile's dimension {} ({}..{}..{}) does not fit the model's {}",
                        i, profile.min[i], profile.opt[i], profile.max[i], input.shape.to_string())
          .at(input.name);
    }
  }
  return Bounds{profile.min, profile.opt, profile.max};
}

}  // namespace

bool Bounds::contains(const Shape& shape) const noexcept {
  if (shape.rank() != min.rank()) return false;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (shape[i] < min[i] || shape[i] > max[i]) return false;
  }
  return true;
}

Result<std::vector<Profile>> plan_profiles(const std::vector<TensorSpec>& inputs, const BuildConfig& config) {
  std::vector<std::vector<Bounds>> by_input(inputs.size());
  for (const ShapeProfile& profile : config.profiles) {
    const auto input = std::ranges::find(inputs, profile.tensor, &TensorSpec::name);
    if (input == inputs.end()) {
      return Status(StatusCode::kConfigError, "a shape profile names an input that the model does not have")
          .at(profile.tensor);
    }
    TERN_ASSIGN_OR_RETURN(const Bounds bounds, bounds_of(profile, *input));
    by_input[static_cast<std::size_t>(input - inputs.begin())].push_back(bounds);
  }
  std::size_t count = 1;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (by_input[i].empty()) {
      TERN_ASSIGN_OR_RETURN(const Bounds bounds, default_bounds(inputs[i], config.max_batch));
      by_input[i].push_back(bounds);
    }
    count = std::max(count, by_input[i].size());
  }
  std::vector<Profile> profiles(count);
  for (std::size_t p = 0; p < count; ++p) {
    for (const auto& bounds : by_input)
      profiles[p].push_back(bounds[std::min(p, bounds.size() - 1)]);
  }
  return profiles;
}

}  // namespace tern::trt_backend
