// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/picture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "draw.h"
#include "result_json.h"

namespace tern {
namespace {

// What was found on one frame, in pixels of the picture.
class Drawing {
 public:
  Drawing(const FrameResult& result, cv::Mat& bgr)
      : bgr_(bgr),
        scale_x_(static_cast<float>(bgr.cols) / static_cast<float>(result.frame.view.width)),
        scale_y_(static_cast<float>(bgr.rows) / static_cast<float>(result.frame.view.height)) {}

  void add(const ModelResult& found, const PipelineModelInfo& model) {
    for (std::size_t i = 0; i < found.crop_count; ++i)
      add(found.crops[i], model);
    switch (model.task) {
      case Task::kDetect:
        add(found.detections, model);
        break;
      case Task::kSegment:
        draw_mask(found.segmentation, model);
        break;
      case Task::kClassify:
        if (found.classification.probabilities.empty()) break;  // it works on crops
        notes_.push_back({fmt::format("{}: {}", model.name, text_of(found.classification, model)),
                          class_color(found.classification.class_id)});
        break;
    }
  }

  // On top of the masks, which are drawn as they come.
  void finish() {
    draw_boxes(bgr_, boxes_);
    draw_notes(bgr_, notes_);
  }

 private:
  static std::string text_of(const Classification& classification, const PipelineModelInfo& model) {
    const auto id = static_cast<std::size_t>(classification.class_id);
    const double probability = id < classification.probabilities.size() ? classification.probabilities[id] : 0;
    return fmt::format("{} {:.0f}%", class_name(classification.class_id, model.classes), 100 * probability);
  }

  void add(const std::vector<Detection>& detections, const PipelineModelInfo& model) {
    for (const Detection& d : detections) {
      boxes_.push_back({d.x1 * scale_x_, d.y1 * scale_y_, d.x2 * scale_x_, d.y2 * scale_y_,
                        fmt::format("{} {:.2f}", class_name(d.class_id, model.classes), d.score),
                        class_color(d.class_id)});
    }
  }

  void add(const CropResult& crop, const PipelineModelInfo& model) {
    if (model.task == Task::kDetect) return add(crop.detections, model);
    if (crop.classification.probabilities.empty()) return;
    boxes_.push_back({static_cast<float>(crop.x) * scale_x_, static_cast<float>(crop.y) * scale_y_,
                      static_cast<float>(crop.x + crop.width) * scale_x_,
                      static_cast<float>(crop.y + crop.height) * scale_y_, text_of(crop.classification, model),
                      class_color(crop.classification.class_id)});
  }

  void draw_mask(const Segmentation& found, const PipelineModelInfo& model) {
    if (found.width <= 0 || found.height <= 0) return;
    if (found.width == bgr_.cols && found.height == bgr_.rows) return draw_segmentation(bgr_, found, model.classes);
    Segmentation fitted;
    fitted.width = bgr_.cols;
    fitted.height = bgr_.rows;
    fitted.classes.resize(bgr_.total());
    const cv::Mat from(
        found.height, found.width, CV_8UC1,
        const_cast<std::uint8_t*>(found.classes.data()));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    cv::Mat to(fitted.height, fitted.width, CV_8UC1, fitted.classes.data());
    cv::resize(from, to, to.size(), 0, 0, cv::INTER_NEAREST);
    draw_segmentation(bgr_, fitted, model.classes);
  }

  cv::Mat& bgr_;
  float scale_x_, scale_y_;
  std::vector<DrawnBox> boxes_;  // those drawn first lie on top
  std::vector<DrawnNote> notes_;
};

}  // namespace

Status draw_result(const FrameResult& result, const std::vector<PipelineModelInfo>& models, int max_width,
                   BgrConverter& converter, cv::Mat& bgr) {
  const ImageView& view = result.frame.view;
  TERN_RETURN_IF_ERROR(view.validate());
  if (view.device.kind != DeviceKind::kCpu) {
    return make_error(StatusCode::kInputError, "a frame in the memory of a GPU cannot be drawn on");
  }
  cv::Size size(view.width, view.height);
  if (max_width > 0 && size.width > max_width) {
    size.height = std::max(1, static_cast<int>(std::lround(1.0 * size.height * max_width / size.width)));
    size.width = max_width;
  }
  TERN_RETURN_IF_ERROR(converter.convert(view, size, bgr));
  Drawing drawing(result, bgr);
  for (std::size_t i = 0; i < std::min(models.size(), result.models.size()); ++i) {
    if (result.models[i].is_done) drawing.add(result.models[i], models[i]);
  }
  drawing.finish();
  return {};
}

}  // namespace tern
