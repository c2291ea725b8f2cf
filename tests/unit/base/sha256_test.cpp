// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <gtest/gtest.h>

namespace tern {
namespace {

std::string hash_of(std::string_view text) {
  return to_hex(Sha256::of(std::as_bytes(std::span(text))));
}

// FIPS 180-4 examples.
TEST(Sha256, gives_the_published_digests) {
  EXPECT_EQ(hash_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, does_not_depend_on_how_the_bytes_are_cut) {
  const std::string text(100'000, 'q');
  Sha256 hash;
  for (std::size_t at = 0; at < text.size(); at += 777)
    hash.update(std::string_view(text).substr(at, 777));
  EXPECT_EQ(to_hex(hash.finish()), hash_of(text));
}

}  // namespace
}  // namespace tern
