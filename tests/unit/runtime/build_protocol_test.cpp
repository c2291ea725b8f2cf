// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/build_protocol.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern::build {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<std::byte>;

Request request() {
  return {.tern_version = "1.2.3",
          .parent = 4711,
          .backend = "openvino",
          .model = {"/a/b c.onnx", "b c.onnx", "b c", std::string(64, 'f')},
          .model_bytes = 1ULL << 33,
          .config = R"({"threads":1})",
          .log_level = LogLevel::kDebug,
          .memory_limit = 5};
}

EngineReport engine() {
  EngineReport report;
  report.blob.backend = "openvino";
  report.blob.backend_version = "2026.0";
  report.blob.engine_id = "m-0123456789ab";
  report.blob.precision = Precision::kBF16;
  report.blob.inputs = {{"x\0y", DType::kF16, Shape{-1, 3}}, {"", DType::kBool, Shape{}}};
  report.blob.outputs = {{"out", DType::kI64, Shape{1, 2, 3, 4, 5, 6, 7, 8}}};
  report.blob.layers = {{"f32", 3}, {"i8", -1}};
  report.blob.notes = {"one", ""};
  report.blob.context_bytes = 77;
  report.bytes = 123456789012345;
  return report;
}

Status failure() {
  return Status(StatusCode::kTimeout, "message").at("inner").at("outer").with_hint("hint").with_cause("cause\n\x80");
}

std::vector<Message> all_messages() {
  return {request(), ProgressReport{"compile", 0.25}, failure(), engine()};
}

Message read_one(const Bytes& frame) {
  FrameReader reader;
  reader.feed(frame);
  auto message = reader.next();
  EXPECT_TRUE(message.ok()) << message.status().to_string();
  EXPECT_EQ(reader.pending(), 0U);
  return message.value().value();
}

Status refusal(const Bytes& stream) {
  FrameReader reader;
  reader.feed(stream);
  for (int i = 0; i < 10; ++i) {
    const auto message = reader.next();
    if (!message.ok()) return message.status();
    if (!message->has_value()) break;
  }
  return {};
}

void put(Bytes& bytes, std::size_t at, auto value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  std::ranges::copy(raw, bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

TEST(BuildProtocol, every_message_arrives_as_it_was_sent) {
  const auto r = std::get<Request>(read_one(encode(request()).value()));
  EXPECT_EQ(r.tern_version, "1.2.3");
  EXPECT_EQ(r.parent, 4711);
  EXPECT_EQ(r.backend, "openvino");
  EXPECT_EQ(r.model.path, "/a/b c.onnx");
  EXPECT_EQ(r.model.label, "b c.onnx");
  EXPECT_EQ(r.model.stem, "b c");
  EXPECT_EQ(r.model.content_hash, std::string(64, 'f'));
  EXPECT_EQ(r.model_bytes, 1ULL << 33);
  EXPECT_EQ(r.config, R"({"threads":1})");
  EXPECT_EQ(r.log_level, LogLevel::kDebug);
  EXPECT_EQ(r.memory_limit, 5U);

  const auto p = std::get<ProgressReport>(read_one(encode(ProgressReport{"compile", 0.25}).value()));
  EXPECT_EQ(p.phase, "compile");
  EXPECT_EQ(p.fraction, 0.25);

  const auto s = std::get<Status>(read_one(encode(failure()).value()));
  EXPECT_EQ(s.code(), StatusCode::kTimeout);
  EXPECT_EQ(s.to_string(), failure().to_string());
  EXPECT_EQ(s.where(), "outer: inner");

  const auto e = std::get<EngineReport>(read_one(encode(engine()).value()));
  EXPECT_EQ(e.bytes, engine().bytes);
  EXPECT_EQ(e.blob.precision, Precision::kBF16);
  ASSERT_EQ(e.blob.inputs.size(), 2U);
  EXPECT_EQ(e.blob.inputs[0].shape, (Shape{-1, 3}));
  EXPECT_EQ(e.blob.outputs[0].shape.rank(), 8U);
  EXPECT_EQ(e.blob.layers, engine().blob.layers);
  EXPECT_EQ(e.blob.notes, engine().blob.notes);
  EXPECT_EQ(e.blob.context_bytes, 77U);
}

TEST(BuildProtocol, every_status_code_arrives) {
  for (const ErrorClass& row : error_classes()) {
    if (row.code == StatusCode::kOk) continue;
    EXPECT_EQ(std::get<Status>(read_one(encode(Status(row.code, "m")).value())).code(), row.code);
  }
}

TEST(BuildProtocol, messages_come_out_whole_however_the_bytes_arrive) {
  Bytes stream;
  for (const Message& message : all_messages()) {
    const auto frame = encode(message).value();
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{64}, stream.size()}) {
    FrameReader reader;
    std::vector<std::size_t> kinds;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.feed(std::span(stream).subspan(at, std::min(step, stream.size() - at)));
      for (auto message = reader.next(); message.value().has_value(); message = reader.next())
        kinds.push_back((*message)->index());
    }
    EXPECT_EQ(kinds, (std::vector<std::size_t>{0, 1, 2, 3})) << step;
    EXPECT_EQ(reader.pending(), 0U);
  }
}

TEST(BuildProtocol, a_frame_that_is_cut_off_is_waited_for) {
  for (const Message& message : all_messages()) {
    const auto frame = encode(message).value();
    for (std::size_t length = 0; length < frame.size(); ++length) {
      FrameReader reader;
      reader.feed(std::span(frame).first(length));
      const auto got = reader.next();
      ASSERT_TRUE(got.ok()) << got.status().to_string();
      EXPECT_FALSE(got->has_value());
      EXPECT_EQ(reader.pending(), length);
    }
  }
}

TEST(BuildProtocol, a_payload_of_another_length_is_refused_at_each_length) {
  for (const Message& message : all_messages()) {
    const auto frame = encode(message).value();
    for (std::size_t length = kFrameHeaderBytes; length < frame.size(); ++length) {
      Bytes cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(length));
      put(cut, 8, static_cast<std::uint32_t>(length - kFrameHeaderBytes));
      EXPECT_EQ(refusal(cut).code(), StatusCode::kEngineBuildError) << message.index() << " at " << length;
    }
    Bytes longer = frame;
    longer.push_back({});
    put(longer, 8, static_cast<std::uint32_t>(longer.size() - kFrameHeaderBytes));
    EXPECT_THAT(refusal(longer).message(), HasSubstr("damaged"));
  }
}

TEST(BuildProtocol, a_head_that_does_not_fit_is_refused_with_its_reason) {
  const auto changed = [](std::size_t at, auto value) {
    Bytes frame = encode(ProgressReport{"p", 0}).value();
    put(frame, at, value);
    return refusal(frame);
  };
  EXPECT_THAT(changed(0, std::uint32_t{0}).message(), HasSubstr("no message"));
  const Status version = changed(4, static_cast<std::uint16_t>(kProtocolVersion + 1));
  EXPECT_THAT(version.message(),
              HasSubstr(fmt::format("protocol {}; this tern speaks {}", kProtocolVersion + 1, kProtocolVersion)));
  EXPECT_THAT(version.hint(), HasSubstr("together"));
  EXPECT_THAT(changed(6, std::uint16_t{0}).message(), HasSubstr("unknown type"));
  EXPECT_THAT(changed(6, std::uint16_t{5}).message(), HasSubstr("unknown type"));
  EXPECT_THAT(changed(8, static_cast<std::uint32_t>(kMaxPayloadBytes + 1)).message(), HasSubstr("too long"));
}

TEST(BuildProtocol, values_out_of_range_are_refused) {
  // The code of a failure stands first in its payload; the precision of an engine behind its three texts.
  Bytes frame = encode(Status(StatusCode::kTimeout, "m")).value();
  for (const std::uint8_t code : {std::uint8_t{0}, std::uint8_t{16}, std::uint8_t{255}}) {
    put(frame, kFrameHeaderBytes, code);
    EXPECT_THAT(refusal(frame).message(), HasSubstr("damaged")) << int{code};
  }
  EngineReport report;
  frame = encode(report).value();
  put(frame, kFrameHeaderBytes + 24, std::uint8_t{6});
  EXPECT_THAT(refusal(frame).message(), HasSubstr("damaged"));
  // Counts and lengths that pass what there is.
  for (const std::size_t at : {0U, 8U, 16U, 25U, 33U, 41U}) {
    frame = encode(report).value();
    put(frame, kFrameHeaderBytes + at, std::numeric_limits<std::uint64_t>::max());
    EXPECT_THAT(refusal(frame).message(), HasSubstr("damaged")) << at;
  }
  report.blob.inputs = {{"", DType::kF32, Shape{7}}};
  const std::size_t spec = kFrameHeaderBytes + 24 + 1 + 8;
  for (const auto& [at, value] : {std::pair<std::size_t, std::uint64_t>{9, 9}, {17, static_cast<std::uint64_t>(-2)}}) {
    frame = encode(report).value();
    put(frame, spec + at, value);  // the rank, a dimension
    EXPECT_THAT(refusal(frame).message(), HasSubstr("damaged")) << at;
  }
}

TEST(BuildProtocol, a_message_beyond_the_limit_is_not_sent) {
  const auto frame = encode(ProgressReport{std::string(kMaxPayloadBytes, 'p'), 0});
  EXPECT_EQ(frame.status().code(), StatusCode::kInternalError);
  EXPECT_TRUE(encode(ProgressReport{std::string(kMaxPayloadBytes - 16, 'p'), 0}).ok());
}

}  // namespace
}  // namespace tern::build
