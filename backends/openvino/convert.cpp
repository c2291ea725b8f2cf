// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "convert.h"

#include <array>
#include <utility>

#include "base/error.h"

namespace tern::ov_backend {
namespace {

// Indexed by DType.
const std::array<ov::element::Type, 13>& types() {
  static const std::array<ov::element::Type, 13> kTypes{
      ov::element::f32, ov::element::f16, ov::element::bf16,   ov::element::f64, ov::element::i8,
      ov::element::u8,  ov::element::i16, ov::element::u16,    ov::element::i32, ov::element::u32,
      ov::element::i64, ov::element::u64, ov::element::boolean};
  return kTypes;
}

}  // namespace

Result<DType> from_ov(const ov::element::Type& type) {
  for (std::size_t i = 0; i < types().size(); ++i) {
    if (types()[i] == type) return static_cast<DType>(i);
  }
  return make_error(StatusCode::kModelError, "element type '{}' is not supported", type.get_type_name());
}

ov::element::Type to_ov(DType dtype) noexcept {
  return types()[static_cast<std::size_t>(dtype)];
}

Result<Shape> from_ov(const ov::PartialShape& shape) {
  if (shape.rank().is_dynamic()) return Status(StatusCode::kModelError, "a tensor of unknown rank is not supported");
  std::array<std::int64_t, Shape::kMaxRank> dims{};
  const auto rank = static_cast<std::size_t>(shape.rank().get_length());
  if (rank > dims.size()) return make_error(StatusCode::kModelError, "a tensor of rank {} is not supported", rank);
  for (std::size_t i = 0; i < rank; ++i)
    dims[i] = shape[static_cast<std::ptrdiff_t>(i)].is_static() ? shape[static_cast<std::ptrdiff_t>(i)].get_length()
                                                                : Shape::kDynamic;
  return Shape::from({dims.data(), rank});
}

ov::Shape to_ov(const Shape& shape) {
  ov::Shape out;
  for (const std::int64_t d : shape.dims())
    out.push_back(static_cast<std::size_t>(d));
  return out;
}

}  // namespace tern::ov_backend
