// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "onnx_builder.h"
#include "support/source_dir.h"
#include "tern/engine.h"

namespace tern::test {

class LineLogger final : public Logger {
 public:
  explicit LineLogger(LogLevel level = LogLevel::kDebug) : level_(level) {}
  void log(LogLevel, std::string_view, std::string_view message) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_ += std::string(message) + "\n";
  }
  [[nodiscard]] LogLevel level() const noexcept override { return level_; }
  [[nodiscard]] std::string lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  LogLevel level_;
  mutable std::mutex mutex_;
  std::string lines_;
};

/// y = 2x + 1, of any batch and three columns.
inline Model affine() {
  OnnxBuilder b;
  b.weights("two", {1}, 2).weights("one", {1}, 1).input("x", {"batch", 3});
  b.node("Mul", {"x", "two"}, {"twice"}).node("Add", {"twice", "one"}, {"y"}).output("y", {"batch", 3});
  return Model::from_bytes(b.bytes(), "affine").value();
}

inline Model demo(const std::string& name) {
  return Model::from_file(source_dir() / "models" / (name + ".onnx")).value();
}

inline std::vector<float> noise(std::size_t count, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<float> values(count);
  std::ranges::generate(values, [&] { return static_cast<float>(random() % 1024U) / 1024.0F; });
  return values;
}

/// Tests of the TensorRT backend itself; skipped, with the reason, where it cannot run.
class TensorRtGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto found = BackendRegistry::load().find("tensorrt");
    if (!found.ok()) GTEST_SKIP() << found.status().to_string();
    backend_ = *found;
  }

  static BuildConfig quick(BuildConfig config = {}) {
    config.optimization_level = 0;
    if (config.precision == Precision::kAuto) config.precision = Precision::kF32;
    return config;
  }
  std::shared_ptr<Engine> load(const EngineBlob& blob, bool cuda_graph = true,
                               std::shared_ptr<Logger> logger = null_logger()) {
    LoadOptions options;
    options.cuda_graph = cuda_graph;
    options.logger = std::move(logger);
    return backend_->load(blob, options).value();
  }
  EngineBlob blob_of(const Model& model, const BuildConfig& config = {}) {
    return backend_->compile(model, quick(config), {}, {}).value();
  }

  std::shared_ptr<Backend> backend_;
};

}  // namespace tern::test
