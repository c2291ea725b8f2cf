// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <system_error>

#include <opencv2/imgproc.hpp>

#include "draw.h"
#include "frame_commands.h"
#include "media/image_file.h"
#include "media/sources.h"

namespace tern {
namespace {

class ClassifyTask final : public FrameTask {
 public:
  ClassifyTask(Classifier classifier, cv::Mat region)
      : classifier_(std::move(classifier)), common_region_(std::move(region)) {}

  [[nodiscard]] const VisionTask& task() const override { return classifier_; }

  Status run(std::span<const Frame> frames, const WaitOptions& wait) override {
    views_.clear();
    regions_.clear();
    masks_.clear();
    for (const Frame& frame : frames) {
      views_.push_back(frame.view);
      if (!classifier_.contract().input.mask_channel) continue;
      TERN_ASSIGN_OR_RETURN(cv::Mat mask, region_of(frame));
      masks_.push_back(std::move(mask));
      regions_.push_back(view_of(masks_.back()));
    }
    return classifier_.classify(views_, regions_, results_, wait);
  }

  [[nodiscard]] std::string summary(std::size_t i) const override {
    const Classification& result = results_[i];
    const auto id = static_cast<std::size_t>(result.class_id);
    return fmt::format("{} {:.1f}%", class_name(result.class_id, names()), 100 * result.probabilities[id]);
  }

  void add_json(std::size_t i, Json& line) const override { line.update(classification_json(results_[i], names())); }
  void draw(std::size_t i, cv::Mat& bgr) const override {
    draw_classification(bgr, results_[i], names(), i < masks_.size() ? &masks_[i] : nullptr);
  }

 private:
  [[nodiscard]] const std::vector<std::string>& names() const { return classifier_.contract().output.names; }

  // --region, or NAME-region.png beside NAME.jpg.
  Result<cv::Mat> region_of(const Frame& frame) {
    cv::Mat mask = common_region_;
    std::filesystem::path path = "--region";
    if (mask.empty()) {
      path = region_file_of(frame.source);
      std::error_code ignored;
      if (!std::filesystem::exists(path, ignored)) {
        return make_error(StatusCode::kInputError, "the model asks about a region, and {} does not exist",
                          path.string())
            .with_hint("write the mask there (not 0 = inside), or give one for all pictures with --region");
      }
      TERN_ASSIGN_OR_RETURN(mask, read_image(path));
    }
    if (mask.channels() != 1) {
      return make_error(StatusCode::kInputError, "the region mask is not a grey picture").at(path.string());
    }
    if (mask.cols != frame.view.width || mask.rows != frame.view.height) {
      return make_error(StatusCode::kInputError, "the region mask has {}x{} pixels, its picture {}x{}", mask.cols,
                        mask.rows, frame.view.width, frame.view.height)
          .at(path.string());
    }
    return mask;
  }

  Classifier classifier_;
  cv::Mat common_region_;
  std::vector<ImageView> views_, regions_;
  std::vector<cv::Mat> masks_;
  std::vector<Classification> results_;
};

class ClassifyCommand final : public FrameCommand {
  void declare_more(CLI::App& app) override {
    loop_.skip_regions = true;
    app.add_option(
           "--region", region_,
           "Mask of the region that the model is asked about, for every source (default: NAME-region.png beside "
           "NAME.jpg, for models that take one)")
        ->type_name("FILE")
        ->group("Input");
  }

  Result<std::unique_ptr<FrameTask>> open(const TaskOptions& options) override {
    cv::Mat region;
    if (region_) {
      TERN_ASSIGN_OR_RETURN(region, read_image(*region_));
    }
    TERN_ASSIGN_OR_RETURN(Classifier classifier, Classifier::open(model_, options));
    if (region_ && !classifier.contract().input.mask_channel) {
      return make_error(StatusCode::kConfigError, "--region: the model takes no region mask").at(model_);
    }
    return std::unique_ptr<FrameTask>(std::make_unique<ClassifyTask>(std::move(classifier), std::move(region)));
  }

  std::optional<std::string> region_;
};

}  // namespace

const CommandInfo kClassifyCommand{
    "classify", "Say what images, or marked regions of them, show",
    "  tern classify overhead-obstruction.onnx crops --json -          # crops/000.jpg with crops/000-region.png, ...\n"
    "  tern classify overhead-obstruction.onnx road.mp4 --region lane.png --save lane.mp4",
    make_command<ClassifyCommand>};

}  // namespace tern
