// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

/// Arrays by name, as numpy.savez(path, name=array, ...) writes them.
using NamedTensors = std::map<std::string, Tensor>;

/// What an .npy or .npz file may hold, unpacked, all arrays together.
inline constexpr std::uint64_t kMaxArrayBytes = 8ULL << 30;

/// The arrays of an .npz file (stored or deflated). An .npy file gives one array with the name "".
///
/// InputError when the file is damaged, holds other things than arrays, a name twice, or would unpack to more than the
/// limit or than deflate can have packed; IoError when it cannot be read.
[[nodiscard]] Result<NamedTensors> read_arrays(const std::filesystem::path& path);

/// Whole or not at all: an .npz by its extension, else an .npy. ConfigError when an .npy is asked to hold several arrays.
[[nodiscard]] Status write_arrays(const std::filesystem::path& path, const NamedTensors& arrays);

}  // namespace tern
