// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "tern/eval.h"

namespace tern {
namespace {

constexpr std::size_t kValues = 256;  // of a mask's byte

}  // namespace

SegmentationEvaluator::SegmentationEvaluator(std::vector<std::string> class_names)
    : names_(std::move(class_names)), pixels_(kValues * kValues, 0) {}

Status SegmentationEvaluator::add(std::span<const std::uint8_t> truth, int width, int height,
                                  const Segmentation& found) {
  const auto pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  if (width <= 0 || height <= 0 || truth.size() != pixels)
    return make_error(StatusCode::kInputError, "a label mask of {}x{} has {} pixels", width, height, truth.size());
  if (found.width != width || found.height != height || found.classes.size() != pixels) {
    return make_error(StatusCode::kInputError, "the result has {}x{} pixels, the label mask {}x{}", found.width,
                      found.height, width, height)
        .with_hint("label masks have the size of their image");
  }
  const auto is_class = [&](std::uint8_t v) { return v < names_.size(); };
  for (std::size_t i = 0; i < pixels; ++i) {
    const bool is_truth_ok = is_class(truth[i]) || truth[i] == kIgnored;
    if (is_truth_ok && (is_class(found.classes[i]) || found.classes[i] == Segmentation::kBackground)) continue;
    const auto column = static_cast<std::size_t>(width);
    return make_error(StatusCode::kInputError, "pixel ({}, {}) of the {} is {}; there are {} classes", i % column,
                      i / column, is_truth_ok ? "result" : "label mask", is_truth_ok ? found.classes[i] : truth[i],
                      names_.size())
        .with_hint("masks hold class indices, and 255 for none");
  }
  for (std::size_t i = 0; i < pixels; ++i)
    ++pixels_[truth[i] * kValues + found.classes[i]];
  ++images_;
  return {};
}

SegmentationScores SegmentationEvaluator::scores() const {
  SegmentationScores scores;
  scores.images = images_;
  double sum = 0;
  std::size_t scored = 0;
  for (std::size_t c = 0; c < names_.size(); ++c) {
    std::int64_t labelled = 0, given = 0;
    for (std::size_t other = 0; other < kValues; ++other) {
      labelled += pixels_[c * kValues + other];
      if (other != kIgnored) given += pixels_[other * kValues + c];
    }
    const std::int64_t both = pixels_[c * kValues + c];
    SegmentationScores::PerClass& of_class = scores.per_class.emplace_back();
    of_class.name = names_[c];
    of_class.pixels = labelled;
    if (labelled + given == 0) continue;
    of_class.iou = static_cast<double>(both) / static_cast<double>(labelled + given - both);
    sum += *of_class.iou;
    ++scored;
  }
  if (scored > 0) scores.miou = sum / static_cast<double>(scored);
  return scores;
}

}  // namespace tern
