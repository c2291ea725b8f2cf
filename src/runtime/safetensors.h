// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

/// One tensor of a safetensors file. `data` belongs to somebody else, is little-endian and has any alignment.
struct StoredTensor {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  std::span<const std::byte> data;

  /// A copy with the alignment of a Tensor.
  [[nodiscard]] Result<Tensor> to_tensor() const;
};

/// A file of named tensors (https://github.com/huggingface/safetensors):
///
///   | 8 bytes | header length N, little-endian                                                        |
///   | N bytes | JSON: {"__metadata__": {key: text}, name: {"dtype", "shape", "data_offsets": [a, b]}} |
///   | rest    | the tensors' data; offsets count from here                                            |
///
/// Stricter than the reference reader, whose files are all taken: names, tensors and header are bounded, no key stands twice,
/// tensors neither overlap nor leave holes, sizes are those of dtype and shape, booleans are 0 or 1.
struct SafeTensors {
  static constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{16} << 20;
  static constexpr std::size_t kMaxTensors = 65536;
  static constexpr std::size_t kMaxNameBytes = 1024;

  std::map<std::string, std::string, std::less<>> metadata;
  std::vector<StoredTensor> tensors;  ///< sorted by name; views of the bytes that were parsed

  /// EngineGateError says what is malformed. `bytes` must outlive the result.
  [[nodiscard]] static Result<SafeTensors> parse(std::string_view bytes);
  /// The tensors may stand in any order; equal content gives equal bytes. InputError on what parse() would refuse.
  [[nodiscard]] Result<std::string> to_bytes() const;
};

}  // namespace tern
