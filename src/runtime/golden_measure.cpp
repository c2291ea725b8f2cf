// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/golden_measure.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"

namespace tern {
namespace {

constexpr std::size_t kBoxRows = 4;                    // of a yolo output, before the scores
constexpr std::size_t kColumns = 6, kScoreColumn = 4;  // of an end2end output

double part(std::size_t count, std::size_t of) noexcept {
  return of == 0 ? 0 : static_cast<double>(count) / static_cast<double>(of);
}

/// The scores of an end2end output, highest first, made `count` long with zeros.
std::vector<float> sorted_scores(std::span<const float> rows, std::size_t count) {
  std::vector<float> scores(count);
  for (std::size_t i = 0; i < rows.size() / kColumns; ++i)
    scores[i] = rows[i * kColumns + kScoreColumn];
  std::ranges::sort(scores, std::greater<>());
  return scores;
}

/// The lowest score that a detection of this list can have.
double score_edge(const std::vector<Detection>& boxes, const OutputContract& contract) noexcept {
  const bool is_cut = boxes.size() >= static_cast<std::size_t>(contract.max_detections);
  return is_cut ? std::max(contract.score_threshold, boxes.back().score) : contract.score_threshold;
}

bool has_kind(const OutputContract* contract, OutputKind kind) noexcept {
  return contract != nullptr && contract->kind == kind;
}

}  // namespace

void GoldenMeasure::at_least(const std::string& what, std::string_view measure, double found, double wanted) {
  report_.rows.push_back({frame_, what, found, wanted, std::string(measure), found >= wanted});  // not for NaN
}

void GoldenMeasure::at_most(const std::string& what, std::string_view measure, double found, double wanted) {
  report_.rows.push_back({frame_, what, found, wanted, std::string(measure), found <= wanted});
}

Result<bool> GoldenMeasure::tensor(const std::string& what, const TensorView& found, const TensorView& reference,
                                   const OutputContract* contract) {
  const bool are_floats = is_float(found.dtype());
  const bool is_same_type = are_floats ? is_float(reference.dtype()) : found.dtype() == reference.dtype();
  // How many rows an end-to-end detector gives may depend on the image, and so on the last digits.
  const bool is_end2end = has_kind(contract, OutputKind::kEnd2End);
  const bool is_same_shape = is_end2end || found.shape() == reference.shape();
  if (!is_same_type || !is_same_shape) {
    return make_error(StatusCode::kGoldenCheckError, "the engine gave {} of {}, the reference {} of {}",
                      to_string(found.dtype()), found.shape().to_string(), to_string(reference.dtype()),
                      reference.shape().to_string())
        .at(what);
  }
  if (!are_floats) {
    at_least(what, "values equal", part_equal(found, reference), tolerance_.min_mask_agreement);
    return true;
  }
  const std::span<const float> a = as_floats(found, found_scratch_), b = as_floats(reference, reference_scratch_);
  const auto finite = std::ranges::count_if(a, [](float v) { return std::isfinite(v); });
  if (finite != static_cast<std::ptrdiff_t>(a.size())) {
    at_least(what, "finite values", part(static_cast<std::size_t>(finite), a.size()), 1);
    return false;
  }
  if (is_end2end) {
    // Rows of nearly equal scores may change places, so a row says nothing on its own; the scores are one falling list.
    const std::size_t count = std::max(a.size(), b.size()) / kColumns;
    floats(what + " scores", sorted_scores(a, count), sorted_scores(b, count));
  } else if (has_kind(contract, OutputKind::kYolo) && found.shape().rank() == 3 &&
             found.shape()[1] > static_cast<std::int64_t>(kBoxRows)) {
    // Coordinates go up to the image's side, scores to 1: measured together, the scores would not weigh anything.
    const std::size_t coordinates = a.size() / static_cast<std::size_t>(found.shape()[1]) * kBoxRows;
    floats(what + " boxes", a.first(coordinates), b.first(coordinates));
    floats(what + " scores", a.subspan(coordinates), b.subspan(coordinates));
  } else {
    floats(what, a, b);
  }
  return true;
}

void GoldenMeasure::floats(const std::string& what, std::span<const float> found, std::span<const float> reference) {
  const FloatDistance far = distance(found, reference);
  at_least(what, "cosine", far.cosine, tolerance_.min_cosine);
  at_most(what, "relative error", far.relative, tolerance_.max_relative);
}

void GoldenMeasure::decoded(std::string_view suffix, const DecodedFrame& found, const DecodedFrame& reference,
                            const OutputContract& contract) {
  switch (contract.kind) {
    case OutputKind::kYolo:
    case OutputKind::kEnd2End:
      return boxes(fmt::format("boxes{}", suffix), found, reference, contract);
    case OutputKind::kSegmentation:
      return masks(fmt::format("mask{}", suffix), found.mask, reference.mask);
    case OutputKind::kClassification:
      return classes(fmt::format("class{}", suffix), found.classes, reference.classes);
  }
}

void GoldenMeasure::boxes(const std::string& what, const DecodedFrame& found, const DecodedFrame& reference,
                          const OutputContract& contract) {
  const double edge = std::max(score_edge(found.boxes, contract), score_edge(reference.boxes, contract));
  const BoxAgreement agreement = compare_boxes(found.boxes, reference.boxes, edge, tolerance_);
  at_most(what, "missing", part(agreement.missing, agreement.reference), tolerance_.max_missing);
  at_most(what, "extra", part(agreement.extra, agreement.found), tolerance_.max_missing);
  if (agreement.reference == agreement.missing && agreement.missing == 0) return;
  // How far the pairs are apart. A few may be farther than the tolerance; whether too many are is what "missing" says.
  const bool is_within =
      agreement.missing == 0 || part(agreement.missing, agreement.reference) <= tolerance_.max_missing;
  const double iou = agreement.lowest_iou, difference = agreement.largest_score_difference;
  report_.rows.push_back(
      {frame_, what, iou, tolerance_.min_box_iou, "lowest IoU", is_within || iou >= tolerance_.min_box_iou});
  report_.rows.push_back({frame_, what, difference, tolerance_.max_score_difference, "score difference",
                          is_within || difference <= tolerance_.max_score_difference});
}

void GoldenMeasure::masks(const std::string& what, const Segmentation& found, const Segmentation& reference) {
  std::size_t equal = 0;
  for (std::size_t i = 0; i < std::min(found.classes.size(), reference.classes.size()); ++i)
    equal += found.classes[i] == reference.classes[i] ? 1U : 0U;
  at_least(what, "pixels agreeing", part(equal, reference.classes.size()), tolerance_.min_mask_agreement);
}

void GoldenMeasure::classes(const std::string& what, const Classification& found, const Classification& reference) {
  double difference = 0;
  for (std::size_t i = 0; i < reference.probabilities.size(); ++i)
    difference = std::max(difference, std::fabs(double{found.probabilities[i]} - reference.probabilities[i]));
  at_most(what, "score difference", difference, tolerance_.max_score_difference);
  // Two classes that are as likely may change places.
  const float lead = reference.probabilities[static_cast<std::size_t>(reference.class_id)] -
                     reference.probabilities[static_cast<std::size_t>(found.class_id)];
  const bool is_same = lead <= 2 * tolerance_.max_score_difference;
  report_.rows.push_back(
      {frame_, what, static_cast<double>(found.class_id), static_cast<double>(reference.class_id), "top-1", is_same});
}

}  // namespace tern
