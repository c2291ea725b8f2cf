// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openvino/core/partial_shape.hpp>
#include <openvino/core/type/element_type.hpp>
#include <openvino/runtime/tensor.hpp>

#include "tern/engine.h"

namespace tern::ov_backend {

/// InferenceError for element types that tern does not carry (strings, 4-bit integers, ...).
[[nodiscard]] Result<DType> from_ov(const ov::element::Type& type);
[[nodiscard]] ov::element::Type to_ov(DType dtype) noexcept;
/// Dynamic and bounded dimensions become Shape::kDynamic. InferenceError on unknown rank or too many dimensions.
[[nodiscard]] Result<Shape> from_ov(const ov::PartialShape& shape);
[[nodiscard]] ov::Shape to_ov(const Shape& shape);

}  // namespace tern::ov_backend
