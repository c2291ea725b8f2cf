// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "draw.h"
#include "media/convert.h"

namespace tern {
namespace {

constexpr float kMatchIou = 0.5F;

float iou(const Detection& a, const Detection& b) {
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1), height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const float both = width * height;
  return both / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - both);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// One task opened twice: what a picture gives, compared and drawn.
template <typename Task, typename ResultOf>
class Pair {
 public:
  using Run = std::function<Result<ResultOf>(Task&, const CalibrationFrame&)>;
  using Draw = std::function<void(cv::Mat&, const ResultOf&, const CalibrationFrame&)>;

  static Result<Comparison> compare(Task first, Task second, const Run& run, const Draw& draw,
                                    CalibrationSource& pictures, std::size_t keep, const Environment& environment,
                                    const Console& console) {
    Comparison comparison;
    std::vector<double> first_ms, second_ms;
    BgrConverter converter;
    ProgressBar bar(console);
    const auto milliseconds = [](const Task& task) {
      return std::chrono::duration<double, std::milli>(task.last_run().times.infer).count();
    };
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      if (environment.stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped while comparing");
      bar.update(static_cast<double>(i) / static_cast<double>(pictures.size()),
                 fmt::format("comparing picture {} of {}", i + 1, pictures.size()));
      TERN_ASSIGN_OR_RETURN(const CalibrationFrame frame, pictures.read(i));
      TERN_ASSIGN_OR_RETURN(const ResultOf one, run(first, frame));
      first_ms.push_back(milliseconds(first));
      TERN_ASSIGN_OR_RETURN(const ResultOf other, run(second, frame));
      second_ms.push_back(milliseconds(second));
      const double difference = difference_of(one, other);
      comparison.mean_difference += difference / static_cast<double>(pictures.size());
      if (comparison.worst.size() == keep && (keep == 0 || difference <= comparison.worst.back().difference)) continue;
      TERN_ASSIGN_OR_RETURN(cv::Mat left, converter.convert(frame.image));
      cv::Mat right = left.clone();
      draw(left, one, frame);
      draw(right, other, frame);
      const auto place =
          std::ranges::find_if(comparison.worst, [&](const auto& p) { return p.difference < difference; });
      comparison.worst.insert(place, {frame.name, difference, left, right});
      if (comparison.worst.size() > keep) comparison.worst.pop_back();
    }
    comparison.pictures = pictures.size();
    comparison.first_ms = median(std::move(first_ms));
    comparison.second_ms = median(std::move(second_ms));
    comparison.first_ran = fmt::format("{} {}", first.last_run().backend, first.last_run().precision);
    comparison.second_ran = fmt::format("{} {}", second.last_run().backend, second.last_run().precision);
    return comparison;
  }
};

}  // namespace

double difference_of(std::span<const Detection> truth, std::span<const Detection> found) {
  if (truth.empty() && found.empty()) return 0;
  std::vector<bool> taken(truth.size(), false);
  std::size_t matches = 0;
  for (const Detection& box : found) {
    std::size_t best = truth.size();
    float best_iou = kMatchIou;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      if (taken[i] || truth[i].class_id != box.class_id) continue;
      if (const float overlap = iou(truth[i], box); overlap >= best_iou) best = i, best_iou = overlap;
    }
    if (best == truth.size()) continue;
    taken[best] = true;
    ++matches;
  }
  return 1 - 2.0 * static_cast<double>(matches) / static_cast<double>(truth.size() + found.size());
}

double difference_of(const Segmentation& truth, const Segmentation& found) {
  std::array<std::int64_t, 256> both{}, either{};
  const std::size_t count = std::min(truth.classes.size(), found.classes.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t a = truth.classes[i], b = found.classes[i];
    ++either[a];
    if (a == b) ++both[a];
    if (a != b) ++either[b];
  }
  double sum = 0, classes = 0;
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (either[i] == 0) continue;
    sum += static_cast<double>(both[i]) / static_cast<double>(either[i]);
    ++classes;
  }
  return classes == 0 ? 0 : 1 - sum / classes;
}

double difference_of(const Classification& truth, const Classification& found) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(truth.probabilities.size(), found.probabilities.size()); ++i)
    sum += std::abs(static_cast<double>(truth.probabilities[i]) - static_cast<double>(found.probabilities[i]));
  return std::min(1.0, sum / 2);
}

Result<Comparison> compare_models(const std::filesystem::path& first, const std::filesystem::path& second,
                                  const Contract& contract, const TaskOptions& first_options,
                                  const TaskOptions& second_options, CalibrationSource& pictures,
                                  std::size_t keep_worst, const Environment& environment, const Console& console) {
  const std::vector<std::string>& names = contract.output.names;
  switch (contract.task) {
    case Task::kDetect: {
      TERN_ASSIGN_OR_RETURN(Detector one, Detector::open(first, first_options));
      TERN_ASSIGN_OR_RETURN(Detector other, Detector::open(second, second_options));
      using Boxes = std::vector<Detection>;
      return Pair<Detector, Boxes>::compare(
          std::move(one), std::move(other),
          [](Detector& task, const CalibrationFrame& f) { return task.detect(f.image); },
          [&](cv::Mat& bgr, const Boxes& boxes, const CalibrationFrame&) { draw_detections(bgr, boxes, names); },
          pictures, keep_worst, environment, console);
    }
    case Task::kSegment: {
      TaskOptions at_source[2] = {first_options, second_options};
      for (TaskOptions& options : at_source)
        options.overrides["output.return_to_input_size"] = "true";
      TERN_ASSIGN_OR_RETURN(Segmenter one, Segmenter::open(first, at_source[0]));
      TERN_ASSIGN_OR_RETURN(Segmenter other, Segmenter::open(second, at_source[1]));
      return Pair<Segmenter, Segmentation>::compare(
          std::move(one), std::move(other),
          [](Segmenter& task, const CalibrationFrame& f) { return task.segment(f.image); },
          [&](cv::Mat& bgr, const Segmentation& mask, const CalibrationFrame&) { draw_segmentation(bgr, mask, names); },
          pictures, keep_worst, environment, console);
    }
    case Task::kClassify: {
      TERN_ASSIGN_OR_RETURN(Classifier one, Classifier::open(first, first_options));
      TERN_ASSIGN_OR_RETURN(Classifier other, Classifier::open(second, second_options));
      return Pair<Classifier, Classification>::compare(
          std::move(one), std::move(other),
          [](Classifier& task, const CalibrationFrame& f) {
            return task.classify(f.image, f.region ? &*f.region : nullptr);
          },
          [&](cv::Mat& bgr, const Classification& found, const CalibrationFrame&) {
            draw_classification(bgr, found, names, nullptr);
          },
          pictures, keep_worst, environment, console);
    }
  }
  return make_error(StatusCode::kInternalError, "task {}", static_cast<int>(contract.task));
}

}  // namespace tern
