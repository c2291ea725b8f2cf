// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "calibrator.h"

namespace tern::trt_backend {

#if TERN_TENSORRT_MAJOR == 10

namespace {

class EntropyCalibrator final : public CacheCalibrator, public nvinfer1::IInt8EntropyCalibrator2 {
 public:
  explicit EntropyCalibrator(std::string cache) : cache_(std::move(cache)) {}

  void attach(nvinfer1::IBuilderConfig& config) override { config.setInt8Calibrator(this); }

  std::int32_t getBatchSize() const noexcept override { return 1; }
  bool getBatch(void* /*bindings*/[], const char* /*names*/[], std::int32_t /*count*/) noexcept override {
    was_asked_for_images_ = true;
    return false;
  }
  const void* readCalibrationCache(std::size_t& length) noexcept override {
    length = cache_.size();
    return cache_.data();
  }
  void writeCalibrationCache(const void* /*cache*/, std::size_t /*length*/) noexcept override {}

 private:
  std::string cache_;
};

}  // namespace

std::unique_ptr<CacheCalibrator> CacheCalibrator::create(std::string cache) {
  return std::make_unique<EntropyCalibrator>(std::move(cache));
}

#else

std::unique_ptr<CacheCalibrator> CacheCalibrator::create(std::string /*cache*/) {
  return nullptr;
}

#endif

}  // namespace tern::trt_backend
