// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>
#include <filesystem>
#include <memory>

#include "tern/status.h"

namespace tern::trt_backend {

/// A file with the timings of kernels, which later builds need not measure again. Shared by processes: it is read and written under a lock
/// (`PATH.lock`), and what others added meanwhile is kept. A file of another GPU or TensorRT is started afresh.
class TimingCache {
 public:
  /// An empty path: no file. IoError when the folder or the file cannot be used.
  [[nodiscard]] static Result<TimingCache> open(const std::filesystem::path& path, nvinfer1::IBuilderConfig& config);
  /// Adds what `config`'s build measured to the file.
  [[nodiscard]] Status save(const nvinfer1::IBuilderConfig& config) const;

 private:
  explicit TimingCache(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
  std::unique_ptr<nvinfer1::ITimingCache> cache_;  // TensorRT's config points at it until the build ends
};

}  // namespace tern::trt_backend
