// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "support/postprocess_cases.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <fmt/format.h>

#include "preprocess/cpu/half.h"
#include "tern/postprocess.h"

namespace tern::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  float uniform(float low, float high) { return std::uniform_real_distribution<float>(low, high)(engine_); }
  int whole(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }

 private:
  std::mt19937 engine_;
};

Geometry map_of(ResizeRule rule, int src_width, int src_height, int width, int height) {
  InputContract input;
  input.resize = rule;
  return Geometry::make(input, src_width, src_height, width, height).value();
}

std::vector<std::byte> bytes_of(const std::vector<float>& values, DType dtype) {
  std::vector<std::byte> bytes(values.size() * size_of(dtype));
  if (dtype == DType::kF32) {
    std::memcpy(bytes.data(), values.data(), bytes.size());
  } else {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint16_t half = half_from_float(values[i]);
      std::memcpy(bytes.data() + i * sizeof(half), &half, sizeof(half));
    }
  }
  return bytes;
}

/// An output of a detector as it is made up: an entry an anchor (row), for each image.
struct Boxes {
  std::size_t images = 1, anchors = 0;
  int classes = 1;
  std::vector<float> values;  ///< YOLO's layout

  Boxes(std::size_t count, std::size_t a, int c)
      : images(count), anchors(a), classes(c), values(count * a * static_cast<std::size_t>(c + 4), 0.0F) {}
  float& at(std::size_t image, int row, std::size_t anchor) {
    return values[(image * static_cast<std::size_t>(classes + 4) + static_cast<std::size_t>(row)) * anchors + anchor];
  }
  void set(std::size_t image, std::size_t anchor, float cx, float cy, float w, float h) {
    at(image, 0, anchor) = cx;
    at(image, 1, anchor) = cy;
    at(image, 2, anchor) = w;
    at(image, 3, anchor) = h;
  }
};

struct DetectRules {
  float score = 0.25F, iou = 0.45F;
  bool class_aware = true;
  int most = 300;
  DType dtype = DType::kF32;
};

OutputContract contract_of(OutputKind kind, int classes, const DetectRules& rules) {
  OutputContract contract;
  contract.tensor = "output0";
  contract.kind = kind;
  contract.classes = classes;
  contract.score_threshold = rules.score;
  contract.nms_iou = rules.iou;
  contract.class_aware_nms = rules.class_aware;
  contract.max_detections = rules.most;
  return contract;
}

std::vector<Geometry> some_maps(std::size_t images) {
  const std::vector<Geometry> maps{
      map_of(ResizeRule::kLetterbox, 1920, 1080, 640, 640), map_of(ResizeRule::kCenterCrop, 1280, 720, 640, 640),
      map_of(ResizeRule::kStretch, 333, 777, 640, 640), map_of(ResizeRule::kLetterbox, 1, 3000, 640, 640),
      map_of(ResizeRule::kNone, 640, 640, 640, 640)};
  std::vector<Geometry> chosen;
  for (std::size_t i = 0; i < images; ++i)
    chosen.push_back(maps[i % maps.size()]);
  return chosen;
}

OutputCase yolo_case(std::string name, const Boxes& boxes, const DetectRules& rules) {
  return {std::move(name),
          contract_of(OutputKind::kYolo, boxes.classes, rules),
          Shape{static_cast<std::int64_t>(boxes.images), boxes.classes + 4, static_cast<std::int64_t>(boxes.anchors)},
          rules.dtype,
          bytes_of(boxes.values, rules.dtype),
          some_maps(boxes.images)};
}

/// Boxes anywhere, some out of the image; each anchor over the threshold with `chance`.
Boxes random_boxes(Random& random, std::size_t images, std::size_t anchors, int classes, float chance) {
  Boxes boxes(images, anchors, classes);
  for (std::size_t i = 0; i < images; ++i) {
    for (std::size_t a = 0; a < anchors; ++a) {
      boxes.set(i, a, random.uniform(-50, 690), random.uniform(-50, 690), random.uniform(0, 120),
                random.uniform(0, 120));
      const bool is_high = random.uniform(0, 1) < chance;
      for (int c = 0; c < classes; ++c)
        boxes.at(i, 4 + c, a) = random.uniform(0, is_high ? 1.0F : 0.2F);
    }
  }
  return boxes;
}

/// Everything from a few values, so that scores, boxes and overlaps tie all the time, and areas are often 0 or of negative sides.
Boxes tied_boxes(Random& random, std::size_t images, std::size_t anchors, int classes) {
  Boxes boxes(images, anchors, classes);
  for (std::size_t i = 0; i < images; ++i) {
    for (std::size_t a = 0; a < anchors; ++a) {
      const auto side = [&] { return static_cast<float>(random.whole(-1, 4)) * 20; };
      const auto place = [&] { return static_cast<float>(random.whole(0, 12)) * 20 + 100; };
      boxes.set(i, a, place(), place(), side(), side());
      for (int c = 0; c < classes; ++c)
        boxes.at(i, 4 + c, a) = static_cast<float>(random.whole(0, 4)) * 0.25F;
    }
  }
  return boxes;
}

/// A row of boxes, each overlapping its neighbours alone, best first along the row: what is kept hangs on all before it.
Boxes chain(std::size_t anchors) {
  Boxes boxes(1, anchors, 1);
  for (std::size_t a = 0; a < anchors; ++a) {
    const auto n = static_cast<float>(a);
    boxes.set(0, a, 10 + n * 0.5F, 100, 1, 20);  // neighbours share a third
    boxes.at(0, 4, a) = 0.99F - n * 1e-5F;
  }
  return boxes;
}

/// `objects` boxes, each found by all of its anchors with a shift of a pixel or so.
Boxes crowd(Random& random, std::size_t anchors, std::size_t objects, int classes) {
  Boxes boxes(1, anchors, classes);
  for (std::size_t a = 0; a < anchors; ++a) {
    const auto object = static_cast<float>(a % objects);
    boxes.set(0, a, 30 + std::fmod(object * 97, 580.0F) + random.uniform(-1, 1),
              30 + std::fmod(object * 61, 580.0F) + random.uniform(-1, 1), 40 + random.uniform(-1, 1),
              40 + random.uniform(-1, 1));
    for (int c = 0; c < classes; ++c)
      boxes.at(0, 4 + c, a) = random.uniform(0.3F, 1);
  }
  return boxes;
}

void add_yolo_cases(std::vector<OutputCase>& cases) {
  Random random(1);
  for (const std::size_t anchors : {1U, 31U, 32U, 33U, 63U, 65U, 255U, 256U, 257U, 300U, 511U, 513U, 1100U}) {
    for (const int classes : {1, 2, 7}) {
      const DetectRules rules{.iou = random.uniform(0, 1),
                              .class_aware = random.whole(0, 1) == 1,
                              .most = random.whole(0, 2) == 0 ? random.whole(1, 40) : 300,
                              .dtype = random.whole(0, 2) == 0 ? DType::kF16 : DType::kF32};
      cases.push_back(yolo_case(fmt::format("random, {} anchors of {} classes", anchors, classes),
                                random_boxes(random, 3, anchors, classes, random.uniform(0, 1)), rules));
      cases.push_back(yolo_case(fmt::format("ties, {} anchors of {} classes", anchors, classes),
                                tied_boxes(random, 2, anchors, classes), {.score = 0.2F, .iou = 1.0F / 3}));
    }
  }
  cases.push_back(yolo_case("80 classes", random_boxes(random, 1, 2100, 80, 0.1F), {}));
  cases.push_back(yolo_case("all of 8400 over the threshold", random_boxes(random, 1, 8400, 5, 1), {}));
  cases.push_back(yolo_case("all of 8400, f16", random_boxes(random, 1, 8400, 3, 1), {.dtype = DType::kF16}));
  cases.push_back(yolo_case("a crowd of 50", crowd(random, 4000, 50, 3), {}));
  cases.push_back(yolo_case("a crowd of 400, whatever the class", crowd(random, 3000, 400, 3), {.class_aware = false}));
  cases.push_back(yolo_case("a crowd of 1", crowd(random, 2000, 1, 1), {}));
  cases.push_back(yolo_case("a chain", chain(1200), {.iou = 0.3F}));
  for (const float iou : {0.0F, 0.5F, 1.0F}) {
    cases.push_back(yolo_case(fmt::format("IoU {}", iou), tied_boxes(random, 2, 700, 2), {.score = 0, .iou = iou}));
    cases.push_back(
        yolo_case(fmt::format("IoU {}, random", iou), random_boxes(random, 1, 700, 2, 1), {.score = 0, .iou = iou}));
  }
  cases.push_back(yolo_case("no score is enough", tied_boxes(random, 2, 100, 2), {.score = 1}));
  cases.push_back(yolo_case("one is enough", random_boxes(random, 2, 500, 2, 1), {.most = 1}));
  cases.push_back(yolo_case("as many as can be", random_boxes(random, 1, 3000, 2, 1),
                            {.iou = 1, .most = cuda::DetectPlan::kMostDetections}));
}

void add_faulty_yolo_cases(std::vector<OutputCase>& cases) {
  Random random(2);
  for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
    for (const int row : {0, 3, 4, 6}) {
      Boxes boxes = random_boxes(random, 2, 100, 3, 0.5F);
      const auto anchor = static_cast<std::size_t>(random.whole(0, 99));
      boxes.at(static_cast<std::size_t>(random.whole(0, 1)), row, anchor) = bad;
      cases.push_back(yolo_case(fmt::format("{} in row {}", bad, row), boxes, {}));
    }
  }
  Boxes several = random_boxes(random, 3, 300, 2, 0.5F);
  several.at(2, 0, 7) = kNan;
  several.at(1, 5, 200) = kInfinity;
  several.at(1, 5, 100) = kNan;
  several.at(1, 4, 299) = 5;
  cases.push_back(yolo_case("the first of several faults", several, {}));
  Boxes scores = random_boxes(random, 2, 300, 2, 0.5F);
  scores.at(1, 4, 250) = 1.5F;
  scores.at(1, 5, 33) = 7;
  cases.push_back(yolo_case("scores above 1", scores, {}));
  Boxes rounding = random_boxes(random, 1, 100, 2, 0.5F);
  rounding.at(0, 4, 20) = 1.0009F;
  rounding.at(0, 5, 21) = 1.0002F;
  cases.push_back(yolo_case("scores above 1 by rounding", rounding, {}));
  Boxes logits = random_boxes(random, 1, 100, 2, 0.5F);
  for (float& v : logits.values)
    v = -std::fabs(v);
  cases.push_back(yolo_case("nothing above 0", logits, {.score = 0}));
  Boxes huge = random_boxes(random, 1, 200, 2, 1);
  for (std::size_t a = 0; a < huge.anchors; ++a) {
    for (int row = 0; row < 4; ++row)
      huge.at(0, row, a) = std::ldexp(huge.at(0, row, a), random.whole(-140, 118));
  }
  cases.push_back(yolo_case("coordinates of every size", huge, {}));
}

OutputCase end_to_end_case(std::string name, std::size_t images, std::vector<float> values, int classes,
                           const DetectRules& rules) {
  return {std::move(name),
          contract_of(OutputKind::kEnd2End, classes, rules),
          Shape{static_cast<std::int64_t>(images), static_cast<std::int64_t>(values.size() / images / 6), 6},
          rules.dtype,
          bytes_of(values, rules.dtype),
          some_maps(images)};
}

std::vector<float> random_rows(Random& random, std::size_t rows, int classes, bool ties) {
  std::vector<float> values;
  for (std::size_t i = 0; i < rows; ++i) {
    for (int k = 0; k < 4; ++k)
      values.push_back(random.uniform(-20, 660));
    values.push_back(ties ? static_cast<float>(random.whole(0, 4)) * 0.25F : random.uniform(0, 1));
    values.push_back(static_cast<float>(random.whole(0, classes - 1)));
  }
  return values;
}

void add_end_to_end_cases(std::vector<OutputCase>& cases) {
  Random random(3);
  for (const std::size_t rows : {1U, 31U, 255U, 256U, 257U, 300U, 3000U}) {
    for (const bool ties : {false, true}) {
      const DType dtype = random.whole(0, 1) == 0 ? DType::kF16 : DType::kF32;
      cases.push_back(end_to_end_case(fmt::format("{} rows{}", rows, ties ? " with ties" : ""), 3,
                                      random_rows(random, rows * 3, 7, ties), 7,
                                      {.most = random.whole(0, 1) == 0 ? 300 : 20, .dtype = dtype}));
    }
  }
  const auto with = [&](std::string name, std::size_t row, int column, float value) {
    auto values = random_rows(random, 2 * 100, 3, false);
    for (std::size_t i = 0; i < 200; ++i)
      values[i * 6 + 4] = std::max(values[i * 6 + 4], 0.3F);
    values[row * 6 + static_cast<std::size_t>(column)] = value;
    cases.push_back(end_to_end_case(std::move(name), 2, std::move(values), 3, {}));
  };
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    for (const int column : {0, 4, 5})
      with(fmt::format("{} in column {}", bad, column), 40, column, bad);
  }
  with("a class that is none", 30, 5, 3);
  with("a class below 0", 130, 5, -1);
  with("half a class", 5, 5, 1.5F);
  with("a score above 1", 199, 4, 1.2F);
  auto both = random_rows(random, 50, 3, false);
  both[20 * 6 + 4] = both[10 * 6 + 4] = 0.9F;
  both[10 * 6 + 5] = 9;
  both[20 * 6 + 4] = 2;
  cases.push_back(end_to_end_case("a class that is none before a score above 1", 1, both, 3, {}));
  both[10 * 6 + 4] = 2;
  cases.push_back(end_to_end_case("a class that is none and a score above 1 in one row", 1, both, 3, {}));
}

OutputCase mask_case(std::string name, std::size_t images, Shape shape, const std::vector<float>& values,
                     float threshold, bool to_source, DType dtype, std::vector<Geometry> maps) {
  OutputContract contract;
  contract.tensor = "logits";
  contract.kind = OutputKind::kSegmentation;
  contract.classes = static_cast<int>(shape[1]);
  contract.logits = true;
  contract.score_threshold = threshold;
  contract.return_to_input_size = to_source;
  shape[0] = static_cast<std::int64_t>(images);
  return {std::move(name), contract, shape, dtype, bytes_of(values, dtype), std::move(maps)};
}

std::vector<float> logits_of(Random& random, std::size_t count, bool ties) {
  std::vector<float> values(count);
  for (float& v : values)
    v = ties ? static_cast<float>(random.whole(-2, 2)) : random.uniform(-4, 4);
  return values;
}

}  // namespace

TensorView OutputCase::view() const {
  return {const_cast<std::byte*>(values.data()), dtype, shape};  // NOLINT: never written through
}

std::vector<OutputCase> detect_cases() {
  std::vector<OutputCase> cases;
  add_yolo_cases(cases);
  add_faulty_yolo_cases(cases);
  add_end_to_end_cases(cases);
  return cases;
}

std::vector<OutputCase> segment_cases() {
  std::vector<OutputCase> cases;
  Random random(4);
  const std::vector<std::pair<ResizeRule, std::pair<int, int>>> sources{
      {ResizeRule::kLetterbox, {101, 57}}, {ResizeRule::kLetterbox, {40, 333}},   {ResizeRule::kCenterCrop, {222, 91}},
      {ResizeRule::kCenterCrop, {37, 90}}, {ResizeRule::kStretch, {1, 1}},        {ResizeRule::kStretch, {250, 3}},
      {ResizeRule::kNone, {64, 48}},       {ResizeRule::kLetterbox, {1921, 1081}}};
  for (const int classes : {1, 2, 5, 21}) {
    for (const float threshold : {0.0F, 0.4F, 0.9F}) {
      for (const auto& [rule, source] : sources) {
        // The output may be coarser than the input.
        const int width = random.whole(0, 1) == 0 ? 64 : 17, height = random.whole(0, 1) == 0 ? 48 : 23;
        const bool ties = random.whole(0, 1) == 0, is_half = random.whole(0, 2) == 0;
        const Geometry map = map_of(rule, source.first, source.second, 64, 48);
        const auto count = static_cast<std::size_t>(2 * classes * width * height);
        cases.push_back(mask_case(fmt::format("{} classes, threshold {}, {} of {}x{}", classes, threshold,
                                              to_string(rule), source.first, source.second),
                                  2, Shape{2, classes, height, width}, logits_of(random, count, ties), threshold,
                                  random.whole(0, 4) != 0, is_half ? DType::kF16 : DType::kF32,
                                  {map, map_of(ResizeRule::kStretch, 33, 44, 64, 48)}));
      }
    }
  }
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    auto values = logits_of(random, std::size_t{2} * 3 * 32 * 32, false);
    values[3 * 32 * 32 + 40] = values[5 * 32 * 32 + 7] = bad;
    const Geometry map = map_of(ResizeRule::kStretch, 50, 50, 32, 32);
    cases.push_back(
        mask_case(fmt::format("{}", bad), 2, Shape{2, 3, 32, 32}, values, 0, true, DType::kF32, {map, map}));
  }
  return cases;
}

std::string compare_detections(const OutputCase& test_case, const DetectKernels& kernels) {
  const std::size_t images = test_case.geometry.size();
  std::vector<std::vector<Detection>> expected(images), found(images);
  auto postprocessor = Postprocessor::create(test_case.contract);
  if (!postprocessor.ok()) return postprocessor.status().to_string();
  const Status on_cpu = postprocessor->detect(test_case.view(), test_case.geometry, expected);
  const auto plan = cuda::make_detect_plan(test_case.contract, test_case.shape, test_case.dtype);
  if (!plan.ok()) return plan.status().to_string();
  std::vector<cuda::DetectImage> params;
  for (const Geometry& map : test_case.geometry)
    params.push_back(cuda::make_detect_image(test_case.contract, map));
  const auto results = kernels(*plan, test_case.values.data(), params);
  const Status on_gpu =
      cuda::read_detections(test_case.contract, test_case.shape, *plan, results.data(), images, found);
  if (on_cpu.to_string() != on_gpu.to_string())
    return fmt::format("on the CPU '{}', on the GPU '{}'", on_cpu.to_string(), on_gpu.to_string());
  if (!on_cpu.ok()) return {};
  for (std::size_t i = 0; i < images; ++i) {
    if (expected[i].size() != found[i].size())
      return fmt::format("image {}: {} boxes on the CPU, {} on the GPU", i, expected[i].size(), found[i].size());
    for (std::size_t k = 0; k < found[i].size(); ++k) {
      const Detection &a = expected[i][k], &b = found[i][k];
      if (std::memcmp(&a, &b, sizeof(a)) == 0) continue;
      return fmt::format(
          "image {}, box {}: ({}, {}, {}, {}) {} of class {} on the CPU, ({}, {}, {}, {}) {} of class {} on the GPU", i,
          k, a.x1, a.y1, a.x2, a.y2, a.score, a.class_id, b.x1, b.y1, b.x2, b.y2, b.score, b.class_id);
    }
  }
  return {};
}

std::string compare_masks(const OutputCase& test_case, const SegmentKernels& kernels) {
  const std::size_t images = test_case.geometry.size();
  std::vector<Segmentation> expected(images);
  auto postprocessor = Postprocessor::create(test_case.contract);
  if (!postprocessor.ok()) return postprocessor.status().to_string();
  const Status on_cpu = postprocessor->segment(test_case.view(), test_case.geometry, expected);
  const auto plan = cuda::make_segment_plan(test_case.contract, test_case.shape, test_case.dtype);
  if (!plan.ok()) return plan.status().to_string();
  std::vector<cuda::SegmentImage> params;
  std::vector<cuda::SegmentHeader> headers(images);
  std::vector<std::vector<std::uint8_t>> masks;
  for (const Geometry& map : test_case.geometry) {
    params.push_back(cuda::make_segment_image(test_case.contract, *plan, map, nullptr));
    masks.emplace_back(cuda::mask_bytes(*plan, map));
  }
  kernels(*plan, test_case.values.data(), params, headers, masks);
  Status on_gpu;
  for (std::size_t i = 0; i < images && on_gpu.ok(); ++i)
    on_gpu = cuda::check_segmentation(test_case.contract, test_case.shape, headers[i], i);
  if (on_cpu.to_string() != on_gpu.to_string())
    return fmt::format("on the CPU '{}', on the GPU '{}'", on_cpu.to_string(), on_gpu.to_string());
  if (!on_cpu.ok()) return {};
  for (std::size_t i = 0; i < images; ++i) {
    const auto& wanted = expected[i].classes;
    if (wanted.size() != masks[i].size())
      return fmt::format("image {}: {} pixels on the CPU, {} on the GPU", i, wanted.size(), masks[i].size());
    std::size_t others = 0;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      if (wanted[k] == masks[i][k]) continue;
      const bool may_be = test_case.contract.score_threshold > 0 &&
                          (wanted[k] == Segmentation::kBackground || masks[i][k] == Segmentation::kBackground);
      if (may_be && ++others <= wanted.size() / 10'000) continue;
      return fmt::format("image {}, pixel {}: class {} on the CPU, {} on the GPU", i, k, wanted[k], masks[i][k]);
    }
  }
  return {};
}

}  // namespace tern::test
