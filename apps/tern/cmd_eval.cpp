// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <functional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "command.h"
#include "media/image_file.h"
#include "options.h"
#include "tern/eval.h"
#include "text_output.h"

namespace tern {
namespace {

std::string percent(const std::optional<double>& score) {
  return score ? fmt::format("{:.1f}%", 100 * *score) : "-";
}

using Table = std::vector<std::vector<std::string>>;

/// Scores of one task, ready to be shown.
struct Report {
  std::string json;      ///< of the evaluator
  std::string headline;  ///< "AP 91.9%, AP50 99.9%, AP75 98.2%"
  Table per_class;
};

Report report_of(const DetectionScores& scores) {
  Table table{{"class", "objects", "AP", "AP50", "AP75"}};
  for (const auto& row : scores.per_class) {
    table.push_back({row.name, std::to_string(row.objects), percent(row.ap), percent(row.ap50), percent(row.ap75)});
  }
  return {scores.to_json(),
          fmt::format("AP {}, AP50 {}, AP75 {}", percent(scores.ap), percent(scores.ap50), percent(scores.ap75)),
          table};
}

Report report_of(const SegmentationScores& scores) {
  Table table{{"class", "pixels", "IoU"}};
  for (const auto& row : scores.per_class)
    table.push_back({row.name, std::to_string(row.pixels), percent(row.iou)});
  return {scores.to_json(), "mIoU " + percent(scores.miou), table};
}

Report report_of(const ClassificationScores& scores) {
  Table table{{"class", "images", "correct", "top-1"}};
  for (const auto& row : scores.per_class) {
    table.push_back({row.name, std::to_string(row.images), std::to_string(row.correct), percent(row.top1)});
  }
  return {scores.to_json(), fmt::format("top-1 {} ({} of {})", percent(scores.top1), scores.correct, scores.images),
          table};
}

class EvalCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("MODEL", model_, "ONNX file")->required();
    app.add_option("--data", data_, "Labelled folder: images/ with instances.json or masks/, or labels.json")
        ->required()
        ->type_name("DIR");
    app.add_option("--json", json_, "Write the scores as JSON to FILE, or - for standard output")->type_name("FILE");
    common_.declare_output(app);
    common_.declare_engine(app);
    common_.declare_contract(app);
    common_.declare_thresholds(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    TERN_ASSIGN_OR_RETURN(TaskOptions options, common_.task_options());
    TERN_ASSIGN_OR_RETURN(const Model model, Model::from_file(model_));
    TERN_ASSIGN_OR_RETURN(const Contract contract, Contract::resolve(model, options.contract_file, options.overrides));
    options.progress = compile_progress(std::make_shared<ProgressBar>(console));
    options.stop = environment.stop;
    const auto start = std::chrono::steady_clock::now();
    switch (contract.task) {
      case Task::kDetect:
        TERN_RETURN_IF_ERROR(detect(contract, options, environment, console));
        break;
      case Task::kSegment:
        TERN_RETURN_IF_ERROR(segment(contract, options, environment, console));
        break;
      case Task::kClassify:
        TERN_RETURN_IF_ERROR(classify(contract, options, environment, console));
        break;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return show(console, seconds.count());
  }

 private:
  /// Calls `score` with the index of each sample in turn, under a progress bar, until a failure or a stop.
  static Status for_each_sample(std::size_t count, const Environment& environment, const Console& console,
                                const std::function<Status(std::size_t)>& score) {
    ProgressBar bar(console);
    for (std::size_t i = 0; i < count; ++i) {
      if (environment.stop.stop_requested()) return {StatusCode::kCancelled, "stopped before all images were scored"};
      bar.update(static_cast<double>(i) / static_cast<double>(count), fmt::format("image {} of {}", i + 1, count));
      TERN_RETURN_IF_ERROR(score(i));
    }
    return {};
  }

  void keep(const VisionTask& task, std::size_t images, Report report) {
    backend_ = task.last_run().backend;
    engine_ = task.last_run().engine_id;
    precision_ = task.last_run().precision;
    images_ = images;
    report_ = std::move(report);
  }

  Status detect(const Contract& contract, TaskOptions options, const Environment& environment, const Console& console) {
    // The usual settings of the benchmark, unless the user asked for others.
    if (!common_.has_score()) options.overrides["output.score_threshold"] = "0.001";
    if (!common_.has_iou()) options.overrides["output.nms_iou"] = "0.65";
    options.overrides.emplace("output.max_detections", "300");
    TERN_ASSIGN_OR_RETURN(const auto samples, read_detection_set(data_, contract.output.names));
    TERN_ASSIGN_OR_RETURN(Detector detector, Detector::open(model_, options));
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
    keep(detector, samples.size(), report_of(evaluator.scores()));
    return {};
  }

  Status segment(const Contract& contract, const TaskOptions& options, const Environment& environment,
                 const Console& console) {
    TERN_ASSIGN_OR_RETURN(const auto samples, read_segmentation_set(data_));
    TERN_ASSIGN_OR_RETURN(Segmenter segmenter, Segmenter::open(model_, options));
    SegmentationEvaluator evaluator(contract.output.names);
    TERN_RETURN_IF_ERROR(for_each_sample(samples.size(), environment, console, [&](std::size_t i) -> Status {
      const SegmentationSample& sample = samples[i];
      TERN_ASSIGN_OR_RETURN(const cv::Mat pixels, read_image(sample.image));
      TERN_ASSIGN_OR_RETURN(const cv::Mat mask, read_image(sample.mask));
      if (mask.channels() != 1)
        return Status(StatusCode::kInputError, "the mask is not a grey image of class indices")
            .at(sample.mask.string());
      const auto found = segmenter.segment(view_of(pixels));
      if (!found.ok()) return found.status().at(sample.image.string());
      const std::span<const std::uint8_t> truth(mask.ptr<std::uint8_t>(), mask.total());
      return evaluator.add(truth, mask.cols, mask.rows, *found).at(sample.mask.string());
    }));
    keep(segmenter, samples.size(), report_of(evaluator.scores()));
    return {};
  }

  Status classify(const Contract& contract, const TaskOptions& options, const Environment& environment,
                  const Console& console) {
    TERN_ASSIGN_OR_RETURN(const auto samples, read_classification_set(data_, contract.output.names));
    TERN_ASSIGN_OR_RETURN(Classifier classifier, Classifier::open(model_, options));
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
    keep(classifier, samples.size(), report_of(evaluator.scores()));
    return {};
  }

  Status show(const Console& console, double seconds) {
    console.print(format_table(report_.per_class));
    console.print(
        fmt::format("{} on {} images ({} in {}, {:.1f} s)", report_.headline, images_, backend_, precision_, seconds));
    if (!json_) return {};
    nlohmann::ordered_json line = nlohmann::ordered_json::parse(report_.json);
    line["model"] = model_;
    line["data"] = data_;
    line["backend"] = backend_;
    line["engine"] = engine_;
    line["precision"] = precision_;
    TERN_ASSIGN_OR_RETURN(TextOutput out, TextOutput::open(*json_));
    TERN_RETURN_IF_ERROR(out.write_line(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
    return out.commit();
  }

  std::string model_, data_;
  std::optional<std::string> json_;
  CommonOptions common_;

  std::string backend_, engine_, precision_;
  std::size_t images_ = 0;
  Report report_;
};

}  // namespace

const CommandInfo kEvalCommand{"eval", "Score a model on labelled data: AP, mIoU or top-1",
                               "  tern eval overhead-detect.onnx --data data/validation\n"
                               "  tern eval overhead-obstruction.onnx --data data/crops --json scores.json",
                               make_command<EvalCommand>};

}  // namespace tern
