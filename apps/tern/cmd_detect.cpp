// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "draw.h"
#include "frame_commands.h"

namespace tern {
namespace {

class DetectTask final : public FrameTask {
 public:
  explicit DetectTask(Detector detector) : detector_(std::move(detector)) {}

  [[nodiscard]] const VisionTask& task() const override { return detector_; }

  Status run(std::span<const Frame> frames, const WaitOptions& wait) override {
    views_.clear();
    for (const Frame& frame : frames)
      views_.push_back(frame.view);
    return detector_.detect(views_, results_, wait);
  }

  // "3 car, 1 bus".
  [[nodiscard]] std::string summary(std::size_t i) const override {
    std::map<int, int> counts;
    for (const Detection& detection : results_[i])
      ++counts[detection.class_id];
    std::string text;
    for (const auto& [id, count] : counts)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, class_name(id, names()));
    return text.empty() ? "nothing found" : text;
  }

  void add_json(std::size_t i, Json& line) const override {
    line["detections"] = detections_json(results_[i], names());
  }
  void draw(std::size_t i, cv::Mat& bgr) const override { draw_detections(bgr, results_[i], names()); }

 private:
  [[nodiscard]] const std::vector<std::string>& names() const { return detector_.contract().output.names; }

  Detector detector_;
  std::vector<ImageView> views_;
  std::vector<std::vector<Detection>> results_;
};

class DetectCommand final : public FrameCommand {
  void declare_more(CLI::App& app) override { common_.declare_thresholds(app); }

  Result<std::unique_ptr<FrameTask>> open(const TaskOptions& options) override {
    TERN_ASSIGN_OR_RETURN(Detector detector, Detector::open(model_, options));
    return std::unique_ptr<FrameTask>(std::make_unique<DetectTask>(std::move(detector)));
  }
};

}  // namespace

const CommandInfo kDetectCommand{
    "detect", "Find objects in images and videos",
    "  tern detect overhead-detect.onnx photo.jpg --save out\n"
    "  tern detect overhead-detect.onnx flight.mp4 --save boxes.mp4 --json boxes.jsonl\n"
    "  tern detect overhead-detect.onnx images --score 0.5 --json - --quiet | jq .detections",
    make_command<DetectCommand>};

}  // namespace tern
