// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/log_tail.h"

#include <gtest/gtest.h>

namespace tern {
namespace {

TEST(LogTail, cuts_lines_wherever_the_text_was_cut) {
  LogTail tail(null_logger(), "build");
  for (const char c : std::string_view("one\r\ntwo\n\n   \nthree"))
    tail.feed({&c, 1});
  EXPECT_EQ(tail.text(), "one\ntwo");
  tail.finish();
  tail.finish();
  EXPECT_EQ(tail.text(), "one\ntwo\nthree");
}

TEST(LogTail, keeps_the_last_lines_only) {
  LogTail tail(null_logger(), "build");
  std::string expected;
  for (std::size_t i = 0; i < 3 * LogTail::kLines; ++i) {
    tail.feed("line " + std::to_string(i) + "\n");
    if (i >= 2 * LogTail::kLines) expected += (expected.empty() ? "line " : "\nline ") + std::to_string(i);
  }
  EXPECT_EQ(tail.text(), expected);
}

TEST(LogTail, a_line_without_end_takes_no_more_than_its_share) {
  LogTail tail(null_logger(), "build");
  for (int i = 0; i < 1000; ++i)
    tail.feed(std::string(1000, 'x'));
  tail.feed("\n");
  EXPECT_EQ(tail.text(), std::string(LogTail::kLineBytes, 'x'));
}

TEST(LogTail, control_characters_do_not_reach_the_terminal) {
  LogTail tail(null_logger(), "build");
  tail.feed("\x1B[31mred\x7F\t!\n");
  EXPECT_EQ(tail.text(), " [31mred  !");
}

}  // namespace
}  // namespace tern
