// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The live page of a pipeline that runs.
#include "web/live_page.h"

#include <chrono>
#include <fstream>
#include <httplib.h>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "json_schema.h"
#include "pipeline_fixture.h"
#include "web/top_table.h"

namespace tern {
namespace {

using test::IsOk;
using ::testing::HasSubstr;

// A page on a free port for a detector on two sources, the second of which nobody watches.
struct PipelineWithPage {
  PipelineSpec spec;
  std::unique_ptr<Pipeline> pipeline;  // outlives its page
  std::unique_ptr<LivePage> page;
};

PipelineWithPage open_pipeline(std::size_t trace_spans) {
  PipelineWithPage opened;
  opened.spec = test::spec_of(
      "version: 1\n"
      "sources:\n"
      "  - {name: yard, kind: images, path: ., rate: 10, deadline: 10s}\n"
      "  - {name: gate, kind: images, path: ., rate: 10, deadline: 10s}\n"
      "models:\n"
      "  - {name: detect, file: " +
      test::kModels +
      "overhead-detect.onnx}\n"
      "sinks:\n"
      "  - {kind: web, port: 0}\n");
  opened.page = std::make_unique<LivePage>(LivePage::open(opened.spec, opened.spec.sinks.front(), ".").value());
  std::vector<SinkParts> sinks;
  sinks.push_back(opened.page->take_sink());
  const auto frames = [] { return test::source_of(test::repeat("data/validation/images/000.jpg", 1'000'000)); };
  std::vector<SourceParts> sources;
  sources.push_back(frames());
  sources.push_back(frames());
  PipelineOptions options = test::test_options();
  options.trace_spans = trace_spans;
  opened.pipeline = Pipeline::create(opened.spec, std::move(sources), std::move(sinks), options).value();
  opened.page->start(*opened.pipeline);
  opened.pipeline->start();
  return opened;
}

int port_of(const std::string& url) {
  return std::stoi(url.substr(url.rfind(':') + 1));
}

TEST(LivePage, tells_how_the_pipeline_does_and_shows_what_it_sees) {
  PipelineWithPage running = open_pipeline(1000);
  httplib::Client client("127.0.0.1", port_of(running.page->url()));
  client.set_read_timeout(30);
  std::string picture;
  for (int i = 0; i < 60 && picture.empty(); ++i)
    picture = client.Get("/frame/yard.jpg")->body;
  const cv::Mat drawn = cv::imdecode(std::vector<std::uint8_t>(picture.begin(), picture.end()), cv::IMREAD_COLOR);
  ASSERT_FALSE(drawn.empty());
  const cv::Mat plain = cv::imread(std::string(TERN_SOURCE_DIR) + "/data/validation/images/000.jpg");
  ASSERT_EQ(drawn.size(), plain.size());
  EXPECT_GT(cv::norm(drawn, plain, cv::NORM_L1) / static_cast<double>(plain.total()), 1) << "no box was drawn";
  EXPECT_EQ(client.Get("/frame/gate.jpg?wait=0")->status, 204) << "drawn although nobody watched";

  const std::string text = client.Get("/status.json")->body;
  const auto status = nlohmann::json::parse(text);
  const auto schema = nlohmann::json::parse(std::ifstream(TERN_SOURCE_DIR "/docs/schemas/pipeline-status.schema.json"));
  EXPECT_TRUE(test::valid(schema, status)) << text;
  EXPECT_EQ(status["sources"][0]["name"], "yard");
  EXPECT_GT(status["sources"][0]["frames"], 0);
  EXPECT_GT(status["models"][0]["infer_ms"]["count"], 0);
  EXPECT_EQ(status["sinks"][0]["name"], "web");
  EXPECT_GT(status["sinks"][0]["written"], 0);
  const auto table = top_table(text);
  ASSERT_THAT(table.status(), IsOk());
  EXPECT_THAT(*table, HasSubstr("yard    running"));

  EXPECT_THAT(client.Get("/metrics")->body, HasSubstr("tern_model_busy_ratio{model=\"detect\"}"));
  const auto trace = nlohmann::json::parse(client.Get("/trace.json")->body);
  EXPECT_FALSE(trace["traceEvents"].empty());
  EXPECT_EQ(client.Get("/healthz")->body, "ok\n");
  running.pipeline->drain();
  EXPECT_TRUE(nlohmann::json::parse(client.Get("/status.json")->body)["is_draining"]);
  EXPECT_THAT(running.pipeline->wait(), IsOk());
  EXPECT_EQ(nlohmann::json::parse(client.Get("/status.json")->body)["sources"][0]["state"], "ended");
}

TEST(LivePage, says_that_nothing_is_traced) {
  PipelineWithPage running = open_pipeline(0);
  const auto trace = httplib::Client("127.0.0.1", port_of(running.page->url())).Get("/trace.json");
  EXPECT_EQ(trace->status, 404);
  EXPECT_FALSE(trace->body.empty());
  running.pipeline->stop();
}

TEST(LivePage, a_token_that_others_can_read_is_refused_before_anything_runs) {
  const std::string file = testing::TempDir() + "live_page_token";
  std::ofstream(file) << "0123456789abcdef\n";
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  PipelineSpec::Sink sink;
  sink.kind = PipelineSpec::SinkKind::kWeb;
  sink.address = "127.0.0.1";
  sink.token_file = file;
  EXPECT_EQ(LivePage::open({}, sink, "/elsewhere").status().code(), StatusCode::kConfigError);
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  EXPECT_THAT(LivePage::open({}, sink, "/elsewhere").status(), IsOk());
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace tern
