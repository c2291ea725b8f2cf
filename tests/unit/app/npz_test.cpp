// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "npz.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>

#include <gtest/gtest.h>
#include <zip.h>

#include "unit/app/temporary_folder.h"

namespace tern {
namespace {

Tensor ramp(const Shape& shape) {
  auto tensor = Tensor::create(DType::kF32, shape);
  EXPECT_TRUE(tensor.ok());
  std::iota(tensor->as<float>().begin(), tensor->as<float>().end(), 1.0F);
  return std::move(*tensor);
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// An archive of (name, content) entries, deflated.
void make_zip(const std::filesystem::path& path, const std::vector<std::pair<std::string, std::string>>& entries) {
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  ASSERT_NE(archive, nullptr);
  for (const auto& [name, content] : entries) {
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    ASSERT_GE(zip_file_add(archive, name.c_str(), source, 0), 0);
  }
  ASSERT_EQ(zip_close(archive), 0);
}

TEST(Npz, RoundTripsStored) {
  const TemporaryFolder folder;
  NamedTensors arrays;
  arrays.emplace("images", ramp({2, 3}));
  arrays.emplace("a/b c", ramp({}));
  arrays.emplace("empty", ramp({0, 4}));
  ASSERT_TRUE(write_arrays(folder / "x.npz", arrays).ok());
  EXPECT_EQ(folder.count(), 1U);
  const auto back = read_arrays(folder / "x.npz");
  ASSERT_TRUE(back.ok()) << back.status().to_string();
  ASSERT_EQ(back->size(), 3U);
  EXPECT_EQ(back->at("images").shape(), (Shape{2, 3}));
  EXPECT_EQ(back->at("images").as<float>()[5], 6.0F);
  EXPECT_EQ(back->at("a/b c").shape(), Shape{});
}

TEST(Npz, RoundTripsNpy) {
  const TemporaryFolder folder;
  NamedTensors arrays;
  arrays.emplace("whatever", ramp({4}));
  ASSERT_TRUE(write_arrays(folder / "x.npy", arrays).ok());
  const auto back = read_arrays(folder / "x.npy");
  ASSERT_TRUE(back.ok()) << back.status().to_string();
  EXPECT_EQ(back->at("").as<float>()[3], 4.0F);
  arrays.emplace("second", ramp({4}));
  EXPECT_EQ(write_arrays(folder / "y.npy", arrays).code(), StatusCode::kConfigError);
}

TEST(Npz, ReadsDeflated) {
  const TemporaryFolder folder;
  NamedTensors arrays;
  arrays.emplace("x", ramp({100}));
  ASSERT_TRUE(write_arrays(folder / "x.npy", arrays).ok());
  make_zip(folder / "x.npz", {{"x.npy", content_of(folder / "x.npy")}});
  const auto back = read_arrays(folder / "x.npz");
  ASSERT_TRUE(back.ok()) << back.status().to_string();
  EXPECT_EQ(back->at("x").as<float>()[99], 100.0F);
}

TEST(Npz, RefusesDamage) {
  const TemporaryFolder folder;
  NamedTensors arrays;
  arrays.emplace("x", ramp({64}));
  ASSERT_TRUE(write_arrays(folder / "x.npz", arrays).ok());
  const std::string whole = content_of(folder / "x.npz");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_EQ(read_arrays(folder.write("cut.npz", whole.substr(0, size))).status().code(), StatusCode::kInputError);
  }
  std::string flipped = whole;
  flipped[200] = static_cast<char>(flipped[200] ^ 1);  // an element: the checksum tells
  EXPECT_EQ(read_arrays(folder.write("flipped.npz", flipped)).status().code(), StatusCode::kInputError);
}

TEST(Npz, RefusesOtherThingsInside) {
  const TemporaryFolder folder;
  make_zip(folder / "text.npz", {{"readme.txt", "hello"}});
  EXPECT_EQ(read_arrays(folder / "text.npz").status().code(), StatusCode::kInputError);
  make_zip(folder / "junk.npz", {{"x.npy", "hello"}});
  const auto junk = read_arrays(folder / "junk.npz");
  EXPECT_EQ(junk.status().code(), StatusCode::kInputError);
  EXPECT_NE(junk.status().where().find("x.npy"), std::string::npos);
}

TEST(Npz, RefusesSizesThatLie) {
  const TemporaryFolder folder;
  make_zip(folder / "x.npz", {{"x.npy", std::string(100000, '\0')}});
  std::string file = content_of(folder / "x.npz");
  // The unpacked size stands in the central directory (at 24 behind PK\1\2) and in the local header (22 behind PK\3\4).
  const std::uint32_t claim = 0xF0000000U;
  std::memcpy(file.data() + file.find("PK\1\2") + 24, &claim, 4);
  std::memcpy(file.data() + file.find("PK\3\4") + 22, &claim, 4);
  const auto arrays = read_arrays(folder.write("bomb.npz", file));
  ASSERT_FALSE(arrays.ok());
  EXPECT_NE(arrays.status().message().find("would unpack"), std::string::npos) << arrays.status().to_string();
}

}  // namespace
}  // namespace tern
