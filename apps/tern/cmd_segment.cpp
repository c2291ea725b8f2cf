// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <opencv2/core.hpp>

#include "draw.h"
#include "frame_commands.h"
#include "media/image_file.h"

namespace tern {
namespace {

class SegmentTask final : public FrameTask {
 public:
  explicit SegmentTask(Segmenter segmenter) : segmenter_(std::move(segmenter)) {}

  [[nodiscard]] const VisionTask& task() const override { return segmenter_; }

  Status run(std::span<const Frame> frames, const WaitOptions& wait) override {
    views_.clear();
    for (const Frame& frame : frames)
      views_.push_back(frame.view);
    return segmenter_.segment(views_, results_, wait);
  }

  // "ground 51.2%, road 20.0%": the largest first.
  [[nodiscard]] std::string summary(std::size_t i) const override {
    const Json json = segmentation_json(results_[i], names());
    std::vector<std::pair<double, std::string>> shares;
    for (const Json& row : json["classes"])
      shares.emplace_back(row["share"].get<double>(), row["label"].get<std::string>());
    if (const double background = json["background"].get<double>(); background > 0) {
      shares.emplace_back(background, "no class");
    }
    std::ranges::sort(shares, std::greater());
    std::string text;
    for (const auto& [share, label] : shares)
      text += fmt::format("{}{} {:.1f}%", text.empty() ? "" : ", ", label, 100 * share);
    return text;
  }

  void add_json(std::size_t i, Json& line) const override {
    line.update(segmentation_json(results_[i], names()));
    line["mask"] = nullptr;
  }
  void draw(std::size_t i, cv::Mat& bgr) const override { draw_segmentation(bgr, results_[i], names()); }
  [[nodiscard]] std::string_view saved_suffix() const override { return ".overlay"; }

  // NAME.mask.png beside NAME.overlay.jpg: the class of each pixel, 255 for none.
  Status save_more(std::size_t i, const std::filesystem::path& saved, Json& line) override {
    Segmentation& result = results_[i];
    std::string stem = saved.stem().string();
    if (stem.ends_with(saved_suffix())) stem.resize(stem.size() - saved_suffix().size());
    const std::filesystem::path path = saved.parent_path() / (stem + ".mask.png");
    line["mask"] = path.string();
    return write_image(path, cv::Mat(result.height, result.width, CV_8UC1, result.classes.data()));
  }

 private:
  [[nodiscard]] const std::vector<std::string>& names() const { return segmenter_.contract().output.names; }

  Segmenter segmenter_;
  std::vector<ImageView> views_;
  std::vector<Segmentation> results_;
};

class SegmentCommand final : public FrameCommand {
  void declare_more(CLI::App& app) override {
    app.add_option("--score", score_, "Pixels less sure than this get no class (255 in masks)")
        ->check(CLI::Range(0.0, 1.0))
        ->type_name("0..1")
        ->group("Contract");
  }

  Result<std::unique_ptr<FrameTask>> open(const TaskOptions& options) override {
    TaskOptions with_score = options;
    if (score_) with_score.overrides.insert_or_assign("output.score_threshold", fmt::format("{}", *score_));
    TERN_ASSIGN_OR_RETURN(Segmenter segmenter, Segmenter::open(model_, with_score));
    if (loop_.save && !segmenter.contract().output.return_to_input_size) {
      return make_error(StatusCode::kConfigError, "--save needs masks of the picture's size")
          .with_hint("--set output.return_to_input_size=true");
    }
    return std::unique_ptr<FrameTask>(std::make_unique<SegmentTask>(std::move(segmenter)));
  }

  std::optional<double> score_;
};

}  // namespace

const CommandInfo kSegmentCommand{
    "segment", "Give every pixel of images and videos a class",
    "  tern segment overhead-segment.onnx photo.jpg --save out   # out/photo.overlay.jpg, out/photo.mask.png\n"
    "  tern segment overhead-segment.onnx flight.mp4 --save classes.mp4 --json shares.jsonl",
    make_command<SegmentCommand>};

}  // namespace tern
