// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

// NumPy's .npy files, versions 1.0, 2.0 and 3.0 (numpy/lib/format.py):
//
//   "\x93NUMPY" major minor | length of the text: u16 (1.0) or u32 (2.0, 3.0), little-endian | text | elements
//
// The text is a Python dict with exactly the keys 'descr', 'fortran_order' and 'shape'. bf16, which NumPy lacks, is '<V2', as
// the ml_dtypes package writes it.

/// What stands before the elements.
struct NpyHeader {
  DType dtype = DType::kF32;
  Shape shape;
  bool fortran_order = false;
  std::size_t data_offset = 0;  ///< bytes from the start of the file to the first element
};

/// InputError when `bytes` does not begin with a whole header, or one that tern has no dtype for (structured, complex,
/// big-endian, text or object arrays).
[[nodiscard]] TERN_API Result<NpyHeader> parse_npy_header(std::span<const std::byte> bytes);

/// The array of a whole .npy file, row-major whatever its order in the file. InputError as above, when there are fewer or
/// more elements than the shape says, and for booleans other than 0 and 1. Allocates no more than `bytes` is long.
[[nodiscard]] TERN_API Result<Tensor> parse_npy(std::span<const std::byte> bytes);

/// The header, version 1.0, of a row-major array, padded so that the elements start at a multiple of 64.
[[nodiscard]] TERN_API std::string npy_header(DType dtype, const Shape& shape);

/// A whole .npy file. REQUIRES: `view` on the CPU.
[[nodiscard]] TERN_API Result<std::vector<std::byte>> to_npy(const TensorView& view);

}  // namespace tern
