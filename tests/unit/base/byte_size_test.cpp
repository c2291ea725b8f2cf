// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/byte_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

TEST(ByteSize, reads_numbers_with_and_without_units) {
  EXPECT_EQ(parse_byte_size("0").value(), 0U);
  EXPECT_EQ(parse_byte_size("1000000").value(), 1'000'000U);
  EXPECT_EQ(parse_byte_size("7B").value(), 7U);
  EXPECT_EQ(parse_byte_size("10KiB").value(), 10'240U);
  EXPECT_EQ(parse_byte_size("128MiB").value(), 128ULL << 20);
  EXPECT_EQ(parse_byte_size("4GiB").value(), 4ULL << 30);
  EXPECT_EQ(parse_byte_size("3 KB").value(), 3'000U);
  EXPECT_EQ(parse_byte_size("3  MB").value(), 3'000'000U);
  EXPECT_EQ(parse_byte_size("2GB").value(), 2'000'000'000U);
  EXPECT_EQ(parse_byte_size("007").value(), 7U);
}

TEST(ByteSize, reads_up_to_64_bits_and_no_further) {
  EXPECT_EQ(parse_byte_size("18446744073709551615").value(), UINT64_MAX);
  EXPECT_EQ(parse_byte_size("17179869183GiB").value(), 17179869183ULL << 30);
  for (const char* text : {"18446744073709551616", "17179869184GiB", "18446744073709552KB", "99999999999999999999999"})
    EXPECT_FALSE(parse_byte_size(text).ok()) << text;
}

TEST(ByteSize, refuses_everything_else_with_an_example) {
  for (const char* text : {"", " ", "GiB", "-1", "+1", " 1", "1 ", "1GiB ", "1.5GiB", "1e6", "0x10", "4gib", "4G",
                           "4Gi", "4TiB", "4GiBs", "1\t MB", "1,000"}) {
    const Status status = parse_byte_size(text).status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError) << "'" << text << "'";
    EXPECT_THAT(status.hint(), ::testing::HasSubstr("128MiB"));
  }
  EXPECT_FALSE(parse_byte_size(std::string_view("1\0", 2)).ok());
}

TEST(ByteSize, prints_for_people) {
  EXPECT_EQ(format_byte_size(0), "0 B");
  EXPECT_EQ(format_byte_size(1023), "1023 B");
  EXPECT_EQ(format_byte_size(1024), "1.0 KiB");
  EXPECT_EQ(format_byte_size(1536), "1.5 KiB");
  EXPECT_EQ(format_byte_size(4ULL << 30), "4.0 GiB");
  EXPECT_EQ(format_byte_size(6'081'741), "5.8 MiB");
  EXPECT_EQ(format_byte_size(UINT64_MAX), "16.0 EiB");
}

}  // namespace
}  // namespace tern
