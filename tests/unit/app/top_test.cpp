// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/made_up_pipeline.h"
#include "web/status_client.h"
#include "web/status_json.h"
#include "web/top_table.h"
#include "web/web_server.h"

namespace tern {
namespace {

using testing::HasSubstr;

std::string table_of(const PipelineSnapshot& snapshot) {
  const auto table = top_table(to_line(status_json(snapshot)));
  EXPECT_TRUE(table.ok()) << table.status().to_string();
  return table.ok() ? *table : "";
}

TEST(TopTable, ShowsWhatRunsWhatIsMissedAndWhy) {
  const std::string table = table_of(test::made_up_snapshot(3725));
  for (const char* line :
       {"runs for 1:02:05", "78 C, THROTTLED, step 1: 78 C is at or above 75 C", "frames inside 5 of 24",
        "roof: rtsp://192.168.1.23/stream1: connection refused; trying again in 8 s",
        "video: out/yard.mp4: no space left on the device"})
    EXPECT_THAT(table, HasSubstr(line));
  EXPECT_THAT(table, testing::ContainsRegex(
                         "north-gate +running +30.0 +99.88% +41.0 +[0-9.]+ +[0-9.]+ +100 +111750 +134 superseded"));
  EXPECT_THAT(table, testing::ContainsRegex("obstruction +on +i8 +openvino +596000 +7.4"));
  EXPECT_THAT(table, testing::ContainsRegex("detect_small +off +i8 +openvino +0 +- "));
  EXPECT_THAT(table, testing::ContainsRegex("cpu +583.6 MiB +2.0 GiB +28%"));
}

TEST(TopTable, SaysPlainlyThatThereIsNoTelemetry) {
  PipelineSnapshot snapshot = test::made_up_snapshot(10);
  snapshot.thermal = {false, 0, false, {"no sensor"}, 0, 0, "none"};
  snapshot.thermal_step = 0;
  snapshot.is_draining = true;
  EXPECT_THAT(table_of(snapshot), HasSubstr("no telemetry, top step"));
  EXPECT_THAT(table_of(snapshot), HasSubstr("draining after 0:00:10"));
  EXPECT_THAT(table_of(PipelineSnapshot()), HasSubstr("SOURCE"));
}

TEST(TopTable, ANearlyPerfectRateIsNotRoundedToAllOfThem) {
  PipelineSnapshot snapshot = test::made_up_snapshot(10);
  snapshot.sources.resize(1);
  snapshot.sources[0].ends = {};
  snapshot.sources[0].ends[0] = 9'999'999;
  snapshot.sources[0].ends[1] = 1;
  EXPECT_THAT(table_of(snapshot), HasSubstr("99.99%"));
  snapshot.sources[0].ends[1] = 0;
  EXPECT_THAT(table_of(snapshot), HasSubstr(" 100%"));
}

TEST(TopTable, NamesFromTheNetworkCannotSteerTheTerminal) {
  PipelineSnapshot snapshot = test::made_up_snapshot(10);
  snapshot.sources[0].message = "\x1B]0;owned\x07";
  const std::string table = table_of(snapshot);
  EXPECT_EQ(table.find('\x1B'), std::string::npos);
  EXPECT_THAT(table, HasSubstr("\\x1b]0;owned"));
}

TEST(TopTable, RefusesWhatIsNoStatus) {
  for (const char* text :
       {"", "null", "[]", "{}", "{\"version\": 2}", "{\"version\": 1}", "<html></html>", "{\"version\":1,\"tern\":3}"})
    EXPECT_EQ(top_table(text).status().code(), StatusCode::kInputError) << text;
  Json status = status_json(test::made_up_snapshot(10));
  status["sources"][0]["ends"]["late"] = "many";
  EXPECT_FALSE(top_table(to_line(status)).ok());
  status = status_json(test::made_up_snapshot(10));
  status["uptime_s"] = 1e300;
  EXPECT_TRUE(top_table(to_line(status)).ok());
}

TEST(FitToTerminal, CutsLinesAndColumnsBetweenLetters) {
  EXPECT_EQ(fit_to_terminal("abc\ndef\nghi", 2, 2), "ab\nde");
  EXPECT_EQ(fit_to_terminal("a\xC3\xA9\xC3\xA9z", 2, 9), "a\xC3\xA9");
  EXPECT_EQ(fit_to_terminal("abc", 80, 24), "abc");
}

TEST(ServerAddress, ReadsUrlsHostsAndPorts) {
  const auto url = [](const char* text) {
    const auto address = ServerAddress::parse(text);
    return address.ok() ? address->url() : address.status().to_string();
  };
  EXPECT_EQ(url("http://10.0.0.7:9000/"), "http://10.0.0.7:9000/");
  EXPECT_EQ(url("http://camera"), "http://camera:8080/");
  EXPECT_EQ(url("camera.example:81"), "http://camera.example:81/");
  EXPECT_EQ(url(":9000"), "http://127.0.0.1:9000/");
  EXPECT_EQ(url("[::1]:9000"), "http://[::1]:9000/");
  EXPECT_EQ(url("[::1]"), "http://[::1]:8080/");
  for (const char* text : {"", "https://camera", "camera:", "camera:0", "camera:70000", "camera:80x", "::1",
                           "http://a/b", "[::1", "[::1]9", "a b"})
    EXPECT_EQ(ServerAddress::parse(text).status().code(), StatusCode::kConfigError) << text;
}

TEST(StatusClient, ReadsAPageAndSaysWhatStandsInTheWay) {
  WebServerOptions options;
  options.port = 0;
  auto access = WebAccess::from_token("0123456789abcdef");
  ASSERT_TRUE(access.ok());
  options.access = *access;
  auto server = WebServer::open(options);
  ASSERT_TRUE(server.ok()) << server.status().to_string();
  ServerAddress address;
  address.port = server->port();
  server->start({[] { return test::made_up_snapshot(60); }, {}, {}, nullptr});
  StatusClient client(address, "0123456789abcdef");
  for (int i = 0; i < 3; ++i) {
    const auto status = client.read();
    ASSERT_TRUE(status.ok()) << status.status().to_string();
    EXPECT_TRUE(top_table(*status).ok());
  }
  EXPECT_THAT(StatusClient(address, "").read().status().to_string(), HasSubstr("a token is needed"));
  EXPECT_THAT(StatusClient(address, "wrong").read().status().to_string(), HasSubstr("--token-file"));
  { const WebServer gone = std::move(*server); }
  EXPECT_EQ(client.read().status().code(), StatusCode::kIoError);
}

}  // namespace
}  // namespace tern
