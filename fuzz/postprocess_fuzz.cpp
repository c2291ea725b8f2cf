// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// A contract, a tensor and a geometry from bytes. Whatever comes out lies in the image and is finite.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fuzzer/FuzzedDataProvider.h>
#include <vector>

#include "tern/postprocess.h"

namespace {

using Bytes = FuzzedDataProvider;

void require(bool holds) {
  if (!holds) std::abort();
}

tern::OutputContract contract_of(Bytes& bytes) {
  tern::OutputContract contract;
  contract.tensor = "output";
  contract.kind = static_cast<tern::OutputKind>(bytes.ConsumeIntegralInRange(0, 3));
  contract.classes = bytes.ConsumeIntegralInRange(-1, 300);
  if (bytes.ConsumeBool()) contract.classes = bytes.ConsumeIntegralInRange(1, 5);
  contract.score_threshold = bytes.ConsumeFloatingPointInRange(-0.1F, 1.1F);
  contract.nms_iou = bytes.ConsumeFloatingPointInRange(-0.1F, 1.1F);
  contract.class_aware_nms = bytes.ConsumeBool();
  contract.max_detections = bytes.ConsumeIntegralInRange(0, 50);
  contract.logits = bytes.ConsumeBool();
  contract.return_to_input_size = bytes.ConsumeBool();
  return contract;
}

tern::Geometry geometry_of(Bytes& bytes) {
  const int src_width = bytes.ConsumeIntegralInRange(0, 200), src_height = bytes.ConsumeIntegralInRange(0, 200);
  const int dst_width = bytes.ConsumeIntegralInRange(1, 64), dst_height = bytes.ConsumeIntegralInRange(1, 64);
  if (bytes.ConsumeBool()) {
    tern::InputContract input;
    input.resize = static_cast<tern::ResizeRule>(bytes.ConsumeIntegralInRange(0, 3));
    input.pad_side = static_cast<tern::PadSide>(bytes.ConsumeIntegralInRange(0, 1));
    input.rounding = static_cast<tern::Rounding>(bytes.ConsumeIntegralInRange(0, 2));
    const auto made = tern::Geometry::make(input, src_width, src_height, dst_width, dst_height);
    if (made.ok()) return *made;
  }
  tern::Geometry g{src_width, src_height, dst_width, dst_height};
  for (double* number : {&g.scale_x, &g.scale_y, &g.offset_x, &g.offset_y})
    *number = bytes.ConsumeFloatingPoint<double>();
  for (int* number : {&g.inner_x, &g.inner_y, &g.inner_width, &g.inner_height})
    *number = bytes.ConsumeIntegralInRange(-2, 66);
  return g;
}

/// Mostly shapes of the contract's kind.
tern::Shape shape_of(Bytes& bytes, const tern::OutputContract& contract) {
  const auto side = [&](std::int64_t high) { return bytes.ConsumeIntegralInRange<std::int64_t>(0, high); };
  const std::int64_t classes = contract.classes < 0 ? 1 : contract.classes;
  if (bytes.ConsumeIntegralInRange(0, 9) == 0) return {side(2), side(9), side(9), side(9)};
  switch (contract.kind) {
    case tern::OutputKind::kYolo:
      return {1, 4 + classes, side(70)};
    case tern::OutputKind::kEnd2End:
      return {1, side(70), 6};
    case tern::OutputKind::kSegmentation:
      return {1, classes, side(40), side(40)};
    case tern::OutputKind::kClassification:
      return {1, classes};
  }
  return {};
}

/// The rest of the bytes: small numbers, or (rarely) any bits at all.
std::vector<float> values_of(Bytes& bytes, std::size_t count) {
  const bool is_raw = bytes.ConsumeIntegralInRange(0, 3) == 0;
  const float scale = bytes.ConsumeBool() ? 1 / 255.0F : 1;
  const std::vector<std::uint8_t> rest = bytes.ConsumeRemainingBytes<std::uint8_t>();
  std::vector<float> values(count + 1, 0.0F);
  for (std::size_t i = 0; i < count && !rest.empty(); ++i) {
    values[i] = static_cast<float>(rest[i % rest.size()]) * scale;
    if (is_raw && i * 4 + 4 <= rest.size()) std::memcpy(&values[i], &rest[i * 4], 4);
  }
  return values;
}

void check_boxes(const std::vector<tern::Detection>& found, const tern::OutputContract& contract,
                 const tern::Geometry& g) {
  require(found.size() <= static_cast<std::size_t>(contract.max_detections));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const tern::Detection& d = found[i];
    require(d.x1 >= 0 && d.x1 < d.x2 && d.x2 <= static_cast<float>(g.src_width));
    require(d.y1 >= 0 && d.y1 < d.y2 && d.y2 <= static_cast<float>(g.src_height));
    require(d.score >= 0 && d.score <= 1 && d.class_id >= 0 && d.class_id < contract.classes);
    require(i == 0 || found[i - 1].score >= d.score);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const tern::OutputContract contract = contract_of(bytes);
  auto postprocessor = tern::Postprocessor::create(contract);
  if (!postprocessor.ok()) return 0;
  const tern::Geometry geometry = geometry_of(bytes);
  const tern::Shape shape = shape_of(bytes, contract);
  const bool is_half = bytes.ConsumeBool();
  std::vector<float> values = values_of(bytes, static_cast<std::size_t>(shape.elements().value()));
  const tern::TensorView output(values.data(), is_half ? tern::DType::kF16 : tern::DType::kF32, shape);

  std::vector<std::vector<tern::Detection>> boxes(1);
  if (postprocessor->detect(output, {&geometry, 1}, boxes).ok()) check_boxes(boxes[0], contract, geometry);
  std::vector<tern::Segmentation> masks(1);
  if (postprocessor->segment(output, {&geometry, 1}, masks).ok()) {
    require(masks[0].classes.size() ==
            static_cast<std::size_t>(masks[0].width) * static_cast<std::size_t>(masks[0].height));
    for (const std::uint8_t label : masks[0].classes)
      require(label < contract.classes || label == tern::Segmentation::kBackground);
  }
  std::vector<tern::Classification> classes(1);
  if (postprocessor->classify(output, classes).ok()) {
    require(classes[0].class_id >= 0 && classes[0].class_id < contract.classes);
    for (const float p : classes[0].probabilities)
      require(p >= 0 && p <= 1);
  }
  return 0;
}
