// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/web_server.h"

#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <fstream>
#include <httplib.h>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "json_schema.h"
#include "runtime/descriptor.h"
#include "support/made_up_pipeline.h"
#include "web/request_head.h"
#include "web/status_json.h"

namespace tern {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kToken = "a-token-of-27-letters-0.9_~";

// A connection that says what the test wants, and no more.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  [[nodiscard]] bool is_connected() const noexcept { return is_connected_; }
  void send(const std::string& text) const { (void)::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL); }
  /// What comes until the server closes, `end` has come, or the time is over.
  [[nodiscard]] std::string receive(const std::string& end = "", std::chrono::milliseconds time = 10s) const {
    std::string all;
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
      pollfd polled{socket_.get(), POLLIN, 0};
      if (::poll(&polled, 1, 50) <= 0) continue;
      char bytes[4096];
      const ssize_t size = ::recv(socket_.get(), bytes, sizeof(bytes), 0);
      if (size <= 0) return all;
      all.append(bytes, static_cast<std::size_t>(size));
      if (!end.empty() && all.find(end) != std::string::npos) return all;
    }
    return all + "[timed out]";
  }

 private:
  Descriptor socket_;
  bool is_connected_ = false;
};

class WebServerTest : public testing::Test {
 protected:
  void start(WebServerOptions options = {}) {
    options.port = 0;
    auto opened = WebServer::open(options);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    server_.emplace(std::move(*opened));
    pictures_ = std::make_shared<LivePictures>(std::vector<std::string>{"north-gate", "yard"});
    server_->start({[this] { return snapshot_; }, [] { return std::string("tern_up 1\n"); },
                    [this]() -> Result<std::string> {
                      if (trace_.empty())
                        return Status(StatusCode::kConfigError, "tracing is off").with_hint("--trace");
                      return trace_;
                    },
                    pictures_});
  }
  void start_with_token() {
    WebServerOptions options;
    auto access = WebAccess::from_token(kToken);
    ASSERT_TRUE(access.ok());
    options.access = *access;
    start(options);
  }
  [[nodiscard]] httplib::Result get(const std::string& path, const httplib::Headers& headers = {}) const {
    return httplib::Client("127.0.0.1", server_->port()).Get(path, headers);
  }
  [[nodiscard]] std::string raw(const std::string& request) const {
    const RawClient client(server_->port());
    client.send(request);
    std::string answer = client.receive();
    EXPECT_THAT(answer, testing::Not(HasSubstr("[timed out]"))) << request.substr(0, 60);
    return answer;
  }

  PipelineSnapshot snapshot_ = test::made_up_snapshot(1000);
  std::string trace_;
  std::shared_ptr<LivePictures> pictures_;
  std::optional<WebServer> server_;
};

TEST_F(WebServerTest, ServesThePageAndItsPartsAndAllowsNothingFromElsewhere) {
  start();
  EXPECT_EQ(server_->url(), "http://127.0.0.1:" + std::to_string(server_->port()) + "/");
  for (const auto& [path, type] : std::vector<std::pair<std::string, std::string>>{{"/", "text/html"},
                                                                                   {"/page.css", "text/css"},
                                                                                   {"/page.js", "text/javascript"},
                                                                                   {"/charts.js", "text/javascript"},
                                                                                   {"/pictures.js", "text/javascript"},
                                                                                   {"/icon.svg", "image/svg+xml"}}) {
    const auto answer = get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 200);
    EXPECT_THAT(answer->get_header_value("Content-Type"), StartsWith(type));
    EXPECT_THAT(answer->get_header_value("Content-Security-Policy"), StartsWith("default-src 'none'"));
    EXPECT_EQ(answer->get_header_value("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(answer->get_header_value("Cross-Origin-Resource-Policy"), "same-origin");
    EXPECT_THAT(answer->body, HasSubstr("SPDX-License-Identifier: Apache-2.0"));
  }
  std::string source;
  std::getline(std::ifstream(TERN_SOURCE_DIR "/apps/tern/web/page/page.js"), source, '\0');
  EXPECT_EQ(get("/page.js")->body, source);
}

TEST_F(WebServerTest, TheStatusFollowsItsSchema) {
  start();
  const auto answer = get("/status.json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
  const auto schema = nlohmann::json::parse(std::ifstream(TERN_SOURCE_DIR "/docs/schemas/pipeline-status.schema.json"));
  auto status = nlohmann::json::parse(answer->body);
  EXPECT_TRUE(test::valid(schema, status)) << answer->body;
  EXPECT_EQ(status["sources"][0]["name"], "north-gate");
  EXPECT_EQ(status["sources"][0]["ends"]["delivered"], snapshot_.sources[0].ends[0]);
  EXPECT_DOUBLE_EQ(status["sources"][1]["hit_rate"].get<double>(),
                   rounded(deadline_hit_rate(snapshot_.sources[1].ends), 9));
  EXPECT_EQ(status["models"][1]["infer_ms"]["buckets"].size(), snapshot_.models[1].infer.buckets.size());
  status["sources"][0]["state"] = "resting";
  EXPECT_FALSE(test::valid(schema, status));

  snapshot_ = {};  // nothing is known yet, nor is the temperature
  snapshot_.overhead_share = std::numeric_limits<double>::quiet_NaN();
  const auto empty = nlohmann::json::parse(get("/status.json")->body);
  EXPECT_TRUE(test::valid(schema, empty)) << empty;
  EXPECT_TRUE(empty["thermal"]["temperature_c"].is_null());
}

TEST_F(WebServerTest, ServesMetricsTraceAndHealth) {
  start();
  const auto metrics = get("/metrics");
  EXPECT_EQ(metrics->body, "tern_up 1\n");
  EXPECT_THAT(metrics->get_header_value("Content-Type"), StartsWith("text/plain; version=0.0.4"));
  const auto none = get("/trace.json");
  EXPECT_EQ(none->status, 404);
  EXPECT_EQ(none->body, "tracing is off\n--trace\n");
  trace_ = "[]";
  EXPECT_EQ(get("/trace.json")->body, "[]");
  EXPECT_EQ(get("/healthz")->status, 200);
  for (auto& source : snapshot_.sources)
    source.state = PipelineSnapshot::Source::State::kFailed;
  EXPECT_EQ(get("/healthz")->status, 503);
  EXPECT_EQ(get("/etc/passwd")->status, 404);
  EXPECT_EQ(get("/../page.js")->status, 404);
}

TEST_F(WebServerTest, AnswersWithPicturesOnceThereAreNewerOnes) {
  start();
  EXPECT_EQ(get("/frame/north-gate.jpg?wait=0")->status, 204);
  EXPECT_EQ(get("/frame/nowhere.jpg")->status, 404);
  EXPECT_TRUE(pictures_->is_watched(0));
  EXPECT_FALSE(pictures_->is_watched(1));
  pictures_->publish(0, "first");
  const auto first = get("/frame/north-gate.jpg");
  EXPECT_EQ(first->body, "first");
  EXPECT_EQ(first->get_header_value("Content-Type"), "image/jpeg");
  EXPECT_EQ(first->get_header_value("ETag"), "\"1\"");
  EXPECT_EQ(get("/frame/north-gate.jpg?after=1&wait=0")->status, 204);
  std::jthread later([&] {
    std::this_thread::sleep_for(30ms);
    pictures_->publish(0, "second");
  });
  EXPECT_EQ(get("/frame/north-gate.jpg?after=1")->body, "second");
}

TEST_F(WebServerTest, StreamsPicturesUntilTheViewerGoes) {
  start();
  {
    const RawClient viewer(server_->port());
    viewer.send("GET /stream/yard HTTP/1.1\r\nHost: localhost\r\n\r\n");
    pictures_->publish(1, "one");
    EXPECT_THAT(viewer.receive("one\r\n"), HasSubstr("multipart/x-mixed-replace; boundary=tern-picture"));
    pictures_->publish(1, "two");
    EXPECT_THAT(viewer.receive("two\r\n"),
                HasSubstr("--tern-picture\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\n\r\ntwo"));
  }
  const RawClient last(server_->port());
  last.send("GET /stream/yard HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(last.receive("two\r\n"), HasSubstr("200 OK"));
  server_.reset();  // ends at once although it streams
  EXPECT_EQ(last.receive("", 5s), "");
}

TEST_F(WebServerTest, HoldsAFewWatchersAndStillAnswersOthers) {
  WebServerOptions options;
  options.limits.workers = 8;  // so two may be held
  start(options);
  std::vector<RawClient> watchers;
  for (int i = 0; i < 2; ++i) {
    watchers.emplace_back(server_->port());
    watchers.back().send("GET /stream/yard HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(watchers.back().receive("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
  }
  const auto refused = get("/stream/yard");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->get_header_value("Retry-After"), "1");
  EXPECT_EQ(get("/frame/yard.jpg?wait=0")->status, 503);
  EXPECT_EQ(get("/status.json")->status, 200);
  watchers.clear();
  for (int i = 0; i < 100 && get("/frame/yard.jpg?wait=0")->status == 503; ++i)
    std::this_thread::sleep_for(50ms);
  EXPECT_EQ(get("/frame/yard.jpg?wait=0")->status, 204);  // the places were given back
}

TEST_F(WebServerTest, OnLoopbackAnswersNoOtherHostName) {
  start();
  for (const char* host : {"evil.example", "127.0.0.1.evil.example"})
    EXPECT_EQ(get("/status.json", {{"Host", host}})->status, 403) << host;
  EXPECT_EQ(get("/healthz", {{"Host", "evil.example"}})->status, 403);
  EXPECT_THAT(raw("GET /status.json HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(raw("GET /status.json HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 403"));
  EXPECT_EQ(get("/status.json", {{"Host", "localhost:9000"}})->status, 200);  // through a tunnel
}

TEST_F(WebServerTest, PagesOfOtherSitesMayLinkHereAndNoMore) {
  start();
  const httplib::Headers image{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "no-cors"}};
  EXPECT_EQ(get("/stream/yard", image)->status, 403);
  const httplib::Headers link{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}};
  EXPECT_EQ(get("/", link)->status, 200);
}

TEST_F(WebServerTest, WithATokenAnswersNobodyElse) {
  start_with_token();
  for (const char* path :
       {"/", "/page.js", "/status.json", "/metrics", "/trace.json", "/frame/yard.jpg", "/stream/yard", "/none"}) {
    const auto answer = get(path);
    EXPECT_EQ(answer->status, 401) << path;
    EXPECT_EQ(answer->get_header_value("WWW-Authenticate"), "Bearer realm=\"tern\"");
    EXPECT_FALSE(answer->has_header("Set-Cookie"));
  }
  EXPECT_EQ(get("/healthz")->body, "ok\n");
  EXPECT_EQ(get("/status.json", {{"Authorization", "Bearer " + kToken + "x"}})->status, 401);
  EXPECT_EQ(get("/status.json?token=" + kToken.substr(1))->status, 401);
  EXPECT_EQ(get("/status.json", {{"Cookie", "tern_" + std::to_string(server_->port()) + "=" + kToken}})->status, 401);
  EXPECT_EQ(get("/status.json", {{"Authorization", "Bearer " + kToken}})->status, 200);
  EXPECT_EQ(get("/status.json?token=" + kToken)->status, 200);
  EXPECT_EQ(get("/status.json", {{"Authorization", "Bearer " + kToken}, {"Host", "evil.example"}})->status, 403);
}

TEST_F(WebServerTest, ATokenInTheAddressBecomesACookie) {
  start_with_token();
  const auto welcome = get("/?token=" + kToken);
  EXPECT_EQ(welcome->status, 303);
  EXPECT_EQ(welcome->get_header_value("Location"), "/");
  const std::string set = welcome->get_header_value("Set-Cookie");
  EXPECT_THAT(set, HasSubstr("; HttpOnly; SameSite=Strict"));
  EXPECT_EQ(get("/", {{"Cookie", set.substr(0, set.find(';'))}})->status, 200);
}

TEST(WebServerOpen, OtherMachinesNeedAToken) {
  WebServerOptions options;
  options.address = "0.0.0.0";
  options.port = 0;
  const Status refused = WebServer::open(options).status();
  EXPECT_EQ(refused.code(), StatusCode::kConfigError);
  EXPECT_THAT(refused.hint(), HasSubstr("token_file"));
  auto access = WebAccess::from_token(kToken);
  ASSERT_TRUE(access.ok());
  options.access = *access;
  auto server = WebServer::open(options);
  ASSERT_TRUE(server.ok()) << server.status().to_string();
  server->start({[] { return PipelineSnapshot(); }, {}, {}, nullptr});
  httplib::Client client("127.0.0.1", server->port());
  EXPECT_EQ(client.Get("/", {{"Host", "camera.example"}})->status, 401);  // any name leads to the token
  EXPECT_EQ(client.Get("/status.json", {{"Host", "camera.example"}, {"Authorization", "Bearer " + kToken}})->status,
            200);
}

TEST(WebServerOpen, SaysWhyAndWhatToDoWhereItCannotListen) {
  WebServerOptions options;
  options.port = 0;
  const auto first = WebServer::open(options);
  ASSERT_TRUE(first.ok());
  options.port = first->port();
  const Status taken = WebServer::open(options).status();
  EXPECT_EQ(taken.code(), StatusCode::kIoError);
  EXPECT_THAT(taken.to_string(), HasSubstr("127.0.0.1:" + std::to_string(options.port) + ": the port is taken"));
  EXPECT_THAT(taken.hint(), HasSubstr("another 'port'"));
  options.port = 0;
  options.address = "192.0.2.1";  // for documentation: no machine has it
  EXPECT_EQ(WebServer::open(options).status().code(), StatusCode::kConfigError);
  options.address = "no such name";
  EXPECT_EQ(WebServer::open(options).status().code(), StatusCode::kConfigError);
}

TEST_F(WebServerTest, AnswersGetAndHeadAlone) {
  start();
  httplib::Client client("127.0.0.1", server_->port());
  EXPECT_EQ(client.Post("/status.json", "{}", "application/json")->status, 405);
  EXPECT_EQ(client.Delete("/status.json")->status, 405);
  const auto head = client.Head("/status.json");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_TRUE(head->body.empty());
}

TEST_F(WebServerTest, KeepsAConnectionFromRequestToRequest) {
  start();
  const RawClient client(server_->port());
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    client.send(request);
    EXPECT_THAT(client.receive("tern_up 1\n"), StartsWith("HTTP/1.1 200 OK"));
  }
  client.send(request + request.substr(0, 10));  // the next begins with the last
  EXPECT_THAT(client.receive("tern_up 1\n"), StartsWith("HTTP/1.1 200 OK"));
  client.send(request.substr(10));
  EXPECT_THAT(client.receive("tern_up 1\n"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(WebServerTest, DoesNotTakeABodyForARequest) {
  start();
  const std::string hidden = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string answer = raw(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(hidden.size()) + "\r\n\r\n" + hidden);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(answer, testing::Not(HasSubstr("tern_up")));
}

TEST_F(WebServerTest, IgnoresWhatWouldCostIt) {
  start();
  std::string ranges = "bytes=0-1";
  while (ranges.size() < 8000)
    ranges += ",0-1";
  const auto answer = get("/page.js", {{"Range", ranges}, {"Accept-Encoding", "gzip, br"}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_FALSE(answer->has_header("Content-Encoding"));
  EXPECT_THAT(raw("GET /metrics HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(WebServerTest, SurvivesJunk) {
  start();
  const std::string host = "Host: localhost\r\n";
  for (const std::string& request :
       {std::string("\r\n\r\n"), std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n") + host + "\r\n",
        std::string("\0\0\0\0\r\n\r\n", 8), std::string("GET / HTTP/1.1\nHost: localhost\n\n\r\n\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\r\n\r\n", 15),
        "GET /%00%ff%zz?token=%&after=99999999999999999999&&&=%%% HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n",
        "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + "Cookie: " + std::string(9000, ';') + "\r\nConnection: close\r\n\r\n"}) {
    const std::string answer = raw(request);
    EXPECT_THAT(answer, testing::AnyOf("", StartsWith("HTTP/1.1 400"), StartsWith("HTTP/1.1 404"),
                                       StartsWith("HTTP/1.1 414"), StartsWith("HTTP/1.1 200")))
        << request.substr(0, 40);
  }
  EXPECT_THAT(raw("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'a')), testing::AnyOf("", StartsWith("HTTP/1.1 431")));
  EXPECT_EQ(get("/metrics")->status, 200);
}

TEST_F(WebServerTest, SlowClientsHoldNobodyUpAndAreClosed) {
  WebServerOptions options;
  options.limits.head_time = 1500ms;
  options.limits.connections = 60;
  start(options);
  std::vector<RawClient> slow;
  for (int i = 0; i < 50; ++i) {
    slow.emplace_back(server_->port());
    ASSERT_TRUE(slow.back().is_connected());
    if (i % 2 == 0) slow.back().send("GET /status.json HTTP/1.1\r\nHost: loc");
  }
  const auto start_time = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(get("/status.json")->status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - start_time, 1500ms) << "waited for the slow ones";
  EXPECT_THAT(slow[0].receive(), StartsWith("HTTP/1.1 408"));
  EXPECT_EQ(slow[1].receive(), "");

  for (int i = 0; i < 100; ++i)  // more than may be open: the oldest go
    slow.emplace_back(server_->port());
  EXPECT_EQ(get("/status.json")->status, 200);
}

TEST_F(WebServerTest, EndsWhileClientsAreThere) {
  start();
  std::vector<std::jthread> clients;
  std::atomic<int> answered{0};
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, port = server_->port(), i](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        httplib::Client client("127.0.0.1", port);
        const auto answer = client.Get(i % 2 == 0 ? "/frame/yard.jpg" : "/status.json");
        if (answer) ++answered;
      }
    });
  }
  while (answered < 20)
    std::this_thread::sleep_for(1ms);
  server_.reset();
}

}  // namespace
}  // namespace tern
