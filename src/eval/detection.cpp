// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "tern/eval.h"

namespace tern {
namespace {

constexpr std::size_t kThresholds = DetectionEvaluator::kThresholds;
constexpr std::size_t kRecalls = 101;

/// Sample i of `count` from `first` to `last`, rounded as NumPy's linspace rounds it: on equal thresholds depends
/// whether a detection with exactly that IoU is correct.
double linspace(double first, double last, std::size_t count, std::size_t i) {
  if (i + 1 == count) return last;
  return static_cast<double>(i) * ((last - first) / static_cast<double>(count - 1)) + first;
}

double iou_threshold(std::size_t t) {
  return linspace(0.5, 0.95, kThresholds, t);
}

/// With a crowd, any detection inside of it overlaps wholly.
double overlap(const LabelledBox& truth, const LabelledBox& found) {
  const double w = std::min(found.x + found.width, truth.x + truth.width) - std::max(found.x, truth.x);
  const double h = std::min(found.y + found.height, truth.y + truth.height) - std::max(found.y, truth.y);
  if (w <= 0 || h <= 0) return 0;
  const double shared = w * h;
  const double found_area = found.width * found.height;
  return shared / (truth.is_crowd ? found_area : found_area + truth.width * truth.height - shared);
}

/// Precision at each of the 101 recalls, averaged.
template <typename Judged>
double average_precision(const std::vector<Judged>& best_first, std::size_t objects, std::size_t threshold) {
  std::vector<double> recall, precision;
  std::size_t correct = 0, wrong = 0;
  for (const Judged& d : best_first) {
    if ((d.ignored >> threshold & 1) == 0) ++((d.correct >> threshold & 1) != 0 ? correct : wrong);
    // An ignored detection repeats the point before it, which changes nothing.
    recall.push_back(static_cast<double>(correct) / static_cast<double>(objects));
    precision.push_back(correct == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(correct + wrong));
  }
  for (std::size_t i = precision.size(); i-- > 1;)
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  double sum = 0;
  for (std::size_t r = 0; r < kRecalls; ++r) {
    const auto at = std::ranges::lower_bound(recall, linspace(0, 1, kRecalls, r));
    if (at != recall.end()) sum += precision[static_cast<std::size_t>(at - recall.begin())];
  }
  return sum / static_cast<double>(kRecalls);
}

Status check(std::span<const LabelledBox> truth, std::span<const Detection> found, std::size_t classes) {
  const auto class_ok = [&](int id) { return id >= 0 && static_cast<std::size_t>(id) < classes; };
  for (const LabelledBox& b : truth) {
    if (!class_ok(b.class_id))
      return make_error(StatusCode::kInputError, "a label has the class {} of {}", b.class_id, classes);
    if (!(std::isfinite(b.x) && std::isfinite(b.y) && std::isfinite(b.width) && std::isfinite(b.height)) ||
        b.width < 0 || b.height < 0) {
      return make_error(StatusCode::kInputError, "a label has the box [{}, {}, {}, {}]", b.x, b.y, b.width, b.height);
    }
  }
  for (const Detection& d : found) {
    if (!class_ok(d.class_id))
      return make_error(StatusCode::kInputError, "a detection has the class {} of {}", d.class_id, classes);
    for (const float v : {d.x1, d.y1, d.x2, d.y2, d.score}) {
      if (!std::isfinite(v)) return make_error(StatusCode::kInputError, "a detection has the number {}", v);
    }
  }
  return {};
}

}  // namespace

DetectionEvaluator::DetectionEvaluator(std::vector<std::string> class_names, std::size_t max_detections)
    : names_(std::move(class_names)), classes_(names_.size()), max_detections_(max_detections) {}

Status DetectionEvaluator::add(std::span<const LabelledBox> truth, std::span<const Detection> found) {
  TERN_RETURN_IF_ERROR(check(truth, found, names_.size()));
  ++images_;
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    const auto is_of_class = [&](const auto& box) { return static_cast<std::size_t>(box.class_id) == c; };
    std::vector<LabelledBox> labels;
    std::ranges::copy_if(truth, std::back_inserter(labels), is_of_class);
    std::vector<Detection> detections;
    std::ranges::copy_if(found, std::back_inserter(detections), is_of_class);
    std::ranges::stable_sort(detections, std::ranges::greater(), &Detection::score);
    detections.resize(std::min(detections.size(), max_detections_));
    // Crowds last: they are only matched by what matches no single object.
    std::ranges::stable_partition(labels, [](const LabelledBox& b) { return !b.is_crowd; });
    judge(labels, detections, classes_[c]);
  }
  return {};
}

void DetectionEvaluator::judge(std::span<const LabelledBox> truth, std::span<const Detection> found,
                               OfClass& of_class) const {
  of_class.objects += static_cast<std::size_t>(std::ranges::count(truth, false, &LabelledBox::is_crowd));
  std::vector<std::uint16_t> is_taken(truth.size(), 0);  // a bit for each threshold
  for (const Detection& d : found) {
    const LabelledBox box{d.x1, d.y1, static_cast<double>(d.x2) - static_cast<double>(d.x1),
                          static_cast<double>(d.y2) - static_cast<double>(d.y1)};
    std::vector<double> overlaps;
    for (const LabelledBox& label : truth)
      overlaps.push_back(overlap(label, box));
    Judged judged{d.score, 0, 0};
    for (std::size_t t = 0; t < kThresholds; ++t) {
      const auto bit = static_cast<std::uint16_t>(1U << t);
      double best = std::min(iou_threshold(t), 1 - 1e-10);
      const LabelledBox* match = nullptr;
      for (std::size_t g = 0; g < truth.size(); ++g) {
        if ((is_taken[g] & bit) != 0 && !truth[g].is_crowd) continue;
        if (match != nullptr && !match->is_crowd && truth[g].is_crowd) break;
        if (overlaps[g] < best) continue;  // of equal overlaps the last wins
        best = overlaps[g];
        match = &truth[g];
      }
      if (match == nullptr) continue;
      is_taken[static_cast<std::size_t>(match - truth.data())] |= bit;
      (match->is_crowd ? judged.ignored : judged.correct) |= bit;
    }
    of_class.found.push_back(judged);
  }
}

DetectionScores DetectionEvaluator::scores() const {
  DetectionScores scores;
  scores.images = images_;
  double ap = 0, ap50 = 0, ap75 = 0;
  std::size_t scored = 0;
  for (std::size_t c = 0; c < names_.size(); ++c) {
    DetectionScores::PerClass& of_class = scores.per_class.emplace_back();
    of_class.name = names_[c];
    of_class.objects = classes_[c].objects;
    if (of_class.objects == 0) continue;
    std::vector<Judged> best_first = classes_[c].found;
    std::ranges::stable_sort(best_first, std::ranges::greater(), &Judged::score);
    std::array<double, kThresholds> at{};
    for (std::size_t t = 0; t < kThresholds; ++t)
      at[t] = average_precision(best_first, of_class.objects, t);
    of_class.ap = std::accumulate(at.begin(), at.end(), 0.0) / static_cast<double>(kThresholds);
    of_class.ap50 = at[0];
    of_class.ap75 = at[5];
    ap += *of_class.ap;
    ap50 += *of_class.ap50;
    ap75 += *of_class.ap75;
    ++scored;
  }
  if (scored > 0) {
    scores.ap = ap / static_cast<double>(scored);
    scores.ap50 = ap50 / static_cast<double>(scored);
    scores.ap75 = ap75 / static_cast<double>(scored);
  }
  return scores;
}

}  // namespace tern
