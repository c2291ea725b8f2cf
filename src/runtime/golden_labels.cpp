// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/golden_labels.h"

#include <algorithm>

namespace tern {
namespace {

constexpr std::int64_t kEnoughObjects = 3;
constexpr std::int64_t kEnoughPixels = 256;

}  // namespace

void LabelScore::add(const GoldenFrame& frame, const DecodedFrame& decoded, OutputKind kind) {
  switch (kind) {
    case OutputKind::kYolo:
    case OutputKind::kEnd2End:
      if (frame.boxes) add_boxes(*frame.boxes, decoded.boxes);
      return;
    case OutputKind::kSegmentation:
      if (frame.mask) add_mask(*frame.mask, decoded.mask);
      return;
    case OutputKind::kClassification:
      if (frame.class_id) ++counts_[*frame.class_id].taken_for[decoded.classes.class_id];
      measure_ = "images right";
      enough_ = kEnoughObjects;
      return;
  }
}

void LabelScore::add_boxes(const std::vector<Detection>& labels, const std::vector<Detection>& found) {
  measure_ = "boxes found";
  enough_ = kEnoughObjects;
  std::vector<bool> is_taken(found.size());
  for (const Detection& label : labels) {
    // A box of the right class is preferred: models may give a place several classes.
    std::optional<std::size_t> best;
    const auto is_better = [&](std::size_t k) {
      if (!best) return true;
      const bool is_right = found[k].class_id == label.class_id, was_right = found[*best].class_id == label.class_id;
      return is_right != was_right ? is_right : box_iou(label, found[k]) > box_iou(label, found[*best]);
    };
    for (std::size_t k = 0; k < found.size(); ++k) {
      if (!is_taken[k] && box_iou(label, found[k]) >= kGoldenLabelIou && is_better(k)) best = k;
    }
    Counts& counts = counts_[label.class_id];
    if (!best) {
      ++counts.unmatched;
      continue;
    }
    is_taken[*best] = true;
    ++counts.taken_for[found[*best].class_id];
  }
}

void LabelScore::add_mask(const std::vector<std::uint8_t>& labels, const Segmentation& found) {
  constexpr std::size_t kClasses = 256;
  measure_ = "pixels right";
  enough_ = kEnoughPixels;
  std::vector<std::int64_t> pairs(kClasses * kClasses);
  for (std::size_t i = 0; i < std::min(labels.size(), found.classes.size()); ++i)
    ++pairs[labels[i] * kClasses + found.classes[i]];
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::size_t label = i / kClasses, taken_for = i % kClasses;
    if (pairs[i] == 0 || label == Segmentation::kBackground) continue;
    Counts& counts = counts_[static_cast<int>(label)];
    if (taken_for == Segmentation::kBackground) {
      counts.unmatched += pairs[i];
    } else {
      counts.taken_for[static_cast<int>(taken_for)] += pairs[i];
    }
  }
}

std::vector<GoldenReport::Row> LabelScore::rows() const {
  std::int64_t all = 0, right = 0;
  for (const auto& [label, counts] : counts_) {
    all += counts.unmatched;
    for (const auto& [taken_for, count] : counts.taken_for) {
      all += count;
      right += taken_for == label ? count : 0;
    }
  }
  if (all == 0) return {};
  const double part = static_cast<double>(right) / static_cast<double>(all);
  return {{GoldenReport::kAllFrames, "labels", part, kGoldenLabelAgreement, measure_, part >= kGoldenLabelAgreement}};
}

std::optional<int> LabelScore::mostly_taken_for(int label) const {
  const auto counts = counts_.find(label);
  if (counts == counts_.end()) return {};
  std::int64_t all = 0, most = 0;
  int what = 0;
  for (const auto& [taken_for, count] : counts->second.taken_for) {
    all += count;
    if (count > most) {
      most = count;
      what = taken_for;
    }
  }
  if (all < enough_ || most * 2 <= all) return {};
  return what;
}

std::vector<std::pair<int, int>> LabelScore::swapped_classes() const {
  for (const auto& [start, counts] : counts_) {
    std::vector<std::pair<int, int>> path;
    int label = start;
    // A cycle has at most as many steps as there are classes; a path that leads into one elsewhere is found from there.
    for (std::size_t step = 0; step < counts_.size(); ++step) {
      const std::optional<int> next = mostly_taken_for(label);
      if (!next || *next == label) break;
      path.emplace_back(label, *next);
      if (*next == start) return path;
      label = *next;
    }
  }
  return {};
}

}  // namespace tern
