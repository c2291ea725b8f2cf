// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/safetensors.h"
#include "tern/golden.h"

namespace tern {
namespace {

using ::testing::HasSubstr;

GoldenTensor tensor(const std::string& name, DType dtype, const Shape& shape, int first) {
  Tensor t = Tensor::create(dtype, shape).value();
  auto* bytes = static_cast<unsigned char*>(t.view().data());
  for (std::size_t i = 0; i < t.bytes(); ++i)
    bytes[i] = static_cast<unsigned char>(first + static_cast<int>(i)) & 63U;
  return {name, std::move(t)};
}

GoldenSet sample() {
  GoldenSet set{.source = "user", .reference = "onnxruntime", .independent = true};
  for (int i = 0; i < 3; ++i) {
    GoldenFrame frame;
    frame.inputs.push_back(tensor("images", DType::kF32, {1, 3, 2, 2}, i));
    frame.inputs.push_back(tensor("a.dotted.name", DType::kI64, {1}, i));
    frame.outputs.push_back(tensor("output0", DType::kF16, {1, 5}, i));
    frame.width = 4;
    frame.height = 2;
    set.frames.push_back(std::move(frame));
  }
  set.frames[0].boxes = std::vector<Detection>{{0.25F, 0, 4, 2, 0, 3}, {1, 1, 1, 1, 0, 0}};
  set.frames[1].boxes = std::vector<Detection>{};  // labelled: there is nothing
  set.frames[1].mask = std::vector<std::uint8_t>{0, 1, 2, 3, 255, 4, 0, 0};
  set.frames[2].class_id = 2;
  return set;
}

std::string refusal(const std::string& bytes) {
  const auto set = GoldenSet::from_bytes(bytes, "x.golden");
  if (set.ok()) return "taken";
  EXPECT_EQ(set.status().code(), StatusCode::kEngineGateError);
  EXPECT_THAT(set.status().where(), ::testing::StartsWith("x.golden"));
  return set.status().to_string();
}

/// The sample's file after `change`.
std::string with(const std::function<void(SafeTensors&)>& change) {
  const std::string bytes = sample().to_bytes().value();
  SafeTensors file = SafeTensors::parse(bytes).value();
  change(file);
  return refusal(file.to_bytes().value());
}

std::string with_metadata(const std::string& key, const std::string& value) {
  return with([&](SafeTensors& file) { file.metadata[key] = value; });
}

std::string with_tensor(const std::string& name, DType dtype, const Shape& shape, const std::vector<float>& values) {
  return with([&](SafeTensors& file) {
    std::erase_if(file.tensors, [&](const StoredTensor& t) { return t.name == name; });
    file.tensors.push_back({name, dtype, shape, std::as_bytes(std::span(values))});
  });
}

std::string unwritable(const std::function<void(GoldenSet&)>& change) {
  GoldenSet set = sample();
  change(set);
  const auto bytes = set.to_bytes();
  if (bytes.ok()) return "written";
  EXPECT_EQ(bytes.status().code(), StatusCode::kInputError);
  return bytes.status().to_string();
}

TEST(GoldenSet, what_is_written_is_read_again) {
  const GoldenSet set = sample();
  const std::string bytes = set.to_bytes().value();
  const auto back = GoldenSet::from_bytes(bytes, "x.golden");
  ASSERT_TRUE(back.ok()) << back.status().to_string();
  EXPECT_EQ(back->source, "user");
  EXPECT_EQ(back->reference, "onnxruntime");
  EXPECT_TRUE(back->independent);
  ASSERT_EQ(back->frames.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const GoldenFrame &found = back->frames[i], &wanted = set.frames[i];
    EXPECT_EQ(found.width, 4);
    EXPECT_EQ(found.height, 2);
    EXPECT_EQ(found.mask, wanted.mask);
    EXPECT_EQ(found.class_id, wanted.class_id);
    ASSERT_EQ(found.boxes.has_value(), wanted.boxes.has_value());
    for (std::size_t k = 0; wanted.boxes && k < wanted.boxes->size(); ++k) {
      EXPECT_EQ(found.boxes->at(k).x1, wanted.boxes->at(k).x1);
      EXPECT_EQ(found.boxes->at(k).y2, wanted.boxes->at(k).y2);
      EXPECT_EQ(found.boxes->at(k).class_id, wanted.boxes->at(k).class_id);
    }
    ASSERT_EQ(found.inputs.size(), 2U);
    EXPECT_EQ(found.inputs[0].name, "a.dotted.name");  // sorted by name
    const Tensor &images = found.inputs[1].tensor, &original = wanted.inputs[0].tensor;
    EXPECT_EQ(images.shape(), original.shape());
    EXPECT_EQ(std::memcmp(images.view().data(), original.view().data(), original.bytes()), 0);
    ASSERT_EQ(found.outputs.size(), 1U);
    EXPECT_EQ(found.outputs[0].tensor.dtype(), DType::kF16);
  }
  EXPECT_EQ(back->to_bytes().value(), bytes);
}

TEST(GoldenSet, a_file_cut_short_anywhere_is_refused) {
  const std::string bytes = sample().to_bytes().value();
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_NE(refusal(bytes.substr(0, length)), "taken") << length;
}

TEST(GoldenSet, metadata_are_complete_and_known) {
  for (const char* key : {"format", "source", "reference", "independent", "frames", "frame.2.size"})
    EXPECT_NE(with([&](SafeTensors& file) { file.metadata.erase(key); }), "taken") << key;
  EXPECT_THAT(with_metadata("format", "tern-golden-2"), HasSubstr("tern-golden-1"));
  EXPECT_THAT(with_metadata("source", "hearsay"), HasSubstr("'hearsay' is unknown"));
  EXPECT_THAT(with_metadata("reference", ""), HasSubstr("no backend's label"));
  EXPECT_THAT(with_metadata("reference", std::string(65, 'a')), HasSubstr("no backend's label"));
  EXPECT_THAT(with_metadata("reference", "a\n"), HasSubstr("no backend's label"));
  EXPECT_THAT(with_metadata("independent", "yes"), HasSubstr("neither true nor false"));
  for (const char* frames : {"", "0", "2", "4", "-1", "+3", "03", "3 ", "4097", "99999999999999999999"})
    EXPECT_NE(with_metadata("frames", frames), "taken") << frames;
  for (const char* size : {"", "4", "x2", "4x", "4x2x1", "-4x2", "4x02", "65537x1", "0x2", "4x0"})
    EXPECT_NE(with_metadata("frame.0.size", size), "taken") << size;
  EXPECT_THAT(with_metadata("frame.2.class", "-1"), HasSubstr("labelled as class"));
  EXPECT_THAT(with_metadata("frame.2.class", "16777216"), HasSubstr("labelled as class"));
  EXPECT_THAT(with_metadata("frame.3.size", "1x1"), HasSubstr("unknown key"));
  EXPECT_THAT(with_metadata("surprise", ""), HasSubstr("unknown key 'surprise'"));
}

TEST(GoldenSet, tensors_belong_to_a_frame_and_have_a_known_kind) {
  for (const char* name : {"frame.3.input.images", "frame.0.", "frame.0", "frame..input.a", "frame.00.input.a",
                           "frame.-1.input.a", "frame.0.input", "frame.0.input.", "frame.0.boxes.a", "frame.0.boxes.",
                           "frame.0.mask.a", "frame.0.other", "frame.0.other.a", "frames", "0.input.a"})
    EXPECT_NE(with_tensor(name, DType::kF32, {0, 5}, {}), "taken") << name;
  EXPECT_THAT(with_tensor("frame.0.input.more", DType::kF32, {1}, {1}), HasSubstr("other names"));
  EXPECT_THAT(with([](SafeTensors& file) {
                std::erase_if(file.tensors, [](const StoredTensor& t) { return t.name == "frame.1.output.output0"; });
              }),
              HasSubstr("no outputs"));
  EXPECT_THAT(with([](SafeTensors& file) {
                std::erase_if(file.tensors, [](const StoredTensor& t) { return t.name.starts_with("frame.1.input"); });
              }),
              HasSubstr("no inputs"));
}

TEST(GoldenSet, labels_make_sense) {
  const auto box = [](std::vector<float> values) { return with_tensor("frame.0.boxes", DType::kF32, {1, 5}, values); };
  EXPECT_EQ(box({0, 0, 1, 1, 2}), "taken");
  EXPECT_THAT(box({2, 0, 1, 1, 2}), HasSubstr("is none"));
  EXPECT_THAT(box({0, 2, 1, 1, 2}), HasSubstr("is none"));
  EXPECT_THAT(box({0, 0, NAN, 1, 2}), HasSubstr("is none"));
  EXPECT_THAT(box({0, 0, INFINITY, 1, 2}), HasSubstr("is none"));
  EXPECT_THAT(box({0, 0, 1, 1, 0.5F}), HasSubstr("class 0.5"));
  EXPECT_THAT(box({0, 0, 1, 1, -1}), HasSubstr("class -1"));
  EXPECT_THAT(box({0, 0, 1, 1, NAN}), HasSubstr("class nan"));
  EXPECT_THAT(box({0, 0, 1, 1, 1e9F}), HasSubstr("class"));
  EXPECT_THAT(with_tensor("frame.0.boxes", DType::kF32, {5}, {0, 0, 1, 1, 2}), HasSubstr("Nx5"));
  EXPECT_THAT(with_tensor("frame.0.boxes", DType::kI32, {1, 5}, {0, 0, 0, 0, 0}), HasSubstr("Nx5"));
  EXPECT_THAT(with_tensor("frame.1.mask", DType::kU8, {4, 2}, {0, 0}), HasSubstr("mask must be u8 of 2x4"));
  EXPECT_THAT(with_tensor("frame.1.mask", DType::kF32, {2, 1}, {0, 0}), HasSubstr("mask must be"));
  EXPECT_THAT(with_metadata("frame.1.size", "2x4"), HasSubstr("mask must be u8 of 4x2"));
  EXPECT_THAT(with_metadata("frame.0.size", "0x0"), HasSubstr("labels but no image size"));
}

TEST(GoldenSet, what_could_not_be_read_is_not_written) {
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.frames.clear(); }), HasSubstr("0 frames"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.source = "noise "; }), HasSubstr("unknown"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.reference.clear(); }), HasSubstr("label"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.frames[1].outputs.clear(); }), HasSubstr("frame 1"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.frames[1].inputs[0].name = "other"; }), HasSubstr("other names"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.frames[1].inputs[0].tensor = Tensor(); }),
              HasSubstr("frame.1.input"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.frames[0].width = 0; }), HasSubstr("0x2"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.frames[0].width = 70000; }), HasSubstr("70000x2"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.frames[1].mask->pop_back(); }), HasSubstr("7 pixels"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.frames[0].boxes->front().x1 = NAN; }), HasSubstr("is none"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.frames[0].boxes->front().class_id = -1; }), HasSubstr("class -1"));
  EXPECT_THAT(unwritable([](GoldenSet& set) { set.frames[2].class_id = 1 << 24; }), HasSubstr("class 16777216"));
  EXPECT_THAT(unwritable([](GoldenSet& set) {
                set.frames[0].inputs[1].name = set.frames[0].inputs[0].name;
                for (auto& f : set.frames)
                  f.inputs[1].name = f.inputs[0].name;
              }),
              HasSubstr("two tensors"));
}

TEST(GoldenSet, more_than_the_limit_is_neither_written_nor_read) {
  GoldenSet set{.source = "noise", .reference = "openvino"};
  GoldenFrame frame;
  // Memory that nobody touches costs nothing.
  frame.inputs.push_back({"x", Tensor::create(DType::kU8, {std::int64_t{1} << 30}).value()});
  frame.outputs.push_back(tensor("y", DType::kU8, {1}, 0));
  set.frames.push_back(std::move(frame));
  EXPECT_THAT(set.to_bytes().status().to_string(), HasSubstr("at most 1.0 GiB"));
  const char nothing = 0;
  EXPECT_THAT(GoldenSet::from_bytes({&nothing, GoldenSet::kMaxBytes + 1}, "x").status().to_string(),
              HasSubstr("at most"));
}

}  // namespace
}  // namespace tern
