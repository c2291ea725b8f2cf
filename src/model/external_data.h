// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "onnx_schema.pb.h"
#include "tern/model.h"

namespace tern {

/// Reads weights that an ONNX file keeps in files beside it.
///
/// The location must be a relative path of plain names inside the model's folder. It is opened one component at a time
/// and no symbolic link is followed, so nothing outside the folder can be reached, not even while somebody swaps files.
/// Only regular files are read.
class ExternalData {
 public:
  /// An empty `folder` refuses every location.
  ExternalData(std::filesystem::path folder, const ModelLimits& limits) : folder_(std::move(folder)), limits_(limits) {}

  /// Puts the `bytes` bytes of `tensor` (data_location EXTERNAL) into its raw_data and drops the reference.
  [[nodiscard]] Status load(onnx::TensorProto& tensor, std::uint64_t bytes);

  /// All bytes read so far.
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

 private:
  [[nodiscard]] Status admit(std::uint64_t bytes, std::uint64_t file_bytes, std::pair<std::uint64_t, std::uint64_t> id);

  std::filesystem::path folder_;
  const ModelLimits& limits_;
  std::uint64_t total_ = 0;
  std::uint64_t files_total_ = 0;                            // sizes of all distinct files seen
  std::set<std::pair<std::uint64_t, std::uint64_t>> files_;  // by device and inode
};

}  // namespace tern
