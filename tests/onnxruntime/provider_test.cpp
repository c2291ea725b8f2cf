// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Execution providers: never another one than was asked for.
#include "provider.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend.h"
#include "library.h"
#include "log.h"
#include "placement.h"

namespace tern::ort_backend {
namespace {

using ::testing::HasSubstr;

TEST(Provider, one_that_the_library_does_not_carry_is_refused_with_those_that_it_does) {
  ASSERT_TRUE(open_library().ok()) << open_library().to_string();
  EXPECT_TRUE(check_carried(Provider::kCpu).ok());
  const std::vector<std::string> carried = Ort::GetAvailableProviders();
  for (const Provider provider : {Provider::kCuda, Provider::kTensorRt}) {
    if (std::ranges::count(carried, execution_provider(provider)) > 0) continue;
    const Status status = check_carried(provider);
    EXPECT_EQ(status.code(), StatusCode::kBackendError);
    EXPECT_THAT(status.message(), HasSubstr(execution_provider(provider)));
    EXPECT_THAT(status.message(), HasSubstr("CPUExecutionProvider"));
    EXPECT_FALSE(status.hint().empty());
    const OnnxRuntimeBackend backend(provider);
    EXPECT_EQ(backend.score().score, 0) << "it would run on another provider";
    EXPECT_EQ(backend.score().reason, status.message());
  }
}

TEST(Provider, backends_of_one_library_say_so) {
  ASSERT_TRUE(open_library().ok());
  EXPECT_EQ(OnnxRuntimeBackend(Provider::kTensorRt).host_facts().runtime, "onnxruntime");
  EXPECT_EQ(OnnxRuntimeBackend(Provider::kTensorRt).name(), "onnx_trt_ep");
  EXPECT_EQ(OnnxRuntimeBackend(Provider::kCpu).host_facts().runtime, "onnxruntime");
}

TEST(PlacementLog, counts_the_nodes_of_each_provider) {
  PlacementLog log(null_logger());
  log.log(LogLevel::kDebug, "onnxruntime", "Node placements");
  log.log(LogLevel::kDebug, "onnxruntime", " Node(s) placed on [TensorrtExecutionProvider]. Number of nodes: 1");
  log.log(LogLevel::kDebug, "onnxruntime", " Node(s) placed on [CPUExecutionProvider]. Number of nodes: 17");
  log.log(LogLevel::kDebug, "onnxruntime", " Node(s) placed on [CPUExecutionProvider]. Number of nodes: many");
  log.log(LogLevel::kDebug, "onnxruntime", "placed on [");
  EXPECT_EQ(log.nodes(), (std::map<std::string, int>{{"TensorrtExecutionProvider", 1}, {"CPUExecutionProvider", 17}}));
}

TEST(LogScope, hears_its_own_thread_and_gives_back_to_the_outer_one) {
  ASSERT_TRUE(open_library().ok());
  LogRing outer(null_logger()), inner(null_logger());
  const auto provoke = [] {
    // A path that is no model: ONNX Runtime throws, and logs nothing that matters here.
    Ort::SessionOptions options;
    options.SetLogSeverityLevel(ORT_LOGGING_LEVEL_VERBOSE);
    EXPECT_THROW(Ort::Session(environment(), "no model", 8, options), Ort::Exception);
  };
  const LogScope whole(outer);
  {
    const LogScope part(inner);
    provoke();
  }
  EXPECT_FALSE(inner.text().empty());
  EXPECT_TRUE(outer.text().empty());
  provoke();
  EXPECT_FALSE(outer.text().empty());
}

}  // namespace
}  // namespace tern::ort_backend
