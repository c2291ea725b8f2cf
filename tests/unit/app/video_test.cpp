// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "media/convert.h"
#include "media/image_file.h"
#include "media/video_reader.h"
#include "media/video_writer.h"
#include "unit/app/temporary_folder.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

class Video : public testing::Test {
 protected:
  static void SetUpTestSuite() { av::capture_log(); }

  // `count` frames, each of one colour: grey that brightens by 8 a frame.
  fs::path make(const char* name, cv::Size size, int count) {
    auto writer = VideoWriter::create(folder_ / name, size.width, size.height, {10, 1});
    EXPECT_TRUE(writer.ok()) << writer.status().to_string();
    for (int i = 0; i < count; ++i) {
      const Status status = writer->write(cv::Mat(size, CV_8UC3, cv::Scalar::all(16 + 8 * i)), i / 10.0);
      EXPECT_TRUE(status.ok()) << status.to_string();
    }
    const Status status = writer->finish();
    EXPECT_TRUE(status.ok()) << status.to_string();
    return folder_ / name;
  }
  TemporaryFolder folder_;
};

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(Video, WritesWhatItReads) {
  for (const cv::Size size : {cv::Size(64, 48), cv::Size(63, 47), cv::Size(1, 1)}) {
    auto reader = VideoReader::open(make("x.mp4", size, 20));
    ASSERT_TRUE(reader.ok()) << reader.status().to_string();
    EXPECT_EQ(reader->frame_count(), 20);
    EXPECT_EQ(reader->frame_rate().num, 10 * reader->frame_rate().den);
    BgrConverter converter;
    Frame frame;
    for (int i = 0; i < 20; ++i) {
      const auto more = reader->next(frame);
      ASSERT_TRUE(more.ok()) << more.status().to_string();
      ASSERT_TRUE(*more);
      EXPECT_EQ(frame.index, i);
      EXPECT_NEAR(*frame.time_s, i / 10.0, 1e-3);
      EXPECT_EQ(frame.view.format, PixelFormat::kI420);
      EXPECT_EQ(frame.view.matrix, YuvMatrix::kBt709);
      EXPECT_EQ(frame.view.range, YuvRange::kLimited);
      EXPECT_EQ(frame.view.width, size.width + size.width % 2);
      ASSERT_TRUE(frame.view.validate().ok());
      const auto bgr = converter.convert(frame.view);
      ASSERT_TRUE(bgr.ok());
      EXPECT_LE(cv::norm(*bgr, cv::Mat(bgr->size(), CV_8UC3, cv::Scalar::all(16 + 8 * i)), cv::NORM_INF), 4) << i;
    }
    EXPECT_FALSE(*reader->next(frame));
  }
}

TEST_F(Video, LeavesNothingWithoutFinish) {
  {
    auto writer = VideoWriter::create(folder_ / "x.mp4", 64, 48, {25, 1});
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->write(cv::Mat(48, 64, CV_8UC3, cv::Scalar(0)), 0).ok());
    EXPECT_EQ(writer->write(cv::Mat(48, 62, CV_8UC3, cv::Scalar(0)), 0).code(), StatusCode::kInputError);
  }
  EXPECT_EQ(folder_.count(), 0U);
}

TEST_F(Video, GivesTheFramesBeforeAnEarlyEnd) {
  const cv::Size size_of_frames(320, 240);
  {
    auto writer = VideoWriter::create(folder_ / "x.mp4", size_of_frames.width, size_of_frames.height, {10, 1});
    ASSERT_TRUE(writer.ok());
    cv::Mat noise(size_of_frames, CV_8UC3);
    for (int i = 0; i < 30; ++i) {
      cv::randu(noise, 0, 256);
      ASSERT_TRUE(writer->write(noise, i / 10.0).ok());
    }
    ASSERT_TRUE(writer->finish().ok());
  }
  const std::string whole = content_of(folder_ / "x.mp4");
  int complete_reads = 0;
  for (std::size_t size = whole.size() / 10; size < whole.size(); size += whole.size() / 10) {
    auto reader = VideoReader::open(folder_.write("cut.mp4", whole.substr(0, size)));
    if (!reader.ok()) {
      EXPECT_EQ(reader.status().code(), StatusCode::kInputError);
      continue;
    }
    Frame frame;
    std::int64_t count = 0;
    Result<bool> more = true;
    while ((more = reader->next(frame)).ok() && *more)
      ++count;
    ASSERT_FALSE(more.ok()) << "cut to " << size << " of " << whole.size();
    EXPECT_EQ(more.status().code(), StatusCode::kInputError);
    EXPECT_NE(more.status().message().find("of 30"), std::string::npos) << more.status().to_string();
    EXPECT_LT(count, 30);
    if (count > 0) ++complete_reads;
  }
  EXPECT_GT(complete_reads, 0);
}

TEST_F(Video, RefusesWhatIsNoVideo) {
  EXPECT_EQ(VideoReader::open(folder_.write("text.mp4", "hello")).status().code(), StatusCode::kInputError);
  EXPECT_EQ(VideoReader::open(folder_.write("empty.mp4", "")).status().code(), StatusCode::kInputError);
  EXPECT_EQ(VideoReader::open(folder_ / "none.mp4").status().code(), StatusCode::kIoError);
}

// A playlist must not make the program open what it names.
TEST_F(Video, RefusesPlaylists) {
  const fs::path video = make("x.mp4", {64, 48}, 5);
  const fs::path list = folder_.write("list.m3u8", "#EXTM3U\n#EXTINF:1,\n" + video.string() + "\n#EXT-X-ENDLIST\n");
  EXPECT_EQ(VideoReader::open(list).status().code(), StatusCode::kInputError);
  const fs::path script = folder_.write("list.mp4", "ffconcat version 1.0\nfile '" + video.string() + "'\n");
  EXPECT_EQ(VideoReader::open(script).status().code(), StatusCode::kInputError);
}

TEST_F(Video, ReadsTheDemoFlight) {
  auto reader = VideoReader::open(fs::path(TERN_SOURCE_DIR) / "data/flight-1080p.mp4");
  ASSERT_TRUE(reader.ok()) << reader.status().to_string();
  EXPECT_EQ(reader->frame_count(), 240);
  Frame frame;
  ASSERT_TRUE(*reader->next(frame));
  EXPECT_EQ(frame.view.width, 1920);
  EXPECT_EQ(frame.view.height, 1080);
}

}  // namespace
}  // namespace tern
