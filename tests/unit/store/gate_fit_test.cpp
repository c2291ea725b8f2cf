// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/gate.h"
#include "unit/store/store_fixture.h"

namespace tern {
namespace {

using ::testing::HasSubstr;

HostFacts host() {
  return {.version = "2026.4.1-1", .target = "x86_64_avx2", .fit = {{"arch", "x86_64"}, {"isa", "avx2"}}, .info = {}};
}

void expect_misfit(const Status& status, const std::string& field, const std::string& found,
                   const std::string& wanted) {
  EXPECT_EQ(status.code(), StatusCode::kEngineGateError);
  EXPECT_THAT(status.message(), HasSubstr(field + ": found " + found + ", wanted " + wanted));
  EXPECT_THAT(status.where(), HasSubstr("yolo.v8.x86_64_avx2.fp32.engine"));
  EXPECT_FALSE(status.hint().empty());
}

TEST(GateFit, passes_where_everything_agrees) {
  EXPECT_TRUE(gate_fit(test::sample_manifest(), "openvino", host()).ok());
}

TEST(GateFit, another_backend_version_or_fact_is_named) {
  const EngineManifest m = test::sample_manifest();
  expect_misfit(gate_fit(m, "tensorrt", host()), "backend", "'openvino'", "'tensorrt'");
  HostFacts other = host();
  other.version = "2026.4.2-1";
  expect_misfit(gate_fit(m, "openvino", other), "backend_version", "'2026.4.1-1'", "'2026.4.2-1'");
  other = host();
  other.fit[1].second = "avx512";
  expect_misfit(gate_fit(m, "openvino", other), "fit.isa", "'avx2'", "'avx512'");
}

TEST(GateFit, a_fact_that_only_one_side_knows_is_a_misfit) {
  const EngineManifest m = test::sample_manifest();
  HostFacts other = host();
  other.fit.emplace_back("driver", "550");
  expect_misfit(gate_fit(m, "openvino", other), "fit.driver", "nothing", "'550'");
  other = host();
  other.fit.pop_back();
  expect_misfit(gate_fit(m, "openvino", other), "'fit.isa'", "'avx2'", "nothing");
}

TEST(GateFit, what_is_for_people_and_the_target_do_not_count) {
  HostFacts other = host();
  other.target = "x86_64_avx512";
  other.info = {{"device", "another"}};
  EXPECT_TRUE(gate_fit(test::sample_manifest(), "openvino", other).ok());
}

}  // namespace
}  // namespace tern
