// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "camera_feed.h"
#include "live/sources.h"
#include "local_server.h"

namespace tern {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using test::CameraFeed;
using test::LocalServer;

const cv::Size kSize(160, 96);
constexpr int kFrames = 200;
constexpr milliseconds kSoon{3000};  // on a busy machine; a wait that is not ended takes five seconds
constexpr std::string_view kUser = "YWRtaW46c2VzYW1l";  // admin:sesame

// An RTSP camera that wants a password, and sends its frames over the connection that it is asked on (RFC 2326, 10.12) or over UDP, where
// one packet in `lost` does not arrive (0: all do).
class Camera {
 public:
  Camera(int socket, std::stop_token stop, int lost) : socket_(socket), stop_(std::move(stop)), lost_(lost) {}
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;
  ~Camera() {
    if (udp_ >= 0) ::close(udp_);
  }

  void serve() {
    std::string received;
    while (!stop_.stop_requested() && !is_playing_) {
      const std::string more = test::receive_some(socket_);
      received += more;
      std::size_t end = 0;
      while ((end = received.find("\r\n\r\n")) != std::string::npos) {
        if (!answer(received.substr(0, end + 4))) return;
        received.erase(0, end + 4);
      }
    }
    cv::RNG random(1);
    cv::Mat noise(kSize, CV_8UC3);
    for (int i = 0; i < kFrames && !stop_.stop_requested(); ++i) {
      if (lost_ > 0) {  // of a texture, so that a lost packet is seen
        random.fill(noise, cv::RNG::UNIFORM, 0, 256);
        feed_.send(noise, i / 100.0);
      } else {
        feed_.send_grey(i < 100 ? kSize : cv::Size(96, 64), 40 + i, i / 100.0);
      }
      if (is_gone_) return;
      std::this_thread::sleep_for(milliseconds(5));
    }
    ++silent;
    while (!stop_.stop_requested() && received.find("TEARDOWN") == std::string::npos)
      received += test::receive_some(socket_);
    if (received.find("TEARDOWN") != std::string::npos) ++farewells;
  }

  static inline std::atomic<int> silent = 0,
                                 farewells = 0;  // of all cameras: that sent all their frames; that were told to stop

 private:
  static std::string header(const std::string& request, const std::string& name) {
    const std::size_t at = request.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 4;
    return request.substr(begin, request.find("\r\n", begin) - begin);
  }

  bool answer(const std::string& request) {
    const std::string number = header(request, "CSeq");
    const auto reply = [&](std::string_view status, std::string_view rest) {
      return test::send_all(socket_, fmt::format("RTSP/1.0 {}\r\nCSeq: {}\r\n{}", status, number, rest));
    };
    if (header(request, "Authorization") != fmt::format("Basic {}", kUser))
      return reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"camera\"\r\n\r\n");
    if (request.starts_with("OPTIONS")) return reply("200 OK", "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n");
    if (request.starts_with("DESCRIBE")) {
      const std::string sdp = feed_.sdp();
      return reply("200 OK",
                   fmt::format("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}", sdp.size(), sdp));
    }
    if (request.starts_with("SETUP"))
      return reply("200 OK", set_up(header(request, "Transport")) + "\r\nSession: 7\r\n\r\n");
    if (request.starts_with("PLAY")) {
      is_playing_ = true;
      return reply("200 OK", "Session: 7\r\n\r\n");
    }
    return reply("501 Not Implemented", "\r\n");
  }

  std::string set_up(const std::string& transport) {
    const std::size_t ports = transport.find("client_port=");
    if (ports == std::string::npos) return "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";
    client_.sin_family = AF_INET;
    client_.sin_port = htons(static_cast<std::uint16_t>(std::stoi(transport.substr(ports + 12))));
    client_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in own = client_;
    own.sin_port = 0;
    socklen_t size = sizeof own;
    auto* const address = reinterpret_cast<sockaddr*>(&own);
    EXPECT_TRUE(::bind(udp_, address, size) == 0 && ::getsockname(udp_, address, &size) == 0);
    const int port = ntohs(own.sin_port);
    return fmt::format("Transport: RTP/AVP;unicast;{};server_port={}-{}", transport.substr(ports), port, port + 1);
  }

  void send_packet(std::string_view packet) {
    const auto type = static_cast<unsigned char>(packet[1]);
    const bool is_control = type >= 200 && type <= 204;
    if (!is_playing_) return;
    if (udp_ >= 0) {
      if (is_control || (lost_ > 0 && ++packets_ % lost_ == 0)) return;
      ::sendto(udp_, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&client_), sizeof client_);
      return;
    }
    std::string framed{'$', static_cast<char>(is_control ? 1 : 0), static_cast<char>(packet.size() >> 8),
                       static_cast<char>(packet.size() & 255)};
    if (!test::send_all(socket_, framed.append(packet))) is_gone_ = true;
  }

  int socket_;
  std::stop_token stop_;
  int lost_;
  int packets_ = 0;
  int udp_ = -1;
  sockaddr_in client_{};
  bool is_playing_ = false;
  bool is_gone_ = false;
  CameraFeed feed_{"rtp", kSize, [this](std::string_view packet) { send_packet(packet); }};
};

void serve_camera(int socket, const std::stop_token& stop) {
  Camera(socket, stop, 0).serve();
}

PipelineSpec::Source spec_of(const std::string& url) {
  PipelineSpec::Source spec;
  spec.name = "north";
  spec.kind = PipelineSpec::SourceKind::kRtsp;
  spec.location = url;
  return spec;
}

class Rtsp : public testing::Test {
 protected:
  static void SetUpTestSuite() { av::capture_log(); }
};

TEST_F(Rtsp, GivesFramesAndFollowsAChangeOfTheSize) {
  const LocalServer server(serve_camera);
  const auto parts = make_source(spec_of(fmt::format("rtsp://admin:sesame@127.0.0.1:{}/live", server.port())), "/");
  ASSERT_TRUE(parts.ok());
  auto source = parts->open({});
  ASSERT_TRUE(source.ok()) << source.status().to_string();
  SourceFrame frame;
  int other = 0;
  double first = 0;
  Nanoseconds youngest = std::chrono::seconds(1);
  for (int i = 0; i < 150; ++i) {
    const auto more = (*source)->next(frame, {});
    ASSERT_TRUE(more.ok()) << more.status().to_string();
    ASSERT_TRUE(*more);
    EXPECT_EQ(frame.index, i);
    if (i == 0) continue;  // FFmpeg knows the time of the second frame at the earliest
    ASSERT_TRUE(frame.time_s);
    if (i == 1) first = *frame.time_s;
    EXPECT_NEAR(*frame.time_s - first, (i - 1) / 100.0, 1e-3);
    const cv::Size size(frame.view.width, frame.view.height);
    EXPECT_EQ(size, i < 100 ? kSize : cv::Size(96, 64)) << i;
    if (size != kSize) ++other;
    youngest = std::min(youngest, Clock::now().time_since_epoch() - frame.captured);
  }
  // A frame is sent each 5 ms: one that waited for the next would be as old.
  EXPECT_LT(youngest, milliseconds(4));
  EXPECT_EQ(other, 50);
}

TEST_F(Rtsp, SkipsWhatUdpLoses) {
  for (const int lost : {0, 90}) {
    const LocalServer server([lost](int socket, const std::stop_token& stop) { Camera(socket, stop, lost).serve(); });
    PipelineSpec::Source spec = spec_of(fmt::format("rtsp://admin:sesame@127.0.0.1:{}/live", server.port()));
    spec.is_udp = true;
    StreamOrigin origin = stream_origin(spec);
    origin.timeout = milliseconds(2000);
    const auto reader = StreamReader::open(origin, {});
    ASSERT_TRUE(reader.ok()) << reader.status().to_string();
    SourceFrame frame;
    int frames = 0;
    Result<bool> more = true;
    while ((more = (*reader)->next(frame, {})).ok() && *more)
      ++frames;
    EXPECT_EQ(more.status().code(), StatusCode::kTimeout);
    if (lost == 0) {
      EXPECT_GE(frames, kFrames - 5);
      EXPECT_EQ((*reader)->damaged(), 0U);
    } else {
      EXPECT_GT((*reader)->damaged(), 3U);
      EXPECT_LT(frames, kFrames - 3);
      EXPECT_GT(frames, kFrames / 4);
    }
  }
}

TEST_F(Rtsp, StopEndsTheWaitForTheNextFrameAndTellsTheCamera) {
  Camera::silent = Camera::farewells = 0;
  const LocalServer server(serve_camera);
  const auto parts = make_source(spec_of(fmt::format("rtsp://admin:sesame@127.0.0.1:{}/live", server.port())), "/");
  auto source = parts->open({});
  ASSERT_TRUE(source.ok()) << source.status().to_string();
  std::stop_source stop;
  Clock::time_point stopped;
  std::jthread stopper([&] {
    while (Camera::silent == 0)
      std::this_thread::sleep_for(milliseconds(10));
    std::this_thread::sleep_for(milliseconds(100));
    stopped = Clock::now();
    stop.request_stop();
  });
  SourceFrame frame;
  Result<bool> more = true;
  while (more.ok() && *more)
    more = (*source)->next(frame, stop.get_token());
  source->reset();
  stopper.join();
  EXPECT_LT(Clock::now() - stopped, kSoon);
  EXPECT_TRUE(more.ok()) << more.status().to_string();
  for (int i = 0; i < 300 && Camera::farewells == 0; ++i)
    std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(Camera::farewells, 1);
}

TEST_F(Rtsp, NoMessageHoldsAPassword) {
  const LocalServer server(serve_camera);
  int port = server.port();
  const std::string wrong = fmt::format("rtsp://admin:Xyzzy@127.0.0.1:{}/user=admin_password=Plugh?key=Plover", port);
  std::string closed;
  {
    const LocalServer gone(serve_camera);
    port = gone.port();
  }
  closed = fmt::format("rtsp://admin:Xyzzy@127.0.0.1:{}/user=admin_password=Plugh?key=Plover", port);
  for (const std::string& url : {wrong, closed}) {
    const auto parts = make_source(spec_of(url), "/");
    ASSERT_TRUE(parts.ok());
    const Status status = parts->open({}).status();
    ASSERT_FALSE(status.ok());
    const std::string text = status.to_string() + av::take_log();
    EXPECT_THAT(text, testing::HasSubstr("127.0.0.1"));
    for (const char* secret : {"Xyzzy", "Plugh", "Plover", "admin"})
      EXPECT_THAT(text, testing::Not(testing::HasSubstr(secret)));
  }
}

TEST(StreamOrigin, AllowsTheProtocolsOfItsKindAlone) {
  EXPECT_EQ(stream_origin(spec_of("rtsp://host/live")).protocols, "rtsp,rtp,udp,tcp");
  EXPECT_EQ(stream_origin(spec_of("rtsps://host/live")).protocols, "rtsp,rtp,udp,tcp,tls,srtp");
  PipelineSpec::Source camera = spec_of("/dev/video0");
  camera.kind = PipelineSpec::SourceKind::kV4l2;
  EXPECT_EQ(stream_origin(camera).protocols, "");
}

}  // namespace
}  // namespace tern
