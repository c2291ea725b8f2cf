// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>
#include <NvOnnxParser.h>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tern/status.h"

namespace tern::trt_backend {

/// TensorRT's libraries of the major version that this plugin was compiled for (TERN_TENSORRT_MAJOR), opened by name when they are
/// first needed and kept until the process ends. Nothing of TensorRT is linked.
///
/// They are looked for in $TENSORRT_ROOT (its lib folder), then where the system's loader looks ($LD_LIBRARY_PATH, the
/// installed packages), then in the folders that tarballs and containers use.
class Library {
 public:
  /// BackendError with what was tried, when there is no library or it is older than tern needs.
  [[nodiscard]] static Result<const Library*> get();

  /// As getInferLibVersion() gives it: 100600 is 10.6.0.
  [[nodiscard]] std::int32_t version() const noexcept { return version_; }
  /// "10.6.0.26", with the number of the build where the library tells it.
  [[nodiscard]] const std::string& version_text() const noexcept { return version_text_; }

  // The factories; BackendError when TensorRT refuses (it writes why to its log). REQUIRES: CUDA works on the current device (a
  // DeviceGuard has seen to it): TensorRT ends the process where it cannot start CUDA.
  [[nodiscard]] Result<std::unique_ptr<nvinfer1::IRuntime>> create_runtime() const;
  /// Also opens the builder's resources, some hundreds of megabytes. `compute_capability` of the GPU to build for: 90 is 9.0.
  [[nodiscard]] Result<std::unique_ptr<nvinfer1::IBuilder>> create_builder(int compute_capability) const;
  /// BackendError when libnvonnxparser is not installed.
  [[nodiscard]] Result<std::unique_ptr<nvonnxparser::IParser>> create_parser(
      nvinfer1::INetworkDefinition& network) const;

 private:
  Library() = default;
  [[nodiscard]] static Result<const Library*> open();
  /// From the folder of libnvinfer, else from where the loader finds it; null when there is none.
  [[nodiscard]] void* open_beside(const std::string& file) const;
  void open_builder_resources(int compute_capability) const;
  /// Registers TensorRT's own plugins (EfficientNMS and others), where their library is installed.
  void register_plugins() const;

  void* infer_ = nullptr;
  std::string folder_;  ///< of libnvinfer; empty when the loader does not tell
  std::int32_t version_ = 0;
  std::string release_;  ///< "10.6.0", as in file names
  std::string version_text_;
};

}  // namespace tern::trt_backend
