// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "streams.h"

#include <gtest/gtest.h>

namespace tern {
namespace {

/// A machine that serves up to `most` streams.
std::function<Result<StreamsResult>(int)> machine(int most) {
  return [most](int streams) -> Result<StreamsResult> {
    return StreamsResult{.streams = streams, .frames = 1000, .in_time = streams <= most ? 1000U : 900U};
  };
}

TEST(Streams, the_search_finds_the_most_of_any_machine) {
  for (int most = 0; most <= 70; ++most) {
    std::vector<StreamsResult> tried;
    EXPECT_EQ(find_most_streams(machine(most), 0.999, 64, tried).value(), std::min(most, 64));
    EXPECT_LE(tried.size(), 30U);
  }
}

TEST(Streams, one_good_run_is_not_enough) {
  int runs = 0;
  std::vector<StreamsResult> tried;
  const auto lucky = [&](int streams) -> Result<StreamsResult> {
    ++runs;
    return StreamsResult{.streams = streams, .frames = 100, .in_time = streams == 1 || runs % 2 == 1 ? 100U : 50U};
  };
  EXPECT_EQ(find_most_streams(lucky, 0.999, 64, tried).value(), 1);
}

TEST(Streams, a_failure_ends_the_search) {
  std::vector<StreamsResult> tried;
  const auto broken = [](int streams) -> Result<StreamsResult> {
    if (streams == 4) return Status(StatusCode::kOutOfMemoryError, "full");
    return StreamsResult{.streams = streams, .frames = 1, .in_time = 1};
  };
  EXPECT_EQ(find_most_streams(broken, 0.999, 64, tried).status().code(), StatusCode::kOutOfMemoryError);
  EXPECT_EQ(tried.size(), 4U);
}

}  // namespace
}  // namespace tern
