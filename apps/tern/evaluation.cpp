// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "evaluation.h"

#include <functional>

#include "base/error.h"
#include "media/image_file.h"
#include "tern/eval.h"

namespace tern {
namespace {

using Table = std::vector<std::vector<std::string>>;

EvalReport report_of(const DetectionScores& scores) {
  Table table{{"class", "objects", "AP", "AP50", "AP75"}};
  for (const auto& row : scores.per_class) {
    table.push_back({row.name, std::to_string(row.objects), percent(row.ap), percent(row.ap50), percent(row.ap75)});
  }
  return {"AP", scores.ap, scores.to_json(),
          fmt::format("AP {}, AP50 {}, AP75 {}", percent(scores.ap), percent(scores.ap50), percent(scores.ap75)),
          table};
}

EvalReport report_of(const SegmentationScores& scores) {
  Table table{{"class", "pixels", "IoU"}};
  for (const auto& row : scores.per_class)
    table.push_back({row.name, std::to_string(row.pixels), percent(row.iou)});
  return {"mIoU", scores.miou, scores.to_json(), "mIoU " + percent(scores.miou), table};
}

EvalReport report_of(const ClassificationScores& scores) {
  Table table{{"class", "images", "correct", "top-1"}};
  for (const auto& row : scores.per_class) {
    table.push_back({row.name, std::to_string(row.images), std::to_string(row.correct), percent(row.top1)});
  }
  return {"top-1", scores.top1, scores.to_json(),
          fmt::format("top-1 {} ({} of {})", percent(scores.top1), scores.correct, scores.images), table};
}

/// Calls `score` with the index of each sample in turn, under a progress bar, until a failure or a stop.
Status for_each_sample(std::size_t count, const Environment& environment, const Console& console,
                       const std::function<Status(std::size_t)>& score) {
  ProgressBar bar(console);
  for (std::size_t i = 0; i < count; ++i) {
    if (environment.stop.stop_requested()) return {StatusCode::kCancelled, "stopped before all images were scored"};
    bar.update(static_cast<double>(i) / static_cast<double>(count), fmt::format("image {} of {}", i + 1, count));
    TERN_RETURN_IF_ERROR(score(i));
  }
  return {};
}

/// The report, with what ran.
EvalReport finish(const VisionTask& task, std::size_t images, EvalReport report) {
  report.backend = task.last_run().backend;
  report.engine = task.last_run().engine_id;
  report.precision = task.last_run().precision;
  report.images = images;
  return report;
}

Result<EvalReport> detect(const EvalRequest& request, const Contract& contract, const Environment& environment,
                          const Console& console) {
  TaskOptions options = request.options;
  // The usual settings of the benchmark, unless the user asked for others.
  if (!request.keeps_score) options.overrides["output.score_threshold"] = "0.001";
  if (!request.keeps_iou) options.overrides["output.nms_iou"] = "0.65";
  options.overrides.emplace("output.max_detections", "300");
  TERN_ASSIGN_OR_RETURN(const auto samples, read_detection_set(request.data, contract.output.names));
  TERN_ASSIGN_OR_RETURN(Detector detector, Detector::open(request.model, options));
  DetectionEvaluator evaluator(contract.output.names,
                               static_cast<std::size_t>(detector.contract().output.max_detections));
  TERN_RETURN_IF_ERROR(for_each_sample(samples.size(), environment, console, [&](std::size_t i) -> Status {
    const DetectionSample& sample = samples[i];
    TERN_ASSIGN_OR_RETURN(const cv::Mat pixels, read_image(sample.image));
    if (pixels.cols != sample.width || pixels.rows != sample.height) {
      return make_error(StatusCode::kInputError, "the image has {}x{} pixels; its label says {}x{}", pixels.cols,
                        pixels.rows, sample.width, sample.height)
          .at(sample.image.string());
    }
    const auto found = detector.detect(view_of(pixels));
    if (!found.ok()) return found.status().at(sample.image.string());
    return evaluator.add(sample.boxes, *found).at(sample.image.string());
  }));
  return finish(detector, samples.size(), report_of(evaluator.scores()));
}

Result<EvalReport> segment(const EvalRequest& request, const Contract& contract, const Environment& environment,
                           const Console& console) {
  TERN_ASSIGN_OR_RETURN(const auto samples, read_segmentation_set(request.data));
  TERN_ASSIGN_OR_RETURN(Segmenter segmenter, Segmenter::open(request.model, request.options));
  SegmentationEvaluator evaluator(contract.output.names);
  TERN_RETURN_IF_ERROR(for_each_sample(samples.size(), environment, console, [&](std::size_t i) -> Status {
    const SegmentationSample& sample = samples[i];
    TERN_ASSIGN_OR_RETURN(const cv::Mat pixels, read_image(sample.image));
    TERN_ASSIGN_OR_RETURN(const cv::Mat mask, read_image(sample.mask));
    if (mask.channels() != 1)
      return Status(StatusCode::kInputError, "the mask is not a grey image of class indices").at(sample.mask.string());
    const auto found = segmenter.segment(view_of(pixels));
    if (!found.ok()) return found.status().at(sample.image.string());
    const std::span<const std::uint8_t> truth(mask.ptr<std::uint8_t>(), mask.total());
    return evaluator.add(truth, mask.cols, mask.rows, *found).at(sample.mask.string());
  }));
  return finish(segmenter, samples.size(), report_of(evaluator.scores()));
}

Result<EvalReport> classify(const EvalRequest& request, const Contract& contract, const Environment& environment,
                            const Console& console) {
  TERN_ASSIGN_OR_RETURN(const auto samples, read_classification_set(request.data, contract.output.names));
  TERN_ASSIGN_OR_RETURN(Classifier classifier, Classifier::open(request.model, request.options));
  ClassificationEvaluator evaluator(contract.output.names);
  TERN_RETURN_IF_ERROR(for_each_sample(samples.size(), environment, console, [&](std::size_t i) -> Status {
    const ClassificationSample& sample = samples[i];
    TERN_ASSIGN_OR_RETURN(const cv::Mat pixels, read_image(sample.image));
    cv::Mat region;
    if (sample.region && contract.input.mask_channel) {
      TERN_ASSIGN_OR_RETURN(region, read_image(*sample.region));
    }
    const ImageView mask = region.empty() ? ImageView() : view_of(region);
    const auto found = classifier.classify(view_of(pixels), region.empty() ? nullptr : &mask);
    if (!found.ok()) return found.status().at(sample.image.string());
    return evaluator.add(sample.class_id, found->class_id).at(sample.image.string());
  }));
  return finish(classifier, samples.size(), report_of(evaluator.scores()));
}

}  // namespace

std::string percent(const std::optional<double>& score) {
  return score ? fmt::format("{:.1f}%", 100 * *score) : "-";
}

Result<EvalReport> evaluate(const EvalRequest& request, const Contract& contract, const Environment& environment,
                            const Console& console) {
  switch (contract.task) {
    case Task::kDetect:
      return detect(request, contract, environment, console);
    case Task::kSegment:
      return segment(request, contract, environment, console);
    case Task::kClassify:
      return classify(request, contract, environment, console);
  }
  return make_error(StatusCode::kInternalError, "task {}", static_cast<int>(contract.task));
}

}  // namespace tern
