// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "base/error.h"
#include "tern/tensor.h"

namespace tern {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<Row, 13> kRows{{{DType::kF32, "f32", 4},
                                     {DType::kF16, "f16", 2},
                                     {DType::kBF16, "bf16", 2},
                                     {DType::kF64, "f64", 8},
                                     {DType::kI8, "i8", 1},
                                     {DType::kU8, "u8", 1},
                                     {DType::kI16, "i16", 2},
                                     {DType::kU16, "u16", 2},
                                     {DType::kI32, "i32", 4},
                                     {DType::kU32, "u32", 4},
                                     {DType::kI64, "i64", 8},
                                     {DType::kU64, "u64", 8},
                                     {DType::kBool, "bool", 1}}};

}  // namespace

std::size_t size_of(DType dtype) noexcept {
  return kRows[static_cast<std::size_t>(dtype)].size;
}

std::string_view to_string(DType dtype) noexcept {
  return kRows[static_cast<std::size_t>(dtype)].name;
}

Result<DType> parse_dtype(std::string_view text) {
  for (const Row& row : kRows) {
    if (row.name == text) return row.dtype;
  }
  return make_error(StatusCode::kConfigError, "unknown element type '{}'", text)
      .with_hint("f32, f16, bf16, f64, i8, u8, i16, u16, i32, u32, i64, u64 or bool");
}

}  // namespace tern
