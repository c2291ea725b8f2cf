// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "image/file_probe.h"

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "support/places.h"

namespace tern {
namespace {

using Bytes = std::vector<std::byte>;

Bytes data_file(const std::string& name) {
  const auto bytes = read_file(std::filesystem::path(TERN_SOURCE_DIR) / "data" / name, 1 << 24);
  EXPECT_TRUE(bytes.ok()) << bytes.status().to_string();
  return bytes.ok() ? *bytes : Bytes();
}

Bytes bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

TEST(ImageProbe, ReadsJpegSize) {
  const auto info = probe_image(data_file("frame-4k.jpg"));
  ASSERT_TRUE(info.ok()) << info.status().to_string();
  EXPECT_EQ(info->kind, ImageFileKind::kJpeg);
  EXPECT_EQ(info->width, 3840);
  EXPECT_EQ(info->height, 2160);
  EXPECT_EQ(info->bits, 8);
}

TEST(ImageProbe, ReadsPngSize) {
  const auto info = probe_image(data_file("crops/000-region.png"));
  ASSERT_TRUE(info.ok()) << info.status().to_string();
  EXPECT_EQ(info->kind, ImageFileKind::kPng);
  EXPECT_EQ(info->width, 512);
  EXPECT_EQ(info->height, 224);
}

// A file cut at any byte is refused: decoders would fill up what is missing.
TEST(ImageProbe, RefusesEveryTruncation) {
  for (const char* name : {"crops/000.jpg", "crops/000-region.png"}) {
    const Bytes whole = data_file(name);
    for (const std::size_t after_signature : test::places_in(whole.size() - 12)) {
      const std::size_t size = 12 + after_signature;
      const auto info = probe_image(std::span(whole).first(size));
      ASSERT_FALSE(info.ok()) << name << " cut to " << size;
      ASSERT_EQ(info.status().code(), StatusCode::kInputError);
    }
  }
}

TEST(ImageProbe, AllowsBytesAfterTheEnd) {
  for (const char* name : {"crops/000.jpg", "crops/000-region.png"}) {
    Bytes file = data_file(name);
    file.resize(file.size() + 100, std::byte{0xFF});
    EXPECT_TRUE(probe_image(file).ok()) << name;
  }
}

// The thumbnail in an EXIF block is a JPEG of its own; its end mark is not the picture's.
TEST(ImageProbe, SkipsEmbeddedThumbnails) {
  Bytes file = bytes_of("\xFF\xD8");
  const Bytes app1 = bytes_of(std::string_view("\xFF\xE1\x00\x08\xFF\xD8\xFF\xC0\xFF\xD9", 10));
  file.insert(file.end(), app1.begin(), app1.end());
  const auto info = probe_image(file);
  ASSERT_FALSE(info.ok());
  EXPECT_NE(info.status().message().find("ends early"), std::string::npos);
}

TEST(ImageProbe, ReadsOtherKinds) {
  std::string webp("RIFF\x16\0\0\0WEBPVP8X\x0A\0\0\0\x10\0\0\0\x1F\0\0\x0F\0\0", 30);
  const auto info = probe_image(bytes_of(webp));
  ASSERT_TRUE(info.ok()) << info.status().to_string();
  EXPECT_EQ(info->width, 32);
  EXPECT_EQ(info->height, 16);
  std::string bmp("BM\x3A\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x07\0\0\0\xFB\xFF\xFF\xFF\x01\0\x18\0", 30);
  const auto bottom_up = probe_image(bytes_of(bmp));
  ASSERT_TRUE(bottom_up.ok()) << bottom_up.status().to_string();
  EXPECT_EQ(bottom_up->width, 7);
  EXPECT_EQ(bottom_up->height, 5);
  EXPECT_EQ(image_file_kind(bytes_of("P6\n2 2\n255\n")), ImageFileKind::kPnm);
  EXPECT_EQ(image_file_kind(bytes_of(std::string_view("II*\0", 4))), ImageFileKind::kTiff);
  EXPECT_EQ(image_file_kind(bytes_of("\x08\x01\x12\x07pytorch")), ImageFileKind::kUnknown);
}

TEST(ImageProbe, RefusesEmptyFiles) {
  EXPECT_EQ(probe_image({}).status().code(), StatusCode::kInputError);
}

TEST(ImageProbe, SurvivesRandomDamage) {
  std::mt19937 random(7);
  for (const char* name : {"crops/000.jpg", "crops/000-region.png"}) {
    const Bytes whole = data_file(name);
    for (int round = 0; round < 2000; ++round) {
      Bytes file = whole;
      for (int i = 0; i < 8; ++i)
        file[random() % std::min<std::size_t>(file.size(), 600)] = static_cast<std::byte>(random());
      const auto info = probe_image(file);
      if (info.ok() && info->kind != ImageFileKind::kUnknown && info->kind != ImageFileKind::kOther) {
        EXPECT_GT(info->width * info->height, 0);
      }
    }
  }
}

}  // namespace
}  // namespace tern
