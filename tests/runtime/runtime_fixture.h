// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/runtime.h"
#include "wrapped_backend.h"

namespace tern::testing {

namespace fs = std::filesystem;

inline fs::path tiny_model(const std::string& name) {
  return fs::path(TERN_SOURCE_DIR) / "tests/data" / (name + ".onnx");
}
inline fs::path demo_model(const std::string& name) {
  return fs::path(TERN_SOURCE_DIR) / "models" / (name + ".onnx");
}
inline std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_text(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

/// Remembers every line.
class ListLogger final : public Logger {
 public:
  void log(LogLevel /*level*/, std::string_view component, std::string_view message) noexcept override {
    const std::scoped_lock lock(mutex_);
    text_ += std::string(component) + ": " + std::string(message) + "\n";
  }
  LogLevel level() const noexcept override { return LogLevel::kDebug; }
  std::string text() {
    const std::scoped_lock lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

/// Runtimes over a store of their own, on the real OpenVINO backend behind a WatchedBackend.
class RuntimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "tern-runtime-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    options_.config.store_path = folder_ / "store";
    options_.config.state_path = folder_ / "state";
    options_.logger = logger_;
    options_.backends = [this] { return registry(); };
    options_.thermal = [] { return ThermalState{}; };
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  /// The watched backend alone; a test may add others.
  virtual BackendRegistry registry() {
    ++registries_loaded_;
    const BackendRegistry plugins = BackendRegistry::load();
    BackendRegistry watched;
    const auto real = plugins.find("openvino").value();
    backend_ = std::make_shared<WatchedBackend>("watched", 100, watch_, real);
    if (change_facts_) change_facts_(backend_->facts());
    watched.add(backend_);
    if (with_second_) watched.add(std::make_shared<WatchedBackend>("second", 10, second_watch_, real));
    return watched;
  }

  InferenceRuntime runtime() { return InferenceRuntime::create(options_).value(); }

  static Tensor input_for(const Engine& engine) {
    Tensor tensor = Tensor::create(engine.inputs()[0].dtype, engine.inputs()[0].shape).value();
    unsigned i = 0;
    for (float& v : tensor.as<float>())
      v = static_cast<float>((i++ * 2654435761U) >> 16) / 65536.0F;
    return tensor;
  }

  fs::path folder_;
  RuntimeOptions options_;
  std::shared_ptr<ListLogger> logger_ = std::make_shared<ListLogger>();
  std::shared_ptr<Watch> watch_ = std::make_shared<Watch>(), second_watch_ = std::make_shared<Watch>();
  std::shared_ptr<WatchedBackend> backend_;
  std::function<void(HostFacts&)> change_facts_;
  bool with_second_ = false;
  int registries_loaded_ = 0;
};

}  // namespace tern::testing
