// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/log.h"

#include <gtest/gtest.h>

namespace tern {
namespace {

TEST(Log, levels_are_read_by_name) {
  EXPECT_EQ(parse_log_level("error").value(), LogLevel::kError);
  EXPECT_EQ(parse_log_level("debug").value(), LogLevel::kDebug);
  EXPECT_EQ(parse_log_level("loud").status().code(), StatusCode::kConfigError);
}

TEST(Log, lines_above_the_level_are_dropped) {
  const auto logger = stderr_logger(LogLevel::kWarning);
  testing::internal::CaptureStderr();
  logger->log(LogLevel::kInfo, "test", "quiet");
  logger->log(LogLevel::kError, "test", "loud {} %s");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find("test: loud {} %s"), std::string::npos) << text;
}

TEST(Log, the_null_logger_says_nothing) {
  testing::internal::CaptureStderr();
  null_logger()->log(LogLevel::kError, "test", "lost");
  EXPECT_TRUE(testing::internal::GetCapturedStderr().empty());
}

}  // namespace
}  // namespace tern
