// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <httplib.h>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "live/http_post.h"
#include "live/result_line.h"
#include "live/sinks.h"
#include "sample_result.h"

namespace tern {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class Receiver {
 public:
  explicit Receiver(httplib::Server::Handler handle, int port = 0) {
    server_.Post("/hook",
                 [this, handle = std::move(handle)](const httplib::Request& request, httplib::Response& response) {
                   ++posts_;
                   handle(request, response);
                 });
    server_.set_keep_alive_max_count(1000);
    server_.set_keep_alive_timeout(1);
    port_ = port == 0 ? server_.bind_to_any_port("127.0.0.1") : port;
    if (port != 0) EXPECT_TRUE(server_.bind_to_port("127.0.0.1", port));
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running())
      std::this_thread::sleep_for(milliseconds(1));
  }
  ~Receiver() {
    server_.stop();
    thread_.join();
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int posts() const { return posts_; }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/hook", port_); }

 private:
  httplib::Server server_;
  std::atomic<int> posts_ = 0;
  int port_ = 0;
  std::thread thread_;
};

class HttpSink : public testing::Test {
 protected:
  std::unique_ptr<ResultSink> make(const std::string& url, milliseconds timeout = milliseconds(1000)) {
    PipelineSpec::Sink spec;
    spec.kind = PipelineSpec::SinkKind::kHttp;
    spec.url = url;
    spec.timeout = timeout;
    LiveHooks hooks;
    hooks.metrics = [this] { return &registry_; };
    auto parts = make_sink(spec, "/", hooks);
    EXPECT_TRUE(parts.ok()) << parts.status().to_string();
    EXPECT_FALSE(parts->is_lossless) << "a slow receiver must not hold frames up";
    EXPECT_TRUE(parts->sink->begin(sample_.spec, sample_.models).ok());
    return std::move(parts->sink);
  }
  test::SampleResult sample_;
  MetricRegistry registry_;
};

TEST_F(HttpSink, PostsEachLineOverOneConnection) {
  std::vector<std::string> bodies, types;
  std::vector<int> ports;
  std::mutex mutex;
  const Receiver receiver([&](const httplib::Request& request, httplib::Response&) {
    const std::scoped_lock lock(mutex);
    bodies.push_back(request.body);
    types.push_back(request.get_header_value("Content-Type"));
    ports.push_back(request.remote_port);
  });
  const auto sink = make(receiver.url());
  std::vector<std::string> sequences;
  for (std::uint64_t i = 0; i < 5; ++i) {
    sample_.result.sequence = i;
    ASSERT_TRUE(sink->write(sample_.result).ok());
  }
  ASSERT_TRUE(sink->finish().ok());
  ASSERT_EQ(bodies.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_THAT(bodies[i], testing::HasSubstr(fmt::format("\"sequence\":{},", i)));
    EXPECT_EQ(types[i], "application/json");
    EXPECT_EQ(ports[i], ports[0]);
  }
}

TEST_F(HttpSink, ASlowReceiverCostsItsResultsAndLittleTime) {
  const Receiver receiver(
      [](const httplib::Request&, httplib::Response&) { std::this_thread::sleep_for(milliseconds(400)); });
  const auto sink = make(receiver.url(), milliseconds(100));
  const auto start = Clock::now();
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(sink->write(sample_.result).ok());
  EXPECT_LT(Clock::now() - start, milliseconds(1500)) << "three tries of one result, and no more for a second";
  EXPECT_LE(receiver.posts(), 3);
  EXPECT_EQ(sink->finish().code(), StatusCode::kIoError) << "not one was taken";
  EXPECT_THAT(registry_.text(), testing::HasSubstr("tern_pipeline_http_lost_total{host=\"http://127.0.0.1"));
  EXPECT_THAT(registry_.text(), testing::HasSubstr("} 50\n"));
}

TEST_F(HttpSink, AReceiverThatComesBackGetsTheResultsFromThenOn) {
  const auto take = [](const httplib::Request&, httplib::Response&) {};
  auto receiver = std::make_unique<Receiver>(take);
  const int port = receiver->port();
  const auto sink = make(receiver->url());
  ASSERT_TRUE(sink->write(sample_.result).ok());
  receiver.reset();
  ASSERT_TRUE(sink->write(sample_.result).ok());
  receiver = std::make_unique<Receiver>(take, port);
  ASSERT_TRUE(sink->write(sample_.result).ok());
  EXPECT_EQ(receiver->posts(), 0) << "it waits a second";
  std::this_thread::sleep_for(milliseconds(1100));
  ASSERT_TRUE(sink->write(sample_.result).ok());
  EXPECT_EQ(receiver->posts(), 1);
  EXPECT_TRUE(sink->finish().ok());
  EXPECT_THAT(registry_.text(), testing::HasSubstr("} 2\n"));
}

TEST_F(HttpSink, TriesAgainWhatMayWorkOut) {
  std::atomic<int> calls = 0;
  const Receiver receiver(
      [&](const httplib::Request&, httplib::Response& response) { response.status = ++calls < 3 ? 503 : 204; });
  const auto sink = make(receiver.url());
  ASSERT_TRUE(sink->write(sample_.result).ok());
  EXPECT_EQ(calls, 3);
  EXPECT_TRUE(sink->finish().ok());
}

TEST_F(HttpSink, DoesNotTryAgainWhatWasRefused) {
  const Receiver receiver([](const httplib::Request&, httplib::Response& response) { response.status = 403; });
  const auto sink = make(receiver.url());
  ASSERT_TRUE(sink->write(sample_.result).ok());
  EXPECT_EQ(receiver.posts(), 1);
  const Status status = sink->finish();
  EXPECT_THAT(status.to_string(), testing::HasSubstr("403"));
}

TEST_F(HttpSink, AnEndlessAnswerIsNotWaitedFor) {
  const Receiver receiver([](const httplib::Request&, httplib::Response& response) {
    response.set_chunked_content_provider("text/plain", [](std::size_t, httplib::DataSink& sink) {
      std::this_thread::sleep_for(milliseconds(20));
      return sink.write("x", 1);
    });
  });
  const auto sink = make(receiver.url(), milliseconds(200));
  const auto start = Clock::now();
  ASSERT_TRUE(sink->write(sample_.result).ok());
  EXPECT_LT(Clock::now() - start, milliseconds(1000));
  EXPECT_TRUE(sink->finish().ok()) << "it had said 200";
}

TEST_F(HttpSink, PasswordsGoToTheReceiverAndNowhereElse) {
  std::string authorization, path;
  const Receiver receiver([&](const httplib::Request& request, httplib::Response& response) {
    authorization = request.get_header_value("Authorization");
    path = request.target;
    response.status = 400;
  });
  const auto sink = make(fmt::format("http://us%40er:Xyzzy@127.0.0.1:{}/hook?key=Plugh", receiver.port()));
  ASSERT_TRUE(sink->write(sample_.result).ok());
  EXPECT_EQ(authorization, "Basic dXNAZXI6WHl6enk=");
  EXPECT_EQ(path, "/hook?key=Plugh");
  const std::string text = sink->finish().to_string() + registry_.text();
  for (const char* secret : {"Xyzzy", "Plugh", "us@er", "us%40er"})
    EXPECT_THAT(text, testing::Not(testing::HasSubstr(secret)));
  EXPECT_THAT(text, testing::HasSubstr("127.0.0.1"));
}

TEST(HttpPost, RefusesOtherUrlsWithoutShowingThem) {
  for (const char* url : {"", "ftp://host/", "http://", "http:///x", "http://user:Xyzzy@/x", "http://host:Xyzzy/",
                          "http://ho st/Xyzzy", "http://host/Xyzzy\r\nX: y", "https://"}) {
    const Status status = HttpPost::open(url, milliseconds(100)).status();
    EXPECT_EQ(status.code(), StatusCode::kConfigError) << url;
    EXPECT_THAT(status.to_string(), testing::Not(testing::HasSubstr("Xyzzy")));
  }
  for (const char* url : {"http://host", "https://host:8443/a?b#c", "http://127.0.0.1:1/", "http://[::1]:80/x"})
    EXPECT_TRUE(HttpPost::open(url, milliseconds(100)).ok()) << url;
}

}  // namespace
}  // namespace tern
