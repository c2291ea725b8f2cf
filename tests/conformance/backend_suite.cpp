// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "backend_suite.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace tern::conformance {

void BackendConformance::SetUp() {
  const BackendRegistry registry = BackendRegistry::load();
  auto found = registry.find(GetParam().name);
  ASSERT_TRUE(found.ok()) << found.status().to_string();
  backend_ = *found;
}

std::filesystem::path BackendConformance::tiny_model(const std::string& name) {
  return std::filesystem::path(TERN_SOURCE_DIR) / "tests/data" / (name + ".onnx");
}

std::filesystem::path BackendConformance::demo_model(const std::string& name) {
  return std::filesystem::path(TERN_SOURCE_DIR) / "models" / (name + ".onnx");
}

std::shared_ptr<Engine> BackendConformance::build(const std::filesystem::path& path, const BuildConfig& config) {
  auto model = Model::from_file(path);
  EXPECT_TRUE(model.ok()) << model.status().to_string();
  if (!model.ok()) return nullptr;
  auto blob = backend_->compile(*model, config, {}, {});
  EXPECT_TRUE(blob.ok()) << blob.status().to_string();
  if (!blob.ok()) return nullptr;
  LoadOptions options;
  options.threads = config.threads;
  options.hint = config.hint;
  auto engine = backend_->load(*blob, options);
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
