// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/golden_compare.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "preprocess/cpu/half.h"

namespace tern {
namespace {

/// Detections that overlap less are different objects.
constexpr double kPairIou = 0.5;

template <typename T>
void convert(const TensorView& tensor, std::vector<float>& out, auto&& to_float) {
  const std::span<T> values = tensor.as<T>();
  out.resize(values.size());
  std::ranges::transform(values, out.begin(), to_float);
}

/// For each detection its partner's index in the other list, or none.
std::vector<std::optional<std::size_t>> pair_up(std::span<const Detection> reference,
                                                std::span<const Detection> found) {
  std::vector<std::size_t> order(reference.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return reference[a].score > reference[b].score; });
  std::vector<std::optional<std::size_t>> partners(reference.size());
  std::vector<bool> is_taken(found.size());
  for (const std::size_t i : order) {
    double best = kPairIou;
    for (std::size_t k = 0; k < found.size(); ++k) {
      if (is_taken[k] || found[k].class_id != reference[i].class_id) continue;
      const double iou = box_iou(reference[i], found[k]);
      if (iou >= best) {
        best = iou;
        partners[i] = k;
      }
    }
    if (partners[i]) is_taken[*partners[i]] = true;
  }
  return partners;
}

}  // namespace

bool is_float(DType dtype) noexcept {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF64;
}

std::span<const float> as_floats(const TensorView& tensor, std::vector<float>& scratch) {
  const DType dtype = tensor.dtype();
  if (dtype == DType::kF32) return tensor.as<const float>();
  if (dtype == DType::kF16) {
    convert<std::uint16_t>(tensor, scratch, float_from_half);
  } else if (dtype == DType::kBF16) {
    convert<std::uint16_t>(tensor, scratch,
                           [](std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); });
  } else {
    convert<double>(tensor, scratch, [](double value) { return static_cast<float>(value); });
  }
  return scratch;
}

bool is_finite(const TensorView& tensor) {
  if (!is_float(tensor.dtype())) return true;
  std::vector<float> scratch;
  return std::ranges::all_of(as_floats(tensor, scratch), [](float v) { return std::isfinite(v); });
}

FloatDistance distance(std::span<const float> found, std::span<const float> reference) noexcept {
  // Independent sums, so that one addition need not wait for the other. NaN and infinity end up in the sums.
  constexpr std::size_t kLanes = 4;
  std::array<double, kLanes> dot{}, found_square{}, reference_square{};
  std::array<float, kLanes> difference{}, largest{};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t lane = i % kLanes;
    const double a = found[i], b = reference[i];
    dot[lane] += a * b;
    found_square[lane] += a * a;
    reference_square[lane] += b * b;
    difference[lane] = std::max(difference[lane], std::fabs(found[i] - reference[i]));
    largest[lane] = std::max(largest[lane], std::fabs(reference[i]));
  }
  const auto sum = [](const std::array<double, kLanes>& lanes) {
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  };
  const double norms = std::sqrt(sum(found_square)) * std::sqrt(sum(reference_square));
  FloatDistance result;
  result.absolute = *std::ranges::max_element(difference);
  const double scale = *std::ranges::max_element(largest);
  if (!std::isfinite(norms)) {  // an f32 squared does not overflow a double
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan, nan};
  }
  if (result.absolute > 0)
    result.relative = scale > 0 ? result.absolute / scale : std::numeric_limits<double>::infinity();
  if (norms > 0) {
    result.cosine = sum(dot) / norms;
  } else {
    result.cosine = sum(found_square) == sum(reference_square) ? 1 : 0;
  }
  return result;
}

float best_score(const TensorView& end2end) {
  constexpr std::size_t kColumns = 6, kScore = 4;
  std::vector<float> scratch;
  const std::span<const float> rows = as_floats(end2end, scratch);
  float best = 0;
  for (std::size_t at = kScore; at < rows.size(); at += kColumns)
    best = std::max(best, rows[at]);
  return best;
}

double part_equal(const TensorView& found, const TensorView& reference) noexcept {
  const std::size_t count = reference.elements(), size = size_of(reference.dtype());
  if (count == 0) return 1;
  const auto *a = static_cast<const std::byte*>(found.data()), *b = static_cast<const std::byte*>(reference.data());
  std::size_t equal = 0;
  for (std::size_t i = 0; i < count; ++i)
    equal += std::memcmp(a + i * size, b + i * size, size) == 0 ? 1U : 0U;
  return static_cast<double>(equal) / static_cast<double>(count);
}

double box_iou(const Detection& a, const Detection& b) noexcept {
  const auto area = [](double width, double height) { return std::max(width, 0.0) * std::max(height, 0.0); };
  const double overlap =
      area(double{std::min(a.x2, b.x2)} - std::max(a.x1, b.x1), double{std::min(a.y2, b.y2)} - std::max(a.y1, b.y1));
  const double either =
      area(double{a.x2} - a.x1, double{a.y2} - a.y1) + area(double{b.x2} - b.x1, double{b.y2} - b.y1) - overlap;
  return either > 0 ? overlap / either : 0;
}

BoxAgreement compare_boxes(std::span<const Detection> found, std::span<const Detection> reference, double edge,
                           const GoldenTolerance& tolerance) {
  const auto is_sure = [&](const Detection& d) { return d.score > edge + tolerance.max_score_difference; };
  const std::vector<std::optional<std::size_t>> partners = pair_up(reference, found);
  BoxAgreement agreement;
  std::vector<bool> is_paired(found.size());
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (!partners[i]) {
      agreement.reference += is_sure(reference[i]) ? 1U : 0U;
      agreement.missing += is_sure(reference[i]) ? 1U : 0U;
      continue;
    }
    const Detection& partner = found[*partners[i]];
    is_paired[*partners[i]] = true;
    const double iou = box_iou(reference[i], partner);
    const double difference = std::fabs(double{reference[i].score} - partner.score);
    ++agreement.reference;
    ++agreement.found;
    if (!(iou >= tolerance.min_box_iou && difference <= tolerance.max_score_difference)) ++agreement.missing;
    agreement.lowest_iou = std::min(agreement.lowest_iou, iou);
    agreement.largest_score_difference = std::max(agreement.largest_score_difference, difference);
  }
  for (std::size_t k = 0; k < found.size(); ++k) {
    if (is_paired[k] || !is_sure(found[k])) continue;
    ++agreement.found;
    ++agreement.extra;
  }
  return agreement;
}

Result<GoldenDecoder> GoldenDecoder::create(const Contract& contract) {
  Contract at_source = contract;
  at_source.output.return_to_input_size = true;  // the size that labels have
  TERN_ASSIGN_OR_RETURN(Postprocessor postprocessor, Postprocessor::create(at_source.output));
  return GoldenDecoder(std::move(at_source), std::move(postprocessor));
}

Result<GoldenDecoder> GoldenDecoder::with_threshold(float threshold) const {
  Contract other = contract_;
  other.output.score_threshold = threshold;
  return create(other);
}

Result<Geometry> GoldenDecoder::geometry_of(const GoldenFrame& frame) const {
  const auto input = std::ranges::find(frame.inputs, contract_.input.tensor, &GoldenTensor::name);
  if (input == frame.inputs.end() || input->tensor.shape().rank() != 4) {
    return make_error(StatusCode::kGoldenCheckError, "the frame has no image input '{}', which the contract names",
                      contract_.input.tensor);
  }
  const Shape& shape = input->tensor.shape();
  const bool is_nchw = contract_.input.layout == TensorLayout::kNchw;
  const std::int64_t height = shape[is_nchw ? 2 : 1], width = shape[is_nchw ? 3 : 2];
  if (height > ImageView::kMaxSide || width > ImageView::kMaxSide)
    return make_error(StatusCode::kGoldenCheckError, "the frame's input is {}x{}", width, height);
  const int dst_width = static_cast<int>(width), dst_height = static_cast<int>(height);
  return Geometry::make(contract_.input, frame.width > 0 ? frame.width : dst_width,
                        frame.height > 0 ? frame.height : dst_height, dst_width, dst_height);
}

Status GoldenDecoder::decode(const GoldenFrame& frame, const TensorView& output, DecodedFrame& decoded) {
  TERN_ASSIGN_OR_RETURN(const Geometry geometry, geometry_of(frame));
  TensorView view = output;
  if (output.dtype() == DType::kBF16 || output.dtype() == DType::kF64) {
    const std::span<const float> floats = as_floats(output, scratch_);
    view = TensorView(const_cast<float*>(floats.data()), DType::kF32, output.shape());
  }
  switch (contract_.output.kind) {
    case OutputKind::kYolo:
    case OutputKind::kEnd2End: {
      std::vector<std::vector<Detection>> boxes(1);
      TERN_RETURN_IF_ERROR(postprocessor_.detect(view, {&geometry, 1}, boxes));
      decoded.boxes = std::move(boxes.front());
      return {};
    }
    case OutputKind::kSegmentation:
      return postprocessor_.segment(view, {&geometry, 1}, {&decoded.mask, 1});
    case OutputKind::kClassification:
      return postprocessor_.classify(view, {&decoded.classes, 1});
  }
  return {};
}

bool GoldenDecoder::finds_something(const DecodedFrame& decoded) const noexcept {
  switch (contract_.output.kind) {
    case OutputKind::kYolo:
    case OutputKind::kEnd2End:
      return !decoded.boxes.empty();
    case OutputKind::kSegmentation:
      return std::ranges::any_of(decoded.mask.classes, [](std::uint8_t id) { return id != Segmentation::kBackground; });
    case OutputKind::kClassification:
      return true;
  }
  return false;
}

}  // namespace tern
