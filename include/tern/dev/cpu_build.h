// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tern/engine.h"

namespace tern::dev {

/// What the dimensions of one input may be: min[i] to max[i]. Shape::kDynamic in `max`: no limit.
struct ShapeRange {
  Shape min, max;

  [[nodiscard]] bool operator==(const ShapeRange&) const = default;
  /// Whether a tensor of this static shape is in the range.
  [[nodiscard]] TERN_API bool holds(const Shape& shape) const noexcept;
  /// The shape with Shape::kDynamic where there is a choice.
  [[nodiscard]] TERN_API Shape spec() const noexcept;
  /// "1..4x3x640x640"; an open end prints as "1..?".
  [[nodiscard]] TERN_API std::string to_string() const;
  /// From what to_string() gives. EngineGateError on anything else.
  [[nodiscard]] TERN_API static Result<ShapeRange> parse(std::string_view text);
};

/// What a CPU backend builds each input for, in the order of model.inputs(): the config's profile; without one a dynamic leading
/// dimension is 1..max_batch and others stay open. ConfigError names the input whose profile does not fit, that the model does not have,
/// or that has several profiles; ModelError an input of unknown rank. `runtime` is the backend's name for people.
[[nodiscard]] TERN_API Result<std::vector<ShapeRange>> shape_ranges(const Model& model, const BuildConfig& config,
                                                                    std::string_view runtime);

/// EngineBuildError when something else runs than was asked for: a lower precision as much as a higher one.
[[nodiscard]] TERN_API Status check_what_runs(Precision asked, Precision runs, std::string_view runtime);

/// EngineBlob::engine_id. `built_with`: everything beside model and config that makes engines differ.
[[nodiscard]] TERN_API std::string engine_id(const Model& model, const BuildConfig& config, Precision precision,
                                             std::string_view built_with);

/// The operators and nodes that a runtime's message complains about, where it names the operators in words of their own:
/// "com.example::Frobnicate (node 'mystery')". Empty when it names none of the model's.
[[nodiscard]] TERN_API std::string blamed_nodes(const Model& model, std::string_view message);

}  // namespace tern::dev
