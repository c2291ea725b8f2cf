// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <csignal>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "live/sinks.h"
#include "media/convert.h"
#include "media/image_file.h"
#include "media/video_reader.h"
#include "sample_result.h"
#include "unit/app/temporary_folder.h"

namespace tern {
namespace {

class VideoSink : public testing::Test {
 protected:
  static void SetUpTestSuite() { av::capture_log(); }

  void SetUp() override {
    sample_.spec.sources[1].in_flight = 3;
    for (ModelResult& model : sample_.result.models)
      model.is_done = false;
    PipelineSpec::Sink spec;
    spec.kind = PipelineSpec::SinkKind::kVideo;
    spec.path = "out.mp4";
    spec.source = "south";
    auto parts = make_sink(spec, folder_.path());
    ASSERT_TRUE(parts.ok()) << parts.status().to_string();
    EXPECT_TRUE(parts->is_lossless);
    sink_ = std::move(parts->sink);
    ASSERT_TRUE(sink_->begin(sample_.spec, sample_.models).ok());
  }

  // A frame whose brightness is its sequence's.
  Status write(std::uint64_t sequence, std::optional<double> time_s, cv::Size size = {160, 96}) {
    pixels_ = cv::Mat(size, CV_8UC3, cv::Scalar::all(20 + 10 * static_cast<int>(sequence)));
    FrameResult& result = sample_.result;
    result.frame.view = view_of(pixels_);
    result.frame.time_s = time_s;
    result.sequence = sequence;
    result.captured = std::chrono::seconds(1000) + std::chrono::milliseconds(40) * sequence;
    return sink_->write(result);
  }

  struct Shown {
    int sequence;
    double time_s;
  };
  std::vector<Shown> shown() {
    std::vector<Shown> frames;
    auto reader = VideoReader::open(folder_ / "out.mp4");
    EXPECT_TRUE(reader.ok()) << reader.status().to_string();
    BgrConverter converter;
    Frame frame;
    while (reader.ok() && *reader->next(frame)) {
      EXPECT_EQ(frame.view.width, 160);
      frames.push_back(
          {static_cast<int>(std::lround((cv::mean(*converter.convert(frame.view))[1] - 20) / 10)), *frame.time_s});
    }
    return frames;
  }

  TemporaryFolder folder_;
  test::SampleResult sample_;
  cv::Mat pixels_;
  std::unique_ptr<ResultSink> sink_;
};

TEST_F(VideoSink, ShowsFramesInOrder) {
  for (const std::uint64_t sequence : {0U, 2U, 1U, 4U, 5U, 3U, 8U})  // 6 and 7 were dropped
    ASSERT_TRUE(write(sequence, {}).ok());
  sample_.result.source = 0;
  ASSERT_TRUE(write(9, {}).ok()) << "another source's is none of its business";
  ASSERT_TRUE(sink_->finish().ok());
  const std::vector<Shown> frames = shown();
  const std::array<int, 7> expected{0, 1, 2, 3, 4, 5, 8};
  ASSERT_EQ(frames.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(frames[i].sequence, expected[i]);
    EXPECT_NEAR(frames[i].time_s, 0.04 * expected[i], 2e-3) << "as they were captured";
  }
}

TEST_F(VideoSink, KeepsTheTimeStampsOfItsVideo) {
  const std::array<double, 6> times{3, 3.5, 3.52, 0, 0.2, 1};  // from the start again
  for (std::size_t i = 0; i < times.size(); ++i)
    ASSERT_TRUE(write(i, times[i]).ok());
  ASSERT_TRUE(sink_->finish().ok());
  const std::vector<Shown> frames = shown();
  ASSERT_EQ(frames.size(), times.size());
  const std::array<double, 6> expected{0, 0.5, 0.52, 0.52 + 1 / 30.0, 0.72 + 1 / 30.0, 1.52 + 1 / 30.0};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(frames[i].time_s, expected[i], 2e-3);
}

// The first frame of an RTSP camera has no time stamp.
TEST_F(VideoSink, ShowsAFrameWithoutATimeStampAmongOthers) {
  ASSERT_TRUE(write(0, {}).ok());
  ASSERT_TRUE(write(1, 0).ok());
  ASSERT_TRUE(write(2, {}).ok());
  ASSERT_TRUE(write(3, 0.1).ok());
  ASSERT_TRUE(sink_->finish().ok());
  const std::vector<Shown> frames = shown();
  ASSERT_EQ(frames.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(frames[i].time_s, static_cast<double>(i) / 30, 2e-3);
}

TEST_F(VideoSink, ScalesFramesOfAnotherSize) {
  for (std::uint64_t i = 0; i < 6; ++i)
    ASSERT_TRUE(write(i, {}, i / 2 % 2 == 0 ? cv::Size(160, 96) : cv::Size(320, 64)).ok());
  ASSERT_TRUE(sink_->finish().ok());
  const std::vector<Shown> frames = shown();
  ASSERT_EQ(frames.size(), 6U);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(frames[static_cast<std::size_t>(i)].sequence, i);
}

TEST_F(VideoSink, WithoutFramesLeavesNothing) {
  EXPECT_TRUE(sink_->finish().ok());
  EXPECT_EQ(folder_.count(), 0U);
}

TEST_F(VideoSink, AFullDiskIsSaidAndLeavesNothing) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4096, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  Status status;
  cv::Mat noise(480, 640, CV_8UC3);
  for (std::uint64_t i = 0; i < 100 && status.ok(); ++i) {
    cv::randu(noise, 0, 256);
    sample_.result.frame.view = view_of(noise);
    sample_.result.sequence = i;
    sample_.result.frame.time_s = static_cast<double>(i) / 25;
    status = sink_->write(sample_.result);
  }
  const Status finished = sink_->finish();
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(status.code(), StatusCode::kIoError) << status.to_string();
  EXPECT_TRUE(finished.ok()) << "it was said already";
  sink_.reset();
  EXPECT_EQ(folder_.count(), 0U);
}

TEST_F(VideoSink, WhatCannotBeWrittenIsSaidBeforeTheFirstFrame) {
  PipelineSpec::Sink spec;
  spec.kind = PipelineSpec::SinkKind::kVideo;
  spec.path = "none/out.mp4";
  spec.source = "south";
  EXPECT_EQ(make_sink(spec, folder_.path()).status().code(), StatusCode::kIoError);
  spec.path = "out.mp4";
  spec.source = "west";
  auto parts = make_sink(spec, folder_.path());
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(parts->sink->begin(sample_.spec, sample_.models).code(), StatusCode::kConfigError);
}

}  // namespace
}  // namespace tern
