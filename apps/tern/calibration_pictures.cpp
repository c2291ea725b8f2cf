// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "calibration_pictures.h"

#include <algorithm>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "media/image_file.h"
#include "media/sources.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

/// One picture: an image file, or a frame of a video.
struct Picture {
  fs::path file;
  fs::path region{};              ///< empty: none
  VideoSamples* video = nullptr;  ///< null: an image
  std::size_t frame = 0;          ///< position in the video's indices()
};

class Pictures final : public CalibrationSource {
 public:
  [[nodiscard]] std::size_t size() const override { return pictures_.size(); }

  [[nodiscard]] Result<CalibrationFrame> read(std::size_t index) override {
    const Picture& picture = pictures_[index];
    if (picture.video != nullptr) {
      TERN_ASSIGN_OR_RETURN(const Frame frame, picture.video->read(picture.frame));
      return CalibrationFrame{
          fmt::format("{}: {}", picture.file.string(), frame_name(picture)), frame.view, {}, frame.pixels};
    }
    auto kept = std::make_shared<std::pair<cv::Mat, cv::Mat>>();
    TERN_ASSIGN_OR_RETURN(kept->first, read_image(picture.file));
    CalibrationFrame frame{picture.file.string(), view_of(kept->first), {}, kept};
    if (!picture.region.empty()) {
      TERN_ASSIGN_OR_RETURN(kept->second, read_image(picture.region));
      frame.region = view_of(kept->second);
    }
    return frame;
  }

  [[nodiscard]] Result<std::string> hash() override {
    DatasetHash hash;
    for (const Picture& picture : pictures_) {
      if (picture.video != nullptr) {
        TERN_RETURN_IF_ERROR(hash.add_part(picture.file, frame_name(picture)));
        continue;
      }
      TERN_RETURN_IF_ERROR(hash.add_file(picture.file));
      if (!picture.region.empty()) TERN_RETURN_IF_ERROR(hash.add_file(picture.region));
    }
    return hash.finish();
  }

  void add_image(const fs::path& file, const fs::path& region) { pictures_.push_back({file, region}); }
  void add_video(VideoSamples samples) {
    VideoSamples& kept = *videos_.emplace_back(std::make_unique<VideoSamples>(std::move(samples)));
    for (std::size_t i = 0; i < kept.indices().size(); ++i)
      pictures_.push_back({kept.path(), {}, &kept, i});
  }
  /// Leaves `count` pictures, spread evenly.
  void thin_out(std::size_t count) {
    if (count >= pictures_.size()) return;
    std::vector<Picture> left;
    for (std::size_t i = 0; i < count; ++i)
      left.push_back(std::move(pictures_[i * pictures_.size() / count]));
    pictures_ = std::move(left);
  }

 private:
  static std::string frame_name(const Picture& picture) {
    return fmt::format("frame {}", picture.video->indices()[picture.frame]);
  }

  std::vector<Picture> pictures_;
  std::vector<std::unique_ptr<VideoSamples>> videos_;
};

/// The images of a data set's folder are in a folder of their own.
std::string images_of(const std::string& word) {
  std::error_code ignored;
  const fs::path inner = fs::path(word) / "images";
  return fs::is_directory(inner, ignored) ? inner.string() : word;
}

}  // namespace

void declare_pictures(CLI::App& app, PictureOptions& options, bool required) {
  app.add_option("--images", options.words,
                 "Pictures like those that the model will see: files, folders, patterns or videos; 32 or more")
      ->required(required)
      ->type_name("PATH...")
      ->group("Calibration");
  app.add_option(
         "--frames", options.count,
         fmt::format("Take at most so many pictures, spread evenly (default: all images, {} frames of each video)",
                     PictureOptions::kVideoFrames))
      ->check(CLI::Range(1, 100'000))
      ->group("Calibration");
  app.add_option("--sampling", options.sampling, "Frames of a video: even (in time) or scene (in what changes)")
      ->capture_default_str()
      ->group("Calibration");
}

Result<std::unique_ptr<CalibrationSource>> open_pictures(const PictureOptions& options, const Contract& contract) {
  const auto sampling = parse_sampling(options.sampling);
  if (!sampling.ok()) return sampling.status().at("--sampling");
  std::vector<std::string> words;
  for (const std::string& word : options.words)
    words.push_back(images_of(word));
  TERN_ASSIGN_OR_RETURN(const std::vector<Source> sources, find_sources(words, contract.input.mask_channel));
  auto pictures = std::make_unique<Pictures>();
  for (const Source& source : sources) {
    if (source.kind == Source::Kind::kImage) {
      pictures->add_image(source.path, contract.input.mask_channel ? region_file_of(source.path) : fs::path());
      continue;
    }
    if (contract.input.mask_channel) {
      return Status(StatusCode::kInputError, "the model takes a region mask beside each image; a video has none")
          .at(source.path.string());
    }
    const auto count = static_cast<std::size_t>(options.count.value_or(PictureOptions::kVideoFrames));
    TERN_ASSIGN_OR_RETURN(VideoSamples samples, VideoSamples::choose(source.path, count, *sampling));
    pictures->add_video(std::move(samples));
  }
  if (options.count) pictures->thin_out(static_cast<std::size_t>(*options.count));
  return std::unique_ptr<CalibrationSource>(std::move(pictures));
}

}  // namespace tern
