// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The plugins through the registry: they load on every machine, and say why they cannot run where they cannot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/source_dir.h"
#include "tern/engine.h"

namespace tern {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

std::vector<BackendRegistry::Entry> tensorrt_entries() {
  const BackendRegistry registry = BackendRegistry::load();
  std::vector<BackendRegistry::Entry> found;
  for (const auto& entry : registry.entries()) {
    if (entry.plugin.filename().string().starts_with("libtern_tensorrt")) found.push_back(entry);
  }
  return found;
}

TEST(TensorRtPlugins, load_on_any_machine_under_one_name) {
  const auto entries = tensorrt_entries();
  EXPECT_FALSE(entries.empty());
  for (const auto& entry : entries) {
    EXPECT_TRUE(entry.status.ok()) << entry.status.to_string();
    EXPECT_EQ(entry.name, "tensorrt");
    EXPECT_FALSE(entry.score.reason.empty());
  }
}

TEST(TensorRtPlugins, say_what_is_missing_and_refuse_to_work_without_it) {
  const Model model = Model::from_file(test::source_dir() / "tests/data/affine.onnx").value();
  int checked = 0;
  for (const auto& entry : tensorrt_entries()) {
    if (entry.score.score > 0) continue;
    ++checked;
    EXPECT_THAT(entry.score.reason, AnyOf(HasSubstr("GPU"), HasSubstr("TENSORRT_ROOT")));
    EXPECT_EQ(entry.backend->compile(model, {}, {}, {}).status().code(), StatusCode::kBackendError);
    EngineBlob blob;
    blob.backend = "tensorrt";
    EXPECT_EQ(entry.backend->load(blob, {}).status().code(), StatusCode::kBackendError);
    const HostFacts facts = entry.backend->host_facts();
    EXPECT_TRUE(
        std::ranges::any_of(facts.info, [](const auto& f) { return f.first == "problem" && !f.second.empty(); }));
  }
  if (checked == 0) GTEST_SKIP() << "every TensorRT plugin can run here";
}

}  // namespace
}  // namespace tern
