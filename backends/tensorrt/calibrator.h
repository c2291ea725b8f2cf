// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>
#include <memory>
#include <string>

namespace tern::trt_backend {

/// Answers TensorRT's builder from a calibration cache, and from nothing else: a builder that does not take the cache and asks for images
/// gets none, so that it cannot calibrate anew without a word.
class CacheCalibrator {
 public:
  virtual ~CacheCalibrator() = default;
  CacheCalibrator(const CacheCalibrator&) = delete;
  CacheCalibrator& operator=(const CacheCalibrator&) = delete;

  /// `cache`: with the header of the TensorRT that runs; any other is dropped by it. Null on TensorRT 11, which has no calibrators.
  [[nodiscard]] static std::unique_ptr<CacheCalibrator> create(std::string cache);

  /// The calibrator must outlive the build.
  virtual void attach(nvinfer1::IBuilderConfig& config) = 0;
  /// The builder wanted images: it did not take the cache.
  [[nodiscard]] bool was_asked_for_images() const noexcept { return was_asked_for_images_; }

 protected:
  CacheCalibrator() = default;
  bool was_asked_for_images_ = false;
};

}  // namespace tern::trt_backend
