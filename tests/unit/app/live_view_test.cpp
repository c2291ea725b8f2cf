// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/live_view.h"

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "support/made_up_pipeline.h"

namespace tern {
namespace {

using namespace std::chrono_literals;

cv::Mat decoded(const std::string& jpeg) {
  return cv::imdecode(std::vector<std::uint8_t>(jpeg.begin(), jpeg.end()), cv::IMREAD_COLOR);
}

class LiveViewTest : public testing::Test {
 protected:
  LiveViewTest() : pictures_(std::make_shared<LivePictures>(std::vector<std::string>{"a", "b"}, 10min)) {
    EXPECT_TRUE(view_.begin({}, test::made_up_models()).ok());
  }

  void watch(int source) { (void)pictures_->wait(source, 0, 0s, {}); }

  std::shared_ptr<LivePictures> pictures_;
  LiveView view_{pictures_};
  test::MadeUpFrames frames_{64, 36};
};

TEST_F(LiveViewTest, DrawsNothingWhileNobodyWatches) {
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(view_.write(frames_.at(0, 0.1 * i)).ok());
  EXPECT_EQ(pictures_->published(), 0U);
}

TEST_F(LiveViewTest, DrawsTheWatchedSourceAlone) {
  watch(1);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(view_.write(frames_.at(0, i)).ok());
    ASSERT_TRUE(view_.write(frames_.at(1, i)).ok());
  }
  EXPECT_EQ(pictures_->published(), 10U);
  EXPECT_FALSE(pictures_->wait(0, 0, 0s, {}).has_value());
  const auto picture = pictures_->wait(1, 0, 0s, {});
  ASSERT_TRUE(picture.has_value());
  EXPECT_EQ(picture->id, 10U);
}

TEST_F(LiveViewTest, PicturesAreSmallAndShowWhatWasFound) {
  watch(0);
  test::MadeUpFrames large(1280, 720);
  const FrameResult& result = large.at(0, 1);
  ASSERT_TRUE(view_.write(result).ok());
  const cv::Mat drawn = decoded(*pictures_->wait(0, 0, 0s, {})->jpeg);
  EXPECT_EQ(drawn.cols, LiveView::kMaxWidth);
  EXPECT_EQ(drawn.rows, 540);

  FrameResult bare = result;
  for (ModelResult& model : bare.models)
    model.is_done = false;
  bare.ended += 1s;
  ASSERT_TRUE(view_.write(bare).ok());
  const cv::Mat plain = decoded(*pictures_->wait(0, 1, 0s, {})->jpeg);
  EXPECT_GT(cv::norm(drawn, plain, cv::NORM_L1) / static_cast<double>(drawn.total()), 5) << "no box, no mask";
}

TEST_F(LiveViewTest, DrawsAtMostFifteenASecond) {
  struct Case {
    double rate;
    std::uint64_t least, most;
  };
  for (const Case& one : {Case{10, 39, 40}, Case{20, 48, 61}, Case{30, 58, 61}, Case{200, 58, 61}}) {
    auto pictures = std::make_shared<LivePictures>(std::vector<std::string>{"a"}, 10min);
    LiveView view(pictures);
    ASSERT_TRUE(view.begin({}, test::made_up_models()).ok());
    test::MadeUpFrames frames(64, 36);
    (void)pictures->wait(0, 0, 0s, {});
    for (int i = 0; i < static_cast<int>(4 * one.rate); ++i) {
      const double early = i % 3 == 0 ? 0.003 : 0;  // no camera is exact
      ASSERT_TRUE(view.write(frames.at(0, 5 + i / one.rate - early)).ok());
    }
    EXPECT_GE(pictures->published(), one.least) << one.rate;
    EXPECT_LE(pictures->published(), one.most) << one.rate;
  }
}

TEST_F(LiveViewTest, SaysWhatItCannotDraw) {
  watch(0);
  FrameResult result = frames_.at(0, 1);
  result.frame.view.device = Device{DeviceKind::kCuda, 0};
  EXPECT_EQ(view_.write(result).code(), StatusCode::kInputError);
}

TEST(LivePictures, ASourceIsWatchedForAWhileAfterItsLastViewer) {
  LivePictures pictures({"a"}, 60ms);
  EXPECT_FALSE(pictures.is_watched(0));
  (void)pictures.wait(0, 0, 0s, {});
  EXPECT_TRUE(pictures.is_watched(0));
  std::this_thread::sleep_for(80ms);
  EXPECT_FALSE(pictures.is_watched(0));
  std::jthread viewer([&] { (void)pictures.wait(0, 0, 10s, {}); });
  while (!pictures.is_watched(0))
    std::this_thread::yield();
  std::this_thread::sleep_for(80ms);
  EXPECT_TRUE(pictures.is_watched(0)) << "someone waits";
  pictures.publish(0, "x");
}

TEST(LivePictures, EveryViewerGetsTheNewestAndNoneWaitsForOneThatIsThere) {
  LivePictures pictures({"a", "b"});
  EXPECT_EQ(pictures.find("b"), 1);
  EXPECT_EQ(pictures.find("c"), -1);
  pictures.publish(1, "one");
  pictures.publish(1, "two");
  for (int viewer = 0; viewer < 3; ++viewer)
    EXPECT_EQ(*pictures.wait(1, 0, 10s, {})->jpeg, "two");
  EXPECT_FALSE(pictures.wait(1, 2, 0s, {}).has_value());
  EXPECT_EQ(pictures.wait(1, 900, 10s, {})->id, 2U) << "of a pipeline that ran before";
}

TEST(LivePictures, AStopEndsTheWaiting) {
  LivePictures pictures({"a"});
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(pictures.wait(0, 0, 60s, stop.get_token()).has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

}  // namespace
}  // namespace tern
