// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/pattern.h"

#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "live/sources.h"
#include "support/allocation_counter.h"

namespace tern {
namespace {

using std::chrono::milliseconds;

std::vector<std::uint8_t> drawn(const PatternScene& scene, double time_s) {
  std::vector<std::uint8_t> pixels(scene.bytes());
  scene.draw(time_s, pixels.data());
  return pixels;
}

TEST(Pattern, DependsOnSizeAndTimeAlone) {
  const PatternScene one(320, 240), two(320, 240);
  EXPECT_EQ(drawn(one, 1.5), drawn(two, 1.5));
  EXPECT_NE(drawn(one, 1.5), drawn(one, 1.9));
  EXPECT_EQ(drawn(one, 1.5), drawn(one, 1.5));
}

TEST(Pattern, SurvivesEverySizeAndTime) {
  for (const auto& [width, height] : {std::pair(2, 2), {3, 5}, {2, 3000}, {5000, 2}, {641, 479}, {1920, 1080}}) {
    const PatternScene scene(width, height);
    for (const double time : {0.0, 0.04, 7.0, 1e6}) {
      const std::vector<std::uint8_t> pixels = drawn(scene, time);
      const ImageView view = scene.view(pixels.data());
      EXPECT_TRUE(view.validate().ok());
      EXPECT_EQ(view.width, width);
      EXPECT_EQ(view.height, height);
      EXPECT_LE(view.planes[2].data + (view.plane_rows(2) - 1) * view.planes[2].stride + view.plane_row_bytes(2),
                pixels.data() + pixels.size());
    }
  }
}

TEST(Pattern, KeepsItsRate) {
  PatternSource source(64, 48, 200, 4);
  SourceFrame frame;
  ASSERT_TRUE(*source.next(frame, {}));
  const Nanoseconds first = frame.captured;
  std::int64_t last = frame.index;
  while (frame.index < 60) {
    ASSERT_TRUE(*source.next(frame, {}));
    EXPECT_GT(frame.index, last);  // a busy machine may skip some
    last = frame.index;
    EXPECT_EQ(frame.captured - first, milliseconds(5) * frame.index);
    EXPECT_GE(InterruptibleSleep::now(), frame.captured);
    EXPECT_DOUBLE_EQ(*frame.time_s, 0.005 * static_cast<double>(frame.index));
  }
}

TEST(Pattern, SkipsTicksWhileAllBuffersAreHeld) {
  PatternSource source(64, 48, 500, 3);
  std::vector<SourceFrame> held(3);
  for (SourceFrame& frame : held)
    ASSERT_TRUE(*source.next(frame, {}));
  EXPECT_NE(held[0].pixels, held[1].pixels);
  const std::vector<std::uint8_t> before(held[0].view.planes[0].data, held[0].view.planes[0].data + 64);
  std::jthread releaser([&] {
    std::this_thread::sleep_for(milliseconds(100));
    held[1].pixels.reset();
  });
  SourceFrame next;
  ASSERT_TRUE(*source.next(next, {}));
  releaser.join();
  EXPECT_GE(next.index, held[2].index + 40);
  EXPECT_EQ(std::memcmp(before.data(), held[0].view.planes[0].data, before.size()), 0) << "a held frame was drawn over";
}

TEST(Pattern, FramesOutliveTheirSource) {
  SourceFrame frame;
  {
    PatternSource source(64, 48, 1000, 2);
    ASSERT_TRUE(*source.next(frame, {}));
  }
  int sum = 0;
  for (int i = 0; i < 64 * 48; ++i)
    sum += frame.view.planes[0].data[i];
  EXPECT_GT(sum, 0);
}

TEST(Pattern, AllocatesNothingOnceEachBufferWasUsed) {
  PatternSource source(128, 96, 2000, 3);
  std::vector<SourceFrame> held(2);
  std::size_t next = 0;
  const auto take = [&](int frames) {
    for (int i = 0; i < frames; ++i, next = 1 - next)
      EXPECT_TRUE(*source.next(held[next], {}));
  };
  take(6);
  const test::Allocations allocations = test::count_allocations([&] { take(50); });
  EXPECT_EQ(allocations.other, 0U);
}

TEST(Pattern, StopEndsTheWait) {
  PatternSource source(64, 48, 0.01, 2);
  SourceFrame frame;
  ASSERT_TRUE(*source.next(frame, {}));
  std::stop_source stop;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(50));
    stop.request_stop();
  });
  const Nanoseconds start = InterruptibleSleep::now();
  EXPECT_FALSE(*source.next(frame, stop.get_token()));
  EXPECT_LT(InterruptibleSleep::now() - start, milliseconds(3000));
}

}  // namespace
}  // namespace tern
