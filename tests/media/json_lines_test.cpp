// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "json_schema.h"
#include "live/line_file.h"
#include "live/result_line.h"
#include "live/sinks.h"
#include "sample_result.h"
#include "unit/app/temporary_folder.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ResultLine : public testing::Test {
 protected:
  json line() {
    const std::string text = result_line(sample_.result, sample_.spec, sample_.models);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    json parsed = json::parse(text);
    EXPECT_TRUE(test::valid(schema_, parsed)) << text;
    return parsed;
  }
  test::SampleResult sample_;
  const json schema_ = json::parse(content_of(fs::path(TERN_SOURCE_DIR) / "docs/schemas/pipeline-result.schema.json"));
};

TEST_F(ResultLine, TellsWhatEachModelFound) {
  const json found = line();
  EXPECT_EQ(found["source"], "south");
  EXPECT_EQ(found["sequence"], 41);
  EXPECT_EQ(found["frame"], 40);
  EXPECT_TRUE(found["time_s"].is_null());
  EXPECT_TRUE(found["file"].is_null());
  EXPECT_EQ(found["width"], 8);
  EXPECT_EQ(found["end"], "delivered");
  EXPECT_DOUBLE_EQ(found["age_ms"].get<double>(), 25.125);
  EXPECT_DOUBLE_EQ(found["deadline_ms"].get<double>(), 100);
  EXPECT_FALSE(found.contains("failure"));
  const json& models = found["models"];
  EXPECT_EQ(models["detect"], json::parse(R"({"batch":2,"times_ms":{"preprocess":0.1,"infer":2.0,"postprocess":0.05},
      "detections":[{"class_id":1,"label":"truck","score":0.75,"box":[1.0,0.5,5.0,3.25]}]})"));
  EXPECT_EQ(models["segment"]["classes"][0]["share"], 0.96875);
  EXPECT_EQ(models["segment"]["background"], 0.03125);
  EXPECT_EQ(models["blocked"]["crops"].size(), 1U) << "the second is memory for later frames";
  EXPECT_EQ(models["blocked"]["crops"][0], json::parse(R"({"detection":0,"box":[1,0,6,4],"class_id":1,"label":"yes",
      "probabilities":[0.25,0.75],"logits":[0.5,1.5]})"));
  EXPECT_EQ(models["parts"]["crops"][0]["detections"][0]["label"], "wheel");
  EXPECT_EQ(models["weather"]["label"], "rain");
  EXPECT_TRUE(models["small"].is_null());
}

TEST_F(ResultLine, TellsAFailure) {
  sample_.result.end = FrameEnd::kFailed;
  sample_.result.failure = Status(StatusCode::kInferenceError, "the output has NaN").at("detect");
  for (ModelResult& model : sample_.result.models)
    model.is_done = false;
  sample_.result.frame.time_s = 1.5;
  sample_.result.frame.file = "a\xFF.jpg";
  const json found = line();
  EXPECT_EQ(found["end"], "failed");
  EXPECT_EQ(found["failure"], "InferenceError: detect: the output has NaN");
  EXPECT_EQ(found["time_s"], 1.5);
  EXPECT_EQ(found["file"], "a\xEF\xBF\xBD.jpg");
}

TEST_F(ResultLine, TellsTheHourOfTheCapture) {
  const auto taken = std::chrono::system_clock::now() - std::chrono::milliseconds(30);
  const std::string text = line()["captured"];
  std::tm parts{};
  int ms = 0;
  ASSERT_EQ(std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d.%dZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                        &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms),
            7);
  parts.tm_year -= 1900;
  --parts.tm_mon;
  const auto told = std::chrono::system_clock::from_time_t(::timegm(&parts)) + std::chrono::milliseconds(ms);
  EXPECT_LT(std::chrono::abs(told - taken), std::chrono::milliseconds(500));
}

class JsonLines : public testing::Test {
 protected:
  SinkParts make(const std::string& path) {
    PipelineSpec::Sink spec;
    spec.kind = PipelineSpec::SinkKind::kJsonLines;
    spec.path = path;
    auto parts = make_sink(spec, folder_.path());
    EXPECT_TRUE(parts.ok()) << parts.status().to_string();
    EXPECT_TRUE(parts->is_lossless);
    EXPECT_TRUE(parts->sink->begin(sample_.spec, sample_.models).ok());
    return std::move(*parts);
  }
  std::vector<std::string> lines(std::string_view name) {
    std::vector<std::string> lines;
    std::ifstream file(folder_ / name);
    for (std::string line; std::getline(file, line);)
      lines.push_back(line);
    return lines;
  }
  test::SampleResult sample_;
  TemporaryFolder folder_;
};

TEST_F(JsonLines, EachLineIsInTheFileAtOnce) {
  const SinkParts parts = make("out.jsonl");
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(parts.sink->write(sample_.result).ok());
    ASSERT_EQ(lines("out.jsonl").size(), i + 1) << "before finish(): a crash now would lose it";
    EXPECT_TRUE(json::accept(lines("out.jsonl").back()));
  }
  EXPECT_TRUE(parts.sink->finish().ok());
}

TEST_F(JsonLines, GoOnBehindWhatIsThere) {
  folder_.write("out.jsonl", "{\"old\":1}\n{\"torn\":");
  for (int run = 0; run < 2; ++run) {
    const SinkParts parts = make("out.jsonl");
    ASSERT_TRUE(parts.sink->write(sample_.result).ok());
    ASSERT_TRUE(parts.sink->finish().ok());
  }
  const std::vector<std::string> all = lines("out.jsonl");
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0], "{\"old\":1}");
  EXPECT_EQ(all[1], "{\"torn\":");
  EXPECT_TRUE(json::accept(all[2]));
  EXPECT_TRUE(json::accept(all[3]));
}

TEST_F(JsonLines, TwoWritersTearNoLine) {
  const SinkParts one = make("out.jsonl"), two = make("out.jsonl");
  const auto write = [&](ResultSink& sink) {
    for (int i = 0; i < 100; ++i)
      EXPECT_TRUE(sink.write(sample_.result).ok());
  };
  {
    const std::jthread other([&] { write(*two.sink); });
    write(*one.sink);
  }
  const std::vector<std::string> all = lines("out.jsonl");
  EXPECT_EQ(all.size(), 200U);
  for (const std::string& line : all)
    EXPECT_TRUE(json::accept(line)) << line;
}

TEST_F(JsonLines, AFullDiskIsSaid) {
  const SinkParts parts = make("/dev/full");
  const Status status = parts.sink->write(sample_.result);
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_THAT(status.to_string(), testing::HasSubstr("/dev/full"));
  EXPECT_THAT(status.hint(), testing::HasSubstr("space"));
  EXPECT_TRUE(parts.sink->finish().ok());
}

// The size of files is limited in the middle of a line, which the system then writes in part.
TEST_F(JsonLines, ADiskThatFillsUpLeavesWholeLines) {
  const SinkParts parts = make("out.jsonl");
  ASSERT_TRUE(parts.sink->write(sample_.result).ok());
  const auto size = fs::file_size(folder_ / "out.jsonl");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{size + size / 2, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const Status status = parts.sink->write(sample_.result);
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(status.code(), StatusCode::kIoError) << status.to_string();
  EXPECT_EQ(fs::file_size(folder_ / "out.jsonl"), size);
}

TEST_F(JsonLines, WriteToPipes) {
  const fs::path path = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string read;
  std::jthread reader([&] { read = content_of(path); });
  {
    const SinkParts parts = make("pipe");
    ASSERT_TRUE(parts.sink->write(sample_.result).ok());
    ASSERT_TRUE(parts.sink->finish().ok());
  }
  reader.join();
  EXPECT_TRUE(json::accept(read));
}

TEST_F(JsonLines, WhatCannotBeWrittenIsSaidAtOnce) {
  PipelineSpec::Sink spec;
  spec.kind = PipelineSpec::SinkKind::kJsonLines;
  for (const char* path : {"none/out.jsonl", "."}) {
    spec.path = path;
    EXPECT_EQ(make_sink(spec, folder_.path()).status().code(), StatusCode::kIoError) << path;
  }
  spec.kind = PipelineSpec::SinkKind::kWeb;
  EXPECT_EQ(make_sink(spec, folder_.path()).status().code(), StatusCode::kConfigError);
}

}  // namespace
}  // namespace tern
