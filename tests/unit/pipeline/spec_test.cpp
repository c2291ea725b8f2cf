// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "tern/pipeline_spec.h"

namespace tern {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kWhole = R"(version: 1
sources:
  - name: north
    kind: rtsp
    url: rtsp://host/stream
    deadline: 100ms
  - name: replay
    kind: video
    path: flight.mp4
    deadline: 1min
    queue: 8
    models: [detect]
models:
  - name: obstruction
    file: obstruction.onnx
    crops_of: detect
    region_mask: segment
    region_classes: [road, ground]
    crop_margin: 0.25
    classes: [car]
    max_crops: 8
  - name: detect
    file: detect.onnx
    precision: int8
    priority: 2
    share: 0.5
    max_batch: 4
  - name: segment
    file: segment.onnx
  - name: small
    file: small.onnx
    standby: true
sinks:
  - kind: json_lines
    path: out.jsonl
  - kind: video
    path: out.mp4
    source: north
policy:
  order: fifo
  batching: fixed
  fixed_batch: 3
  fixed_timeout: 2.5ms
  drop_hopeless: false
thermal:
  hold: 30s
  settle: 1s
  steps:
    - {at: 75, back: 70, rate: 15}
    - {at: 85.5, back: 78, off: [segment], on: [small]}
)";

/// kWhole with one place changed.
std::string with(std::string_view from, std::string_view to) {
  std::string text(kWhole);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(std::string_view text) {
  const auto spec = PipelineSpec::parse(text, "p.yaml");
  EXPECT_FALSE(spec.ok()) << text;
  if (spec.ok()) return {};
  EXPECT_EQ(spec.status().code(), StatusCode::kConfigError);
  return spec.status().to_string();
}

TEST(PipelineSpec, reads_every_key) {
  const auto parsed = PipelineSpec::parse(kWhole, "p.yaml");
  ASSERT_TRUE(parsed.ok()) << parsed.status().to_string();
  const PipelineSpec& spec = *parsed;
  ASSERT_EQ(spec.sources.size(), 2U);
  EXPECT_EQ(spec.sources[0].kind, PipelineSpec::SourceKind::kRtsp);
  EXPECT_EQ(spec.sources[0].location, "rtsp://host/stream");
  EXPECT_TRUE(spec.sources[0].newest_wins);
  EXPECT_EQ(spec.sources[0].deadline, 100ms);
  EXPECT_THAT(spec.sources[0].models, ElementsAre("detect", "segment", "obstruction", "small"));
  EXPECT_FALSE(spec.sources[1].newest_wins);
  EXPECT_EQ(spec.sources[1].queue, 8);
  EXPECT_EQ(spec.sources[1].deadline, 1min);
  EXPECT_THAT(spec.sources[1].models, ElementsAre("detect"));
  ASSERT_EQ(spec.models.size(), 4U);
  EXPECT_EQ(spec.models[0].name, "detect") << "inputs come first";
  EXPECT_EQ(spec.models[0].precision, Precision::kI8);
  EXPECT_EQ(spec.models[0].priority, 2);
  EXPECT_EQ(spec.models[0].share, 0.5);
  EXPECT_EQ(spec.models[0].max_batch, 4);
  EXPECT_EQ(spec.models[2].name, "obstruction");
  EXPECT_EQ(spec.models[2].crops_of, "detect");
  EXPECT_EQ(spec.models[2].region_mask, "segment");
  EXPECT_THAT(spec.models[2].region_classes, ElementsAre("road", "ground"));
  EXPECT_EQ(spec.models[2].crop_margin, 0.25);
  EXPECT_THAT(spec.models[2].classes, ElementsAre("car"));
  EXPECT_EQ(spec.models[2].max_crops, 8);
  EXPECT_TRUE(spec.models[3].is_standby);
  EXPECT_EQ(spec.sinks[1].source, "north");
  EXPECT_EQ(spec.order, FrameOrder::kFifo);
  EXPECT_EQ(spec.batching, Batching::kFixed);
  EXPECT_EQ(spec.fixed_batch, 3);
  EXPECT_EQ(spec.fixed_timeout, 2500us);
  EXPECT_FALSE(spec.drop_hopeless);
  EXPECT_EQ(spec.thermal.hold, 30s);
  EXPECT_EQ(spec.thermal.settle, 1s);
  ASSERT_EQ(spec.thermal.steps.size(), 2U);
  EXPECT_EQ(spec.thermal.steps[1].at_c, 85.5);
  EXPECT_THAT(spec.thermal.steps[1].off, ElementsAre("segment"));
  EXPECT_THAT(spec.thermal.steps[1].on, ElementsAre("small"));
}

TEST(PipelineSpec, leaves_defaults_where_a_file_says_nothing) {
  const auto spec = PipelineSpec::parse(
                        "version: 1\n"
                        "sources: [{name: a, kind: pattern, rate: 30, width: 640, height: 480, deadline: 33ms}]\n"
                        "models: [{name: m, file: m.onnx}]\n")
                        .value();
  EXPECT_TRUE(spec.sources[0].newest_wins);
  EXPECT_EQ(spec.sources[0].in_flight, 2);
  EXPECT_EQ(spec.order, FrameOrder::kEarliestDeadline);
  EXPECT_EQ(spec.batching, Batching::kLoad);
  EXPECT_TRUE(spec.drop_hopeless);
  EXPECT_THAT(spec.sinks, IsEmpty());
  EXPECT_THAT(spec.thermal.steps, IsEmpty());
  EXPECT_EQ(spec.models[0].precision, Precision::kAuto);
}

TEST(PipelineSpec, says_where_a_mistake_is_and_what_was_meant) {
  EXPECT_THAT(error_of(with("deadline: 100ms", "dedline: 100ms")),
              HasSubstr("p.yaml:3:5: sources[0]: 'deadline' is missing"));
  EXPECT_THAT(error_of(with("    deadline: 100ms", "    deadline: 100ms\n    in_fligth: 3")),
              HasSubstr("p.yaml:7:5: sources[0]: there is no key 'in_fligth' (did you mean 'in_flight'?"));
  EXPECT_THAT(error_of(with("kind: rtsp", "kind: rstp")),
              HasSubstr("p.yaml:4:11: sources[0].kind: has no value 'rstp' (did you mean 'rtsp'?"));
  EXPECT_THAT(error_of(with("[detect]", "[detekt]")),
              HasSubstr("p.yaml:12:14: sources[1].models[0]: there is no model 'detekt' (did you mean 'detect'?"));
  EXPECT_THAT(error_of(with("deadline: 100ms", "deadline: 100")),
              HasSubstr("p.yaml:6:15: sources[0].deadline: should be a duration such as 33ms, and is a whole number"));
  EXPECT_THAT(error_of(with("deadline: 100ms", "deadline: 100 ms")), HasSubstr("no duration"));
  EXPECT_THAT(error_of(with("deadline: 100ms", "deadline: 2s2")), HasSubstr("no duration"));
  EXPECT_THAT(error_of(with("deadline: 100ms", "deadline: 0.5ms")), HasSubstr("must be within 1ms and 3600s"));
  EXPECT_THAT(error_of(with("deadline: 100ms", "deadline: 99999999999999999999999s")), HasSubstr("within"));
  EXPECT_THAT(error_of(with("share: 0.5", "share: a")), HasSubstr("should be a number, and is a text"));
  EXPECT_THAT(error_of(with("share: 0.5", "share: 1.5")),
              HasSubstr("models[1].share: is '1.5', and must be within 0 and 1"));
  EXPECT_THAT(error_of(with("share: 0.5", "share: .nan")), HasSubstr("is a text"));
  EXPECT_THAT(error_of(with("share: 0.5", "share: 1e999")), HasSubstr("within 0 and 1"));
  EXPECT_THAT(error_of(with("max_batch: 4", "max_batch: 4.5")), HasSubstr("should be a whole number, and is '4.5'"));
  EXPECT_THAT(error_of(with("max_batch: 4", "max_batch: 99999999999999999999")), HasSubstr("within 1 and 1024"));
  EXPECT_THAT(error_of(with("standby: true", "standby: yes")), HasSubstr("should be true or false, and is a text"));
  EXPECT_THAT(error_of(with("name: north", "name: 5")), HasSubstr("is a whole number (write \"5\" in quotes)"));
  EXPECT_THAT(error_of(with("name: north", "name: a b")), HasSubstr("no name"));
  EXPECT_THAT(error_of(with("version: 1", "version: 2")), HasSubstr("p.yaml:1:10: version"));
  EXPECT_THAT(error_of("sources: []\nmodels: []\n"), HasSubstr("'version' is missing"));
  EXPECT_THAT(error_of("version: 1\nsources: []\nmodels: [{name: m, file: f}]\n"), HasSubstr("sources: has 0 entries"));
  EXPECT_THAT(error_of("[1, 2]"), HasSubstr("p.yaml:1:1: should be a map of keys, and is a list"));
}

TEST(PipelineSpec, refuses_what_does_not_go_together) {
  EXPECT_THAT(error_of(with("    queue: 8\n", "    queue: 8\n    frames: newest\n")),
              HasSubstr("loses nearly all its frames"));
  EXPECT_THAT(error_of(with("    deadline: 100ms\n", "    deadline: 100ms\n    queue: 3\n")),
              HasSubstr("only frames: queue"));
  EXPECT_THAT(error_of(with("name: replay", "name: north")), HasSubstr("is the name of sources[0] too"));
  EXPECT_THAT(error_of(with("name: segment", "name: detect")), HasSubstr("is the name of models[1] too"));
  EXPECT_THAT(error_of(with("[detect]", "[obstruction]")), HasSubstr("needs the results of 'detect'"));
  EXPECT_THAT(error_of(with("[detect]", "[small]")), HasSubstr("nothing would run"));
  EXPECT_THAT(error_of(with("[detect]", "[]")), HasSubstr("no model would see"));
  EXPECT_THAT(error_of(with("[detect]", "[detect, detect]")), HasSubstr("stands twice"));
  EXPECT_THAT(error_of(with("file: segment.onnx", "file: segment.onnx\n    max_crops: 3")),
              HasSubstr("only a model with crops_of"));
  EXPECT_THAT(error_of(with("file: segment.onnx", "file: segment.onnx\n    share: 0.6")), HasSubstr("add up to 1.1"));
  EXPECT_THAT(error_of(with("file: segment.onnx", "file: segment.onnx\n    crop_margin: 0.1")), HasSubstr("crops_of"));
  EXPECT_THAT(error_of(with("    region_mask: segment\n", "")), HasSubstr("only a model with region_mask"));
  EXPECT_THAT(error_of(with("region_classes: [road, ground]", "region_classes: []")), HasSubstr("is empty"));
  EXPECT_THAT(error_of(with("crop_margin: 0.25", "crop_margin: -1")), HasSubstr("crop_margin"));
  EXPECT_THAT(error_of(with("region_mask: segment", "region_mask: detect")), HasSubstr("either boxes or masks"));
  EXPECT_THAT(error_of(with("crops_of: detect", "crops_of: obstruction")), HasSubstr("its own results"));
  EXPECT_THAT(error_of(with("file: segment.onnx", "file: segment.onnx\n    crops_of: obstruction")),
              HasSubstr("by way of others"));
  EXPECT_THAT(error_of(with("source: north", "source: south")), HasSubstr("there is no source 'south'"));
  EXPECT_THAT(error_of(with("batching: fixed", "batching: load")), HasSubstr("only batching: fixed"));
  EXPECT_THAT(error_of(with("back: 70", "back: 75")), HasSubstr("below the 75 C"));
  EXPECT_THAT(error_of(with("at: 85.5, back: 78", "at: 75, back: 74")), HasSubstr("hotter than the step before"));
  EXPECT_THAT(error_of(with("back: 78", "back: 60")), HasSubstr("colder than the step before"));
  EXPECT_THAT(error_of(with("off: [segment]", "off: [small]")), HasSubstr("is on standby"));
  EXPECT_THAT(error_of(with("on: [small]", "on: [detect]")), HasSubstr("is not on standby"));
  EXPECT_THAT(error_of(with("  - kind: json_lines\n    path: out.jsonl", "  - kind: web\n    address: 0.0.0.0")),
              HasSubstr("'token_file' is needed"));
  EXPECT_THAT(error_of(with("  - kind: json_lines\n    path: out.jsonl", "  - kind: http\n    url: ftp://x")),
              HasSubstr("http://"));
  EXPECT_THAT(error_of(with("rtsp://host", "http://host")), HasSubstr("rtsp://"));
  EXPECT_THAT(error_of(with("rtsp://host", "http://admin:secret@host")), testing::Not(HasSubstr("secret")));
}

TEST(PipelineSpec, is_bounded) {
  EXPECT_THAT(error_of(std::string(PipelineSpec::kMaxFileBytes + 1, ' ')), HasSubstr("262144 are allowed"));
  EXPECT_THAT(error_of(std::string(30, '[') + "a" + std::string(30, ']')), HasSubstr("nested more than 16 deep"));
  EXPECT_THAT(error_of(std::string(200'000, '[')), HasSubstr("p.yaml"));
  EXPECT_THAT(error_of(std::string(200'000, '{')), HasSubstr("p.yaml"));
  std::string many = "a: [";
  for (int i = 0; i < 21'000; ++i)
    many += "1,";
  EXPECT_THAT(error_of(many + "1]"), HasSubstr("more than 20000 values"));
  EXPECT_THAT(error_of("a: \"" + std::string(5000, 'x') + "\""), HasSubstr("5000 bytes; 4096"));
}

TEST(PipelineSpec, refuses_yaml_that_is_more_than_data) {
  EXPECT_THAT(error_of(""), HasSubstr("p.yaml: is empty"));
  EXPECT_THAT(error_of("# nothing\n"), HasSubstr("p.yaml"));
  EXPECT_THAT(error_of("a: &x 1\n"), HasSubstr("p.yaml:1:4: anchors"));
  EXPECT_THAT(error_of("a: &x [1]\nb: *x\n"), HasSubstr("anchors"));
  EXPECT_THAT(error_of("b: *x\n"), HasSubstr("p.yaml:1:4"));
  EXPECT_THAT(error_of("b: !!int 3\n"), HasSubstr("tags"));
  EXPECT_THAT(error_of("b: !mine [3]\n"), HasSubstr("tags"));
  EXPECT_THAT(error_of("a: 1\na: 2\n"), HasSubstr("p.yaml:2:1: 'a' stands twice, first in line 1"));
  EXPECT_THAT(error_of("? [1, 2]\n: 3\n"), HasSubstr("a key must be a text"));
  EXPECT_THAT(error_of("1: 3\n"), HasSubstr("a key must be a text"));
  EXPECT_THAT(error_of("a: 1\n---\nb: 2\n"), HasSubstr("more than one document"));
  EXPECT_THAT(error_of("a: [b\n"), HasSubstr("p.yaml:"));
  EXPECT_THAT(error_of("a: 'b\n"), HasSubstr("p.yaml:1:4: a text in quotes does not end"));
  EXPECT_THAT(error_of("c: |\n  \"d\na: \"b\\\"\n"), HasSubstr("p.yaml:3:4: a text in quotes does not end"));
  EXPECT_THAT(error_of("a: }\n"), HasSubstr("p.yaml:1:4: no valid YAML"));
  EXPECT_THAT(error_of("a:\n\t- b\n"), HasSubstr("p.yaml:2"));
  EXPECT_THAT(error_of("a: \xff\n"), HasSubstr("UTF-8"));
  EXPECT_THAT(error_of(std::string_view("a: b\nc: \0\n", 10)),
              HasSubstr("p.yaml:2:4: holds the control character 0x00"));
}

TEST(PipelineSpec, truncations_and_changed_bytes_are_answered) {
  for (std::size_t size = 0; size < kWhole.size(); ++size)
    (void)PipelineSpec::parse(kWhole.substr(0, size), "p.yaml");
  for (std::size_t at = 0; at < kWhole.size(); at += 3) {
    for (const char c : {'\0', ':', '-', '[', '{', '&', '*', '!', '"', '\n', '9', '\xff'}) {
      std::string text(kWhole);
      text[at] = c;
      const auto spec = PipelineSpec::parse(text, "p.yaml");
      if (!spec.ok()) {
        EXPECT_THAT(spec.status().where(), HasSubstr("p.yaml"));
      }
    }
  }
}

TEST(PipelineSpec, reads_files) {
  const auto path = std::filesystem::temp_directory_path() / "tern-pipeline-spec-test.yaml";
  ASSERT_TRUE(write_file(path, kWhole).ok());
  EXPECT_TRUE(PipelineSpec::read(path).ok());
  ASSERT_TRUE(write_file(path, with("kind: rtsp", "kind: none")).ok());
  EXPECT_THAT(PipelineSpec::read(path).status().where(), HasSubstr("tern-pipeline-spec-test.yaml:4:11"));
  std::filesystem::remove(path);
  EXPECT_EQ(PipelineSpec::read(path).status().code(), StatusCode::kIoError);
}

TEST(PipelineSpec, becomes_a_scheduler) {
  const auto spec = PipelineSpec::parse(kWhole).value();
  const auto curve = LatencyCurve::create({{1, 1ms}, {4, 2ms}}).value();
  const auto config = spec.scheduler_config(std::vector(4, curve), 2);
  ASSERT_TRUE(config.ok()) << config.status().to_string();
  EXPECT_EQ(config->executors, 2);
  EXPECT_THAT(config->models[2].inputs, ElementsAre(0, 1));
  EXPECT_EQ(config->models[2].max_items, 8);
  EXPECT_THAT(config->sources[0].models, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(config->sources[1].capacity, 8);
  EXPECT_FALSE(spec.scheduler_config({curve}, 1).ok());
  const auto small = LatencyCurve::create({{1, 1ms}}).value();
  EXPECT_THAT(spec.scheduler_config(std::vector(4, small), 1).status().to_string(), HasSubstr("max_batch"));
}

TEST(PipelineSpec, its_thermal_steps_rule_the_scheduler) {
  const auto spec = PipelineSpec::parse(kWhole).value();
  const auto config =
      spec.scheduler_config(std::vector(4, LatencyCurve::create({{1, 1ms}, {4, 2ms}}).value()), 1).value();
  Scheduler scheduler = Scheduler::create(config).value();
  ThermalGovernor governor = ThermalGovernor::create(spec.thermal).value();
  const auto models_that_run = [&](Nanoseconds now) {
    apply_thermal_step(governor, spec, scheduler);
    EXPECT_TRUE(scheduler.offer(0, now, 0, now).is_accepted);
    std::vector<std::string> names;
    for (;;) {
      now += 20ms;
      const Decision decision = scheduler.decide(0, now);
      if (decision.kind == Decision::Kind::kIdle) break;
      if (decision.kind == Decision::Kind::kRun)
        names.push_back(spec.models[static_cast<std::size_t>(decision.model)].name);
      scheduler.finish(0, now);
    }
    while (scheduler.next_ended()) {
    }
    std::ranges::sort(names);
    return names;
  };
  EXPECT_THAT(models_that_run(0s), ElementsAre("detect", "segment"));
  const auto hot = [](double celsius) {
    return ThermalState{.is_telemetry_available = true, .temperature_c = celsius};
  };
  (void)governor.observe(hot(90), 1s);
  EXPECT_THAT(models_that_run(10s), ElementsAre("detect", "small"));
  (void)governor.observe(hot(60), 20s);
  (void)governor.observe(hot(60), 50s);
  EXPECT_EQ(governor.step(), 1);
  EXPECT_THAT(models_that_run(60s), ElementsAre("detect", "segment"));
  EXPECT_EQ(scheduler.offer(0, 60s + 20ms, 0, 60s + 20ms).refused, FrameEnd::kLimited) << "15 frames a second";
}

}  // namespace
}  // namespace tern
