// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/stream_reader.h"

#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "camera_feed.h"
#include "live/sources.h"
#include "local_server.h"
#include "media/convert.h"

namespace tern {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using test::CameraFeed;
using test::LocalServer;

const cv::Size kSize(160, 96);
// The end of a frame in MPEG-TS shows when others have begun.
constexpr int kHeld = 2;
constexpr milliseconds kSoon{3000};  // on a busy machine; a wait that is not ended takes five seconds

StreamOrigin origin_at(int port) {
  StreamOrigin origin;
  origin.url = "tcp://127.0.0.1:" + std::to_string(port);
  origin.format = "mpegts";
  origin.protocols = "tcp";
  return origin;
}

// A camera whose frames `film` sends; then it stays silent until the client goes.
LocalServer::Serve camera(std::function<void(CameraFeed&)> film) {
  return [film = std::move(film)](int socket, const std::stop_token& stop) {
    {
      CameraFeed feed("mpegts", kSize, [socket](std::string_view bytes) { test::send_all(socket, bytes); });
      film(feed);
    }
    test::wait_for_end(socket, stop);
  };
}

std::unique_ptr<StreamReader> open(const StreamOrigin& origin, std::stop_token stop = {}) {
  auto reader = StreamReader::open(origin, std::move(stop));
  EXPECT_TRUE(reader.ok()) << reader.status().to_string();
  return reader.ok() ? std::move(*reader) : nullptr;
}

int brightness(const SourceFrame& frame) {
  BgrConverter converter;
  return static_cast<int>(std::lround(cv::mean(*converter.convert(frame.view))[1]));
}

class Stream : public testing::Test {
 protected:
  static void SetUpTestSuite() { av::capture_log(); }
  void TearDown() override { static_cast<void>(av::take_log()); }
};

TEST_F(Stream, GivesFramesWithTheTimeOfTheirArrival) {
  constexpr int kFrames = 12;
  const LocalServer server(camera([](CameraFeed& feed) {
    for (int i = 0; i < kFrames; ++i) {
      feed.send_grey(kSize, 40 + 15 * i, i / 50.0);
      std::this_thread::sleep_for(milliseconds(20));
    }
  }));
  const Nanoseconds begin = Clock::now().time_since_epoch();
  const auto reader = open(origin_at(server.port()));
  ASSERT_TRUE(reader);
  SourceFrame frame;
  Nanoseconds last = begin;
  int apart = 0;
  for (int i = 0; i < kFrames - kHeld; ++i) {
    const auto more = reader->next(frame, {});
    ASSERT_TRUE(more.ok()) << more.status().to_string();
    ASSERT_TRUE(*more);
    EXPECT_EQ(frame.index, i);
    EXPECT_NEAR(*frame.time_s, i / 50.0, 1e-3);
    EXPECT_NEAR(brightness(frame), 40 + 15 * i, 4);
    EXPECT_EQ(frame.view.width, kSize.width);
    EXPECT_TRUE(frame.view.validate().ok());
    EXPECT_GE(frame.captured, last);
    EXPECT_LE(frame.captured, Clock::now().time_since_epoch());
    if (i > 0 && frame.captured - last > milliseconds(2)) ++apart;
    last = frame.captured;
  }
  EXPECT_GT(apart, kFrames / 2) << "frames come in bunches";
  EXPECT_EQ(reader->damaged(), 0U);
}

TEST_F(Stream, FollowsAChangeOfTheSize) {
  const cv::Size kOther(96, 160);
  const LocalServer server(camera([&](CameraFeed& feed) {
    for (int i = 0; i < 30; ++i)
      feed.send_grey(i / 10 % 2 == 0 ? kSize : kOther, 60 + 2 * i, i / 25.0);
  }));
  const auto reader = open(origin_at(server.port()));
  ASSERT_TRUE(reader);
  SourceFrame frame;
  for (int i = 0; i < 30 - kHeld; ++i) {
    ASSERT_TRUE(*reader->next(frame, {}));
    const cv::Size expected = i / 10 % 2 == 0 ? kSize : kOther;
    EXPECT_EQ(cv::Size(frame.view.width, frame.view.height), expected) << i;
    EXPECT_NEAR(brightness(frame), 60 + 2 * i, 4);
  }
}

TEST_F(Stream, TellsTimesOfAVariableFrameRate) {
  static constexpr std::array<double, 8> kTimes{0, 0.01, 0.5, 0.52, 0.9, 3, 3.001, 4};
  const LocalServer server(camera([](CameraFeed& feed) {
    for (const double time : kTimes)
      feed.send_grey(kSize, 100, time);
  }));
  const auto reader = open(origin_at(server.port()));
  ASSERT_TRUE(reader);
  SourceFrame frame;
  for (std::size_t i = 0; i + kHeld < kTimes.size(); ++i) {
    ASSERT_TRUE(*reader->next(frame, {}));
    EXPECT_NEAR(*frame.time_s, kTimes[i], 1e-3);
  }
}

TEST_F(Stream, TimeStampsThatJumpDoNotTakeTheTimeAlong) {
  const LocalServer server(camera([](CameraFeed& feed) {
    for (int i = 0; i < 20; ++i) {
      feed.send_grey(kSize, 100, i / 50.0 + (i < 5 ? 0 : i < 10 ? 40000 : 60000));
      std::this_thread::sleep_for(milliseconds(20));
    }
  }));
  const auto reader = open(origin_at(server.port()));
  ASSERT_TRUE(reader);
  SourceFrame frame;
  double last = -1;
  for (int i = 0; i < 20 - kHeld; ++i) {
    ASSERT_TRUE(*reader->next(frame, {}));
    ASSERT_TRUE(frame.time_s);
    EXPECT_GE(*frame.time_s, last);
    EXPECT_LT(*frame.time_s, 2);
    last = *frame.time_s;
  }
}

// Frames with a texture, so that a lost byte is seen, with `damage` done to the bytes between the first and the last ten.
LocalServer::Serve damaged_camera(int frames, std::function<void(std::string&)> damage) {
  return [frames, damage = std::move(damage)](int socket, const std::stop_token& stop) {
    int sent = 0;
    {
      CameraFeed feed("mpegts", kSize, [&](std::string_view bytes) {
        std::string copy(bytes);
        if (sent >= 10 && sent < frames - 20) damage(copy);
        test::send_all(socket, copy);
      });
      cv::Mat noise(kSize, CV_8UC3);
      cv::RNG random(1);
      for (; sent < frames; ++sent) {
        random.fill(noise, cv::RNG::UNIFORM, 0, 256);
        feed.send(noise, sent / 25.0);
      }
    }
    test::wait_for_end(socket, stop);
  };
}

TEST_F(Stream, SkipsAndCountsWhatIsDamaged) {
  std::minstd_rand random(7);
  const LocalServer server(damaged_camera(80, [&](std::string& bytes) {
    for (std::size_t packet = 0; packet + 188 <= bytes.size(); packet += 188) {
      if (random() % 20 == 0) bytes[packet + 20 + random() % 160] ^= static_cast<char>(1 + random() % 255);
    }
  }));
  StreamOrigin origin = origin_at(server.port());
  origin.timeout = milliseconds(1000);
  const auto reader = open(origin);
  ASSERT_TRUE(reader);
  SourceFrame frame;
  int frames = 0;
  Result<bool> more = true;
  while ((more = reader->next(frame, {})).ok() && *more)
    ++frames;
  EXPECT_EQ(more.status().code(), StatusCode::kTimeout) << more.status().to_string();
  EXPECT_GT(reader->damaged(), 5U);
  EXPECT_LT(frames, 75);
  EXPECT_GT(frames, 25) << "the whole ones before and after";
}

TEST_F(Stream, EndsInARunOfDamage) {
  std::minstd_rand random(7);
  const LocalServer server(damaged_camera(400, [&](std::string& bytes) {
    for (std::size_t packet = 0; packet + 188 <= bytes.size(); packet += 188) {
      for (std::size_t i = 100; i < 188; ++i)
        bytes[packet + i] = static_cast<char>(random());
    }
  }));
  StreamOrigin origin = origin_at(server.port());
  origin.timeout = milliseconds(3000);
  origin.decode_timeout = milliseconds(2000);
  const auto reader = open(origin);
  ASSERT_TRUE(reader);
  SourceFrame frame;
  Result<bool> more = true;
  int frames = 0;
  for (; more.ok() && *more && frames < 400; ++frames)
    more = reader->next(frame, {});
  EXPECT_FALSE(more.ok());
  EXPECT_GE(reader->damaged(), static_cast<std::uint64_t>(StreamReader::kMaxDamaged));
  EXPECT_LT(frames, 60);
}

TEST_F(Stream, EndsWhenNothingComes) {
  const LocalServer server(camera([](CameraFeed& feed) {
    for (int i = 0; i < 5; ++i)
      feed.send_grey(kSize, 100, i / 25.0);
  }));
  StreamOrigin origin = origin_at(server.port());
  origin.timeout = milliseconds(300);
  const auto reader = open(origin);
  ASSERT_TRUE(reader);
  SourceFrame frame;
  const auto start = Clock::now();
  int frames = 0;
  Result<bool> more = true;
  while ((more = reader->next(frame, {})).ok() && *more)
    ++frames;
  EXPECT_LE(frames, 5);
  EXPECT_EQ(more.status().code(), StatusCode::kTimeout);
  EXPECT_GE(Clock::now() - start, milliseconds(250));
  EXPECT_LT(Clock::now() - start, kSoon);
}

TEST_F(Stream, StopEndsEveryWait) {
  const LocalServer silent([](int socket, const std::stop_token& stop) { test::wait_for_end(socket, stop); });
  const LocalServer server(camera([](CameraFeed& feed) {
    for (int i = 0; i < 3; ++i)
      feed.send_grey(kSize, 100, i / 25.0);
  }));
  {
    std::stop_source source;
    const std::jthread stopper([&] {
      std::this_thread::sleep_for(milliseconds(200));
      source.request_stop();
    });
    const auto start = Clock::now();
    EXPECT_EQ(StreamReader::open(origin_at(silent.port()), source.get_token()).status().code(), StatusCode::kCancelled);
    EXPECT_LT(Clock::now() - start, kSoon);
  }
  const auto reader = open(origin_at(server.port()));
  ASSERT_TRUE(reader);
  SourceFrame frame;
  std::stop_source source;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(300));
    source.request_stop();
  });
  Result<bool> more = true;
  while (more.ok() && *more)
    more = reader->next(frame, source.get_token());
  ASSERT_TRUE(more.ok()) << more.status().to_string();
  EXPECT_TRUE(source.stop_requested());
}

TEST_F(Stream, StopIsQuickWhileNothingComes) {
  const LocalServer server(camera([](CameraFeed& feed) { feed.send_grey(kSize, 100, 0); }));
  const SourceParts parts = make_stream_source("north", origin_at(server.port()), {});
  EXPECT_TRUE(parts.is_live);
  auto source = parts.open({});
  ASSERT_TRUE(source.ok()) << source.status().to_string();
  std::stop_source stop;
  Clock::time_point stopped;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(200));
    stopped = Clock::now();
    stop.request_stop();
  });
  SourceFrame frame;
  const auto more = (*source)->next(frame, stop.get_token());
  EXPECT_LT(Clock::now() - stopped, kSoon);
  ASSERT_TRUE(more.ok()) << more.status().to_string();
  EXPECT_FALSE(*more);
}

TEST_F(Stream, AnUnpluggedCameraComesBack) {
  const auto once = [&](int socket, const std::stop_token&) {
    CameraFeed feed("mpegts", kSize, [socket](std::string_view bytes) { test::send_all(socket, bytes); });
    for (int i = 0; i < 6; ++i)
      feed.send_grey(kSize, 100, i / 25.0);
  };
  auto server = std::make_unique<LocalServer>(once);
  const int port = server->port();
  const SourceParts parts = make_stream_source("north", origin_at(port), {});
  SourceFrame frame;
  for (int turn = 0; turn < 2; ++turn) {
    auto source = parts.open({});
    ASSERT_TRUE(source.ok()) << source.status().to_string();
    int frames = 0;
    Result<bool> more = true;
    while ((more = (*source)->next(frame, {})).ok() && *more)
      ++frames;
    EXPECT_EQ(frames, 6) << "the last is known to be whole when the connection ends";
    server.reset();  // pulled
    source->reset();
    EXPECT_EQ(parts.open({}).status().code(), StatusCode::kIoError);
    server = std::make_unique<LocalServer>(once, port);  // and back
  }
}

TEST_F(Stream, CountsDamageForItsSource) {
  std::minstd_rand random(7);
  const LocalServer server(damaged_camera(60, [&](std::string& bytes) {
    for (std::size_t packet = 0; packet + 188 <= bytes.size(); packet += 188) {
      if (random() % 10 == 0) bytes[packet + 20 + random() % 160] ^= static_cast<char>(1 + random() % 255);
    }
  }));
  MetricRegistry registry;
  LiveHooks hooks;
  hooks.metrics = [&] { return &registry; };
  StreamOrigin origin = origin_at(server.port());
  origin.timeout = milliseconds(1000);
  auto source = make_stream_source("north", origin, hooks).open({});
  ASSERT_TRUE(source.ok());
  SourceFrame frame;
  Result<bool> more = true;
  while (more.ok() && *more)
    more = (*source)->next(frame, {});
  EXPECT_THAT(registry.text(), testing::HasSubstr("tern_pipeline_damaged_total{source=\"north\"} "));
}

// The other side must not make the program read what it did not ask for.
TEST_F(Stream, UsesNoOtherProtocol) {
  StreamOrigin origin = origin_at(1);
  origin.url = std::string("file:") + TERN_SOURCE_DIR + "/data/flight-1080p.mp4";
  origin.format = "mov";
  EXPECT_FALSE(StreamReader::open(origin, {}).ok());
  origin.protocols = "file";  // the reader itself could
  EXPECT_TRUE(StreamReader::open(origin, {}).ok());
}

// A device of FFmpeg's that is there on every computer stands for the camera.
TEST_F(Stream, ReadsCaptureDevices) {
  StreamOrigin origin;
  origin.url = "testsrc=size=64x48:rate=200";
  origin.format = "lavfi";
  origin.is_device = true;
  const auto reader = open(origin);
  ASSERT_TRUE(reader);
  SourceFrame frame;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(*reader->next(frame, {}));
    EXPECT_EQ(frame.view.width, 64);
    EXPECT_NEAR(*frame.time_s, i / 200.0, 1e-3);
  }
}

TEST_F(Stream, SaysWhatIsWrongWithADevice) {
  PipelineSpec::Source spec;
  spec.name = "desk";
  spec.kind = PipelineSpec::SourceKind::kV4l2;
  spec.location = "/dev/video-none";
  spec.width = 640;
  spec.height = 480;
  spec.rate_hz = 30;
  const auto parts = make_source(spec, "/tmp");
  ASSERT_TRUE(parts.ok());
  EXPECT_TRUE(parts->is_live);
  const Status status = parts->open({}).status();
  EXPECT_EQ(status.code(), StatusCode::kIoError) << status.to_string();
  EXPECT_THAT(status.to_string(), testing::HasSubstr("/dev/video-none"));
}

}  // namespace
}  // namespace tern
