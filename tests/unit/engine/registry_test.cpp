// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Which backend is chosen, among backends that applications add.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tern/engine.h"

namespace tern {
namespace {

using ::testing::HasSubstr;

class NamedBackend final : public Backend {
 public:
  NamedBackend(std::string name, std::string version, int score)
      : name_(std::move(name)), version_(std::move(version)), score_(score) {}
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] BackendScore score() const override { return {score_, score_ > 0 ? "" : "it has no device"}; }
  [[nodiscard]] HostFacts host_facts() const override {
    HostFacts facts;
    facts.version = version_;
    return facts;
  }
  [[nodiscard]] Result<EngineBlob> compile(const Model& /*model*/, const BuildConfig& /*config*/,
                                           const Progress& /*progress*/, std::stop_token /*stop*/) override {
    return Status(StatusCode::kEngineBuildError, "it compiles nothing");
  }
  [[nodiscard]] Result<std::shared_ptr<Engine>> load(const EngineBlob& /*blob*/,
                                                     const LoadOptions& /*options*/) override {
    return Status(StatusCode::kEngineGateError, "it loads nothing");
  }

 private:
  std::string name_, version_;
  int score_;
};

BackendRegistry registry_of(const std::vector<NamedBackend>& backends) {
  BackendRegistry registry;
  for (const NamedBackend& backend : backends)
    registry.add(std::make_shared<NamedBackend>(backend));
  return registry;
}

TEST(Registry, auto_takes_the_best_that_can_run) {
  const auto registry = registry_of({{"cpu", "1", 50}, {"gpu", "1", 90}, {"gpu", "2", 0}});
  EXPECT_EQ(registry.find("auto").value()->name(), "gpu");
  EXPECT_EQ(registry.find("cpu").value()->name(), "cpu");
  EXPECT_EQ(registry_of({{"cpu", "1", 50}, {"gpu", "1", 0}}).find("auto").value()->name(), "cpu");
}

TEST(Registry, a_backend_that_cannot_run_is_refused_with_its_reason) {
  const Status status = registry_of({{"cpu", "1", 50}, {"gpu", "1", 0}}).find("gpu").status();
  EXPECT_EQ(status.code(), StatusCode::kBackendError);
  EXPECT_THAT(status.message(), HasSubstr("it has no device"));
}

TEST(Registry, an_engine_goes_to_the_version_that_made_it) {
  const auto registry = registry_of({{"gpu", "11.4", 91}, {"gpu", "10.6", 90}, {"gpu", "10.3", 0}, {"cpu", "9", 95}});
  const auto version = [&](std::string_view name, std::string_view wanted) {
    return registry.find(name, wanted).value()->host_facts().version;
  };
  EXPECT_EQ(version("gpu", "10.6"), "10.6");
  EXPECT_EQ(version("gpu", "11.4"), "11.4");
  EXPECT_EQ(version("gpu", "10.7"), "10.6") << "of the same major version, for the gate to judge";
  EXPECT_EQ(version("gpu", "10.3"), "10.6") << "the version that fits cannot run";
  EXPECT_EQ(version("gpu", "9"), "11.4") << "no version fits: the best of the name; another name is no choice";
  EXPECT_EQ(registry.find("nobody", "1").status().code(), StatusCode::kBackendError);
}

}  // namespace
}  // namespace tern
