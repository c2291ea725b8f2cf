// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "backend_suite.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "support/source_dir.h"

namespace tern::conformance {

void BackendConformance::SetUp() {
  const BackendRegistry registry = BackendRegistry::load();
  auto found = registry.find(GetParam().name);
  if (!found.ok() && GetParam().needs_a_device) GTEST_SKIP() << found.status().to_string();
  ASSERT_TRUE(found.ok()) << found.status().to_string();
  backend_ = *found;
}

std::filesystem::path BackendConformance::tiny_model(const std::string& name) {
  return test::source_dir() / "tests/data" / (name + ".onnx");
}

std::filesystem::path BackendConformance::demo_model(const std::string& name) {
  return test::source_dir() / "models" / (name + ".onnx");
}

Result<EngineBlob> BackendConformance::compile(const Model& model, BuildConfig config, const Progress& progress,
                                               std::stop_token stop) {
  const BuildConfig& base = GetParam().base;
  if (config.precision == Precision::kAuto) config.precision = base.precision;
  if (config.optimization_level < 0) config.optimization_level = base.optimization_level;
  return backend_->compile(model, config, progress, std::move(stop));
}

std::shared_ptr<Engine> BackendConformance::build(const std::filesystem::path& path, const BuildConfig& config) {
  static std::map<std::string, EngineBlob> built;
  const auto [blob, is_new] = built.try_emplace(GetParam().name + path.string() + config.to_json());
  if (is_new) {
    auto model = Model::from_file(path);
    EXPECT_TRUE(model.ok()) << model.status().to_string();
    auto compiled = model.ok() ? compile(*model, config) : Result<EngineBlob>(model.status());
    EXPECT_TRUE(compiled.ok()) << compiled.status().to_string();
    if (!compiled.ok()) {
      built.erase(blob);
      return nullptr;
    }
    blob->second = std::move(*compiled);
  }
  LoadOptions options;
  options.threads = config.threads;
  options.hint = config.hint;
  auto engine = backend_->load(blob->second, options);
  EXPECT_TRUE(engine.ok()) << engine.status().to_string();
  return engine.ok() ? *engine : nullptr;
}

std::unique_ptr<ExecutionContext> BackendConformance::context_of(Engine& engine) {
  auto context = engine.create_context();
  EXPECT_TRUE(context.ok()) << context.status().to_string();
  return context.ok() ? std::move(*context) : nullptr;
}

Tensor patterned(const Shape& shape, unsigned seed) {
  Tensor tensor = Tensor::create(DType::kF32, shape).value();
  std::minstd_rand random(seed);
  for (float& v : tensor.as<float>())
    v = static_cast<float>(random() % 1024U) / 1024.0F;
  return tensor;
}

std::vector<float> values(const TensorView& tensor) {
  const auto span = tensor.as<float>();
  return {span.begin(), span.end()};
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

}  // namespace tern::conformance
