// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/image_file.h"

#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "unit/app/temporary_folder.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

fs::path data_file(const char* name) {
  return fs::path(TERN_SOURCE_DIR) / "data" / name;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ImageFile : public testing::Test {
 protected:
  static void SetUpTestSuite() { limit_image_decoder(); }

  fs::path save(const char* name, const cv::Mat& pixels) {
    EXPECT_TRUE(cv::imwrite((folder_ / name).string(), pixels));
    return folder_ / name;
  }
  TemporaryFolder folder_;
};

TEST_F(ImageFile, KeepsGreyAndDropsAlpha) {
  const auto grey = read_image(save("grey.png", cv::Mat(4, 5, CV_8UC1, cv::Scalar(9))));
  ASSERT_TRUE(grey.ok()) << grey.status().to_string();
  EXPECT_EQ(grey->type(), CV_8UC1);
  const auto alpha = read_image(save("alpha.png", cv::Mat(4, 5, CV_8UC4, cv::Scalar(1, 2, 3, 4))));
  ASSERT_TRUE(alpha.ok()) << alpha.status().to_string();
  EXPECT_EQ(alpha->type(), CV_8UC3);
  EXPECT_EQ(alpha->at<cv::Vec3b>(0, 0), cv::Vec3b(1, 2, 3));
}

TEST_F(ImageFile, ReadsExtremeSizes) {
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(20000, 10), cv::Size(3, 30000)}) {
    for (const char* name : {"extreme.png", "extreme.jpg", "extreme.bmp"}) {
      const auto pixels = read_image(save(name, cv::Mat(size, CV_8UC3, cv::Scalar(5, 6, 7))));
      ASSERT_TRUE(pixels.ok()) << pixels.status().to_string();
      EXPECT_EQ(pixels->size(), size);
      EXPECT_TRUE(view_of(*pixels).validate().ok());
    }
  }
}

TEST_F(ImageFile, RefusesDeepPixels) {
  const fs::path files[] = {save("deep.png", cv::Mat(4, 4, CV_16UC3, cv::Scalar(1000, 2000, 3000))),
                            save("deep.tif", cv::Mat(4, 4, CV_16UC1, cv::Scalar(1000))),
                            save("float.tif", cv::Mat(4, 4, CV_32FC1, cv::Scalar(0.5)))};
  for (const fs::path& file : files) {
    const auto pixels = read_image(file);
    ASSERT_FALSE(pixels.ok()) << file;
    EXPECT_EQ(pixels.status().code(), StatusCode::kInputError);
    EXPECT_NE(pixels.status().hint().find("8 bits"), std::string::npos);
  }
}

TEST_F(ImageFile, TurnsByExifOrientation) {
  // An APP1 segment with one entry: Orientation (0x0112) = 6, "turn clockwise".
  const std::string exif(
      "\xFF\xE1\x00\x22"
      "Exif\0\0"
      "MM\0*\0\0\0\x08"
      "\0\x01"
      "\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
      "\0\0\0\0",
      36);
  std::string jpeg = content_of(save("flat.jpg", cv::Mat(10, 30, CV_8UC3, cv::Scalar(5, 6, 7))));
  jpeg.insert(2, exif);
  const auto pixels = read_image(folder_.write("turned.jpg", jpeg));
  ASSERT_TRUE(pixels.ok()) << pixels.status().to_string();
  EXPECT_EQ(pixels->size(), cv::Size(10, 30));
}

// libjpeg fills up what is missing and only warns.
TEST_F(ImageFile, RefusesCutFilesAtAnyLength) {
  for (const char* name : {"crops/000.jpg", "crops/000-region.png"}) {
    const std::string whole = content_of(data_file(name));
    for (std::size_t size = 0; size < whole.size(); size += whole.size() / 40 + 1) {
      const auto pixels = read_image(folder_.write("cut" + fs::path(name).extension().string(), whole.substr(0, size)));
      ASSERT_FALSE(pixels.ok()) << name << " cut to " << size;
      EXPECT_EQ(pixels.status().code(), StatusCode::kInputError);
      EXPECT_NE(pixels.status().where().find("cut"), std::string::npos);
    }
  }
}

TEST_F(ImageFile, RefusesDamageInsideTheScan) {
  std::string jpeg = content_of(data_file("crops/000.jpg"));
  const std::size_t half = jpeg.size() / 2;
  jpeg.erase(half, jpeg.size() - half - 2);  // the end mark stays
  const auto pixels = read_image(folder_.write("hole.jpg", jpeg));
  ASSERT_FALSE(pixels.ok());
  EXPECT_EQ(pixels.status().code(), StatusCode::kInputError);
  EXPECT_FALSE(pixels.status().cause().empty());
}

TEST_F(ImageFile, RefusesDamagedPng) {
  std::string png = content_of(data_file("crops/000-region.png"));
  png[png.size() / 2] = static_cast<char>(png[png.size() / 2] ^ 0x55);
  EXPECT_EQ(read_image(folder_.write("bad.png", png)).status().code(), StatusCode::kInputError);
}

TEST_F(ImageFile, RefusesHugeClaimsBeforeDecoding) {
  std::string png = content_of(data_file("crops/000-region.png"));
  png.replace(16, 8, std::string("\0\x01\0\0\0\x01\0\0", 8));  // 65536 x 65536
  const auto pixels = read_image(folder_.write("huge.png", png));
  ASSERT_FALSE(pixels.ok());
  EXPECT_NE(pixels.status().message().find("65536x65536"), std::string::npos) << pixels.status().to_string();
}

TEST_F(ImageFile, TellsMissingFromBad) {
  EXPECT_EQ(read_image(folder_ / "none.jpg").status().code(), StatusCode::kIoError);
  EXPECT_EQ(read_image(folder_.write("text.jpg", "hello")).status().code(), StatusCode::kInputError);
  EXPECT_EQ(read_image(folder_.write("empty.jpg", "")).status().code(), StatusCode::kInputError);
}

TEST_F(ImageFile, WritesWholeOrNotAtAll) {
  const cv::Mat pixels(8, 9, CV_8UC3, cv::Scalar(1, 2, 3));
  ASSERT_TRUE(write_image(folder_ / "out.png", pixels).ok());
  EXPECT_EQ(cv::norm(*read_image(folder_ / "out.png"), pixels, cv::NORM_INF), 0);
  EXPECT_EQ(write_image(folder_ / "no" / "out.png", pixels).code(), StatusCode::kIoError);
  EXPECT_EQ(write_image(folder_ / "wide.jpg", cv::Mat(1, 70000, CV_8UC3, cv::Scalar(0))).code(), StatusCode::kIoError);
  EXPECT_EQ(folder_.count(), 1U);
}

// What libraries print is caught by turning descriptor 2 elsewhere for a while.
TEST_F(ImageFile, StandardErrorSurvivesThreadsThatReadAtOnce) {
  const fs::path file = save("small.png", cv::Mat(4, 5, CV_8UC3, cv::Scalar(1, 2, 3)));
  const auto where = [] {
    struct stat now {};
    EXPECT_EQ(::fstat(STDERR_FILENO, &now), 0);
    return std::pair(now.st_dev, now.st_ino);
  };
  const auto before = where();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 200; ++k)
        EXPECT_TRUE(read_image(file).ok());
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(where(), before);
}

}  // namespace
}  // namespace tern
