// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postprocess/cpu/kernels.h"
#include "support.h"
#include "tern/postprocess.h"

namespace tern {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Decodes one image.
Result<std::vector<Detection>> decode(const OutputContract& contract, std::vector<float> values, const Shape& shape,
                                      const Geometry& geometry) {
  TERN_ASSIGN_OR_RETURN(Postprocessor postprocessor, Postprocessor::create(contract));
  std::vector<std::vector<Detection>> results(1);
  TERN_RETURN_IF_ERROR(postprocessor.detect(test::view(values, shape), {&geometry, 1}, results));
  return results.front();
}

/// Columns (cx, cy, w, h, class scores...) as a (1, rows, anchors) tensor.
std::vector<float> yolo_tensor(const std::vector<std::vector<float>>& anchors) {
  std::vector<float> values;
  for (std::size_t row = 0; row < anchors.front().size(); ++row) {
    for (const auto& anchor : anchors)
      values.push_back(anchor[row]);
  }
  return values;
}

void expect_box(const Detection& d, float x1, float y1, float x2, float y2) {
  EXPECT_FLOAT_EQ(d.x1, x1);
  EXPECT_FLOAT_EQ(d.y1, y1);
  EXPECT_FLOAT_EQ(d.x2, x2);
  EXPECT_FLOAT_EQ(d.y2, y2);
}

TEST(Yolo, takes_the_best_class_of_each_anchor_best_first) {
  const OutputContract contract = test::output_contract(OutputKind::kYolo, 3);
  const auto values = yolo_tensor({{10, 10, 8, 6, 0.1F, 0.3F, 0.3F},    // two equal classes: the first
                                   {50, 50, 10, 10, 0.2F, 0.1F, 0.9F},  //
                                   {80, 20, 4, 4, 0.25F, 0, 0}});       // not above the threshold
  const auto found = decode(contract, values, {1, 7, 3}, test::same_size(100, 100)).value();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].class_id, 2);
  EXPECT_FLOAT_EQ(found[0].score, 0.9F);
  expect_box(found[0], 45, 45, 55, 55);
  EXPECT_EQ(found[1].class_id, 1);
  expect_box(found[1], 6, 7, 14, 13);
}

TEST(Yolo, maps_boxes_back_through_letterbox_and_crop) {
  const OutputContract contract = test::output_contract(OutputKind::kYolo, 1);
  // 200x100 in 100x100: scale 1/2, 25 rows of padding above.
  const auto boxed = decode(contract, yolo_tensor({{50, 50, 20, 10, 0.9F}}), {1, 5, 1},
                            test::geometry(ResizeRule::kLetterbox, 200, 100, 100, 100))
                         .value();
  expect_box(boxed.at(0), 80, 40, 120, 60);
  // 200x100 cropped to 100x100: scale 1, 50 columns cut off on either side.
  const auto cropped = decode(contract, yolo_tensor({{0, 50, 20, 10, 0.9F}}), {1, 5, 1},
                              test::geometry(ResizeRule::kCenterCrop, 200, 100, 100, 100))
                           .value();
  expect_box(cropped.at(0), 40, 45, 60, 55);
}

TEST(Yolo, clips_to_the_image_and_drops_what_lies_outside) {
  const OutputContract contract = test::output_contract(OutputKind::kYolo, 1);
  const auto values = yolo_tensor({{0, 0, 20, 20, 0.9F},            // a corner
                                   {-50, 50, 20, 20, 0.8F},         // outside
                                   {50, 50, -10, 10, 0.7F},         // negative width
                                   {50, 50, 0, 10, 0.65F},          // no width
                                   {50, 50, 1e30F, 1e30F, 0.6F}});  // everything
  const auto found = decode(contract, values, {1, 5, 5}, test::same_size(100, 60)).value();
  ASSERT_THAT(found, SizeIs(2));
  expect_box(found[0], 0, 0, 10, 10);
  expect_box(found[1], 0, 0, 100, 60);
}

TEST(Yolo, suppression_is_class_aware_when_asked) {
  OutputContract contract = test::output_contract(OutputKind::kYolo, 2);
  const auto values = yolo_tensor({{50, 50, 20, 20, 0.9F, 0}, {50, 50, 20, 20, 0, 0.8F}, {51, 50, 20, 20, 0.7F, 0}});
  EXPECT_THAT(decode(contract, values, {1, 6, 3}, test::same_size(100, 100)).value(), SizeIs(2));
  contract.class_aware_nms = false;
  EXPECT_THAT(decode(contract, values, {1, 6, 3}, test::same_size(100, 100)).value(), SizeIs(1));
}

/// Random tensors against a plain decoder made of nms().
TEST(Yolo, equals_a_plain_decoder_on_random_tensors) {
  test::Random random(6);
  for (int round = 0; round < 40; ++round) {
    OutputContract contract = test::output_contract(OutputKind::kYolo, random.whole(1, 12));
    contract.score_threshold = random.uniform(0, 1);
    contract.nms_iou = random.uniform(0.1F, 0.9F);
    contract.class_aware_nms = round % 2 == 0;
    contract.max_detections = random.whole(1, 60);
    const auto anchors = static_cast<std::size_t>(random.whole(1, 400));
    const auto classes = static_cast<std::size_t>(contract.classes);
    std::vector<float> values = random.floats(4 * anchors, 0, 200);
    for (const float v : random.floats(classes * anchors, 0, 1))
      values.push_back(v);

    std::vector<Detection> boxes;
    for (std::size_t a = 0; a < anchors; ++a) {
      const auto at = [&](std::size_t row) { return values[row * anchors + a]; };
      Detection d{at(0) - at(2) / 2, at(1) - at(3) / 2, at(0) + at(2) / 2, at(1) + at(3) / 2, at(4), 0};
      for (std::size_t c = 1; c < classes; ++c) {
        if (at(4 + c) > d.score) d.score = at(4 + c), d.class_id = static_cast<int>(c);
      }
      if (d.score > contract.score_threshold) boxes.push_back(d);
    }
    const auto kept =
        nms(boxes, contract.nms_iou, contract.class_aware_nms, static_cast<std::size_t>(contract.max_detections))
            .value();
    const auto found = decode(contract, values, {1, contract.classes + 4, static_cast<std::int64_t>(anchors)},
                              test::same_size(200, 200))
                           .value();
    std::size_t next = 0;
    for (const std::uint32_t i : kept) {
      const auto clip = [](float v) { return std::clamp(v, 0.0F, 200.0F); };
      const Detection& b = boxes[i];
      if (!(clip(b.x1) < clip(b.x2) && clip(b.y1) < clip(b.y2))) continue;
      ASSERT_LT(next, found.size()) << "round " << round;
      const Detection& d = found[next++];
      EXPECT_EQ(d.class_id, b.class_id);
      EXPECT_EQ(d.score, b.score);
      expect_box(d, clip(b.x1), clip(b.y1), clip(b.x2), clip(b.y2));
    }
    EXPECT_EQ(next, found.size()) << "round " << round;
  }
}

TEST(Yolo, finds_nan_and_infinity_wherever_they_are) {
  const OutputContract contract = test::output_contract(OutputKind::kYolo, 5);
  const Shape shape{2, 9, 77};
  std::vector<float> values(2 * 9 * 77, 0.1F);
  const std::vector<Geometry> geometry(2, test::same_size(100, 100));
  std::vector<std::vector<Detection>> results(2);
  Postprocessor postprocessor = Postprocessor::create(contract).value();
  ASSERT_TRUE(postprocessor.detect(test::view(values, shape), geometry, results).ok());
  for (std::size_t i = 0; i < values.size(); i += 13) {
    for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
      values[i] = bad;
      const Status status = postprocessor.detect(test::view(values, shape), geometry, results);
      ASSERT_EQ(status.code(), StatusCode::kInferenceError) << i;
      const std::size_t rest = i % (9 * 77);
      EXPECT_THAT(status.message(), HasSubstr(fmt::format("[{}, {}, {}]", i / (9 * 77), rest / 77, rest % 77)));
      EXPECT_THAT(status.where(), HasSubstr("output0"));
      values[i] = 0.1F;
    }
  }
}

TEST(Yolo, refuses_scores_that_are_no_probabilities) {
  const OutputContract contract = test::output_contract(OutputKind::kYolo, 1);
  const Status status =
      decode(contract, yolo_tensor({{5, 5, 2, 2, 0.5F}, {5, 5, 2, 2, 3.5F}}), {1, 5, 2}, test::same_size(10, 10))
          .status();
  EXPECT_EQ(status.code(), StatusCode::kInferenceError);
  EXPECT_THAT(status.to_string(), HasSubstr("anchor 1 has the score 3.5"));
  EXPECT_THAT(status.hint(), HasSubstr("sigmoid"));
}

TEST(Yolo, empty_outputs_give_nothing) {
  const OutputContract contract = test::output_contract(OutputKind::kYolo, 2);
  EXPECT_THAT(decode(contract, {0}, {1, 6, 0}, test::same_size(10, 10)).value(), IsEmpty());
  Postprocessor postprocessor = Postprocessor::create(contract).value();
  std::vector<float> none(1);
  EXPECT_TRUE(postprocessor.detect(test::view(none, {0, 6, 8400}), {}, {}).ok());
}

TEST(Yolo, worst_cases_end_soon) {
  OutputContract contract = test::output_contract(OutputKind::kYolo, 1);
  contract.score_threshold = 0;
  const std::size_t anchors = 8400;
  std::vector<float> values(5 * anchors, 0.5F);
  for (std::size_t i = 0; i < 2 * anchors; ++i)
    values[i] = 50;
  for (std::size_t i = 2 * anchors; i < 4 * anchors; ++i)
    values[i] = 20;
  EXPECT_THAT(decode(contract, values, {1, 5, 8400}, test::same_size(100, 100)).value(), SizeIs(1)) << "all the same";
  for (std::size_t i = 0; i < anchors; ++i)
    values[i] = static_cast<float>(i);  // neighbours overlap, all scores equal
  contract.nms_iou = 0.99F;
  const auto found = decode(contract, values, {1, 5, 8400}, test::same_size(10000, 100)).value();
  ASSERT_THAT(found, SizeIs(300));
  EXPECT_FLOAT_EQ(found[299].x2, 309) << "equal scores come in the order of the tensor";
}

TEST(End2End, takes_rows_above_the_threshold_best_first) {
  OutputContract contract = test::output_contract(OutputKind::kEnd2End, 3);
  const std::vector<float> values{10, 10, 20, 20, 0.3F, 2,      //
                                  30, 30, 40, 40, 0.9F, 0,      //
                                  30, 30, 40, 40, 0.9F, 1,      // no suppression; equal scores keep their order
                                  0,  0,  0,  0,  0,    -1,     // an empty row may hold any class
                                  1,  1,  2,  2,  0.1F, 7.5F};  //
  const auto found = decode(contract, values, {1, 5, 6}, test::same_size(50, 50)).value();
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[0].class_id, 0);
  EXPECT_EQ(found[1].class_id, 1);
  EXPECT_EQ(found[2].class_id, 2);
  expect_box(found[2], 10, 10, 20, 20);
  contract.max_detections = 1;
  EXPECT_THAT(decode(contract, values, {1, 5, 6}, test::same_size(50, 50)).value(), SizeIs(1));
  EXPECT_THAT(decode(contract, {0}, {1, 0, 6}, test::same_size(50, 50)).value(), IsEmpty());
}

TEST(End2End, refuses_classes_that_do_not_exist) {
  const OutputContract contract = test::output_contract(OutputKind::kEnd2End, 3);
  for (const float class_id : {0.5F, 3.0F, -1.0F, 1e20F}) {
    const Status status =
        decode(contract, {1, 1, 2, 2, 0.9F, 1, 1, 1, 2, 2, 0.9F, class_id}, {1, 2, 6}, test::same_size(9, 9)).status();
    EXPECT_EQ(status.code(), StatusCode::kInferenceError);
    EXPECT_THAT(status.message(), HasSubstr("row 1")) << status.to_string();
  }
  const Status status = decode(contract, {1, 1, kInfinity, 2, 0.1F, 1}, {1, 1, 6}, test::same_size(9, 9)).status();
  EXPECT_EQ(status.code(), StatusCode::kInferenceError) << "infinity below the threshold is still a broken output";
  EXPECT_THAT(status.message(), HasSubstr("[0, 0, 2]"));
}

TEST(Postprocessor, reads_f16) {
  const OutputContract contract = test::output_contract(OutputKind::kYolo, 1);
  // 32, 24, 16, 8 and 0.5 as binary16.
  std::vector<std::uint16_t> halves{0x5000, 0x4E00, 0x4C00, 0x4800, 0x3800};
  Postprocessor postprocessor = Postprocessor::create(contract).value();
  std::vector<std::vector<Detection>> results(1);
  const Geometry geometry = test::same_size(64, 64);
  const TensorView view(halves.data(), DType::kF16, {1, 5, 1});
  ASSERT_TRUE(postprocessor.detect(view, {&geometry, 1}, results).ok());
  expect_box(results[0].at(0), 24, 20, 40, 28);
  halves[4] = 0x7C00;
  EXPECT_EQ(postprocessor.detect(view, {&geometry, 1}, results).code(), StatusCode::kInferenceError);
}

TEST(Postprocessor, all_halves_convert_exactly) {
  std::vector<std::uint16_t> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i)
    halves[i] = static_cast<std::uint16_t>(i);
  std::vector<float> floats(halves.size());
  halves_to_floats(halves.data(), halves.size(), floats.data());
  for (int i = 0; i < 65536; ++i) {
    const int exponent = (i >> 10) & 31, mantissa = i & 1023;
    const float value = floats[static_cast<std::size_t>(i)];
    EXPECT_EQ(std::signbit(value), i >= 32768);
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), mantissa != 0);
      EXPECT_EQ(std::isinf(value), mantissa == 0);
    } else {
      const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
      EXPECT_EQ(std::abs(static_cast<double>(value)), magnitude);
    }
  }
}

TEST(Postprocessor, names_a_tensor_that_is_not_the_contracts) {
  Postprocessor postprocessor = Postprocessor::create(test::output_contract(OutputKind::kYolo, 5)).value();
  std::vector<std::vector<Detection>> results(1);
  const Geometry geometry = test::same_size(64, 64);
  std::vector<float> values(9 * 8 * 2);
  const auto run = [&](const TensorView& view) { return postprocessor.detect(view, {&geometry, 1}, results); };
  for (const Shape& shape : {Shape{1, 8, 9}, Shape{9, 8}, Shape{1, 84, 1}, Shape{}}) {
    const Status status = run(test::view(values, shape));
    EXPECT_EQ(status.code(), StatusCode::kContractError);
    EXPECT_THAT(status.message(), HasSubstr(shape.to_string()));
    EXPECT_THAT(status.message(), HasSubstr("Nx9xA"));
  }
  const Status dtype = run({values.data(), DType::kI32, {1, 9, 8}});
  EXPECT_EQ(dtype.code(), StatusCode::kContractError);
  EXPECT_THAT(dtype.message(), HasSubstr("i32"));
  EXPECT_EQ(run(test::view(values, {2, 9, 8})).code(), StatusCode::kInputError) << "two images, one result";
  EXPECT_EQ(run({values.data(), DType::kF32, {1, 9, 8}, {1, 1, 9}, {}}).code(), StatusCode::kInputError)
      << "transposed";
  EXPECT_EQ(run({values.data(), DType::kF32, {1, 9, 8}, Device{DeviceKind::kCuda, 0}}).code(), StatusCode::kInputError);
  EXPECT_EQ(run(TensorView()).code(), StatusCode::kContractError);
  EXPECT_EQ(postprocessor.detect(test::view(values, {1, 9, 8}), {}, results).code(), StatusCode::kInputError);
  std::vector<Segmentation> masks(1);
  EXPECT_EQ(postprocessor.segment(test::view(values, {1, 9, 8}), {&geometry, 1}, masks).code(),
            StatusCode::kContractError);
}

TEST(Postprocessor, refuses_geometry_that_is_no_map) {
  Postprocessor postprocessor = Postprocessor::create(test::output_contract(OutputKind::kYolo, 1)).value();
  std::vector<std::vector<Detection>> results(1);
  std::vector<float> values(5 * 4);
  const auto status_with = [&](auto change) {
    Geometry geometry = test::same_size(64, 64);
    change(geometry);
    return postprocessor.detect(test::view(values, {1, 5, 4}), {&geometry, 1}, results).code();
  };
  EXPECT_EQ(status_with([](Geometry&) {}), StatusCode::kOk);
  EXPECT_EQ(status_with([](Geometry& g) { g.src_width = 0; }), StatusCode::kInputError);
  EXPECT_EQ(status_with([](Geometry& g) { g.scale_x = 0; }), StatusCode::kInputError);
  EXPECT_EQ(status_with([](Geometry& g) { g.scale_y = NAN; }), StatusCode::kInputError);
  EXPECT_EQ(status_with([](Geometry& g) { g.offset_x = NAN; }), StatusCode::kInputError);
  EXPECT_EQ(status_with([](Geometry& g) { g.inner_width = 65; }), StatusCode::kInputError);
}

TEST(Postprocessor, refuses_contracts_that_cannot_be_used) {
  const auto code_with = [](auto change) {
    OutputContract contract = test::output_contract(OutputKind::kSegmentation, 5);
    change(contract);
    return Postprocessor::create(contract).status().code();
  };
  EXPECT_EQ(code_with([](OutputContract&) {}), StatusCode::kOk);
  EXPECT_EQ(code_with([](OutputContract& c) { c.classes = 0; }), StatusCode::kContractError);
  EXPECT_EQ(code_with([](OutputContract& c) { c.classes = 256; }), StatusCode::kContractError);
  EXPECT_EQ(code_with([](OutputContract& c) { c.score_threshold = NAN; }), StatusCode::kContractError);
  EXPECT_EQ(code_with([](OutputContract& c) { c.nms_iou = 1.5F; }), StatusCode::kContractError);
  EXPECT_EQ(code_with([](OutputContract& c) { c.max_detections = 0; }), StatusCode::kContractError);
}

}  // namespace
}  // namespace tern
