// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "eval/labels.h"
#include "tern/eval.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxLabelBytes = std::uint64_t{256} << 20;

bool is_image_name(const fs::path& file) {
  static constexpr std::array<std::string_view, 7> kSuffixes{".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"};
  std::string suffix = file.extension().string();
  std::ranges::transform(suffix, suffix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(kSuffixes, suffix) != kSuffixes.end();
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// Names of the image files right in `folder`, sorted.
Result<std::vector<fs::path>> image_names(const fs::path& folder) {
  std::vector<fs::path> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (is_image_name(it->path()) && is_file(it->path())) names.push_back(it->path().filename());
  }
  if (error) {
    return make_error(StatusCode::kInputError, "the folder cannot be read: {}", error.message()).at(folder.string());
  }
  std::ranges::sort(names);
  return names;
}

Result<std::string> read_labels(const fs::path& file) {
  if (!is_file(file)) {
    return make_error(StatusCode::kInputError, "the labels are missing: there is no such file")
        .at(file.string())
        .with_hint("give the folder of a labelled data set");
  }
  return read_text_file(file, kMaxLabelBytes);
}

Status missing(const fs::path& file, std::string_view what) {
  return make_error(StatusCode::kInputError, "{} is missing", what).at(file.string());
}

/// Every image file right in `folder` must be in `labelled`.
Status check_all_labelled(const fs::path& folder, const std::set<fs::path>& labelled, const fs::path& labels) {
  TERN_ASSIGN_OR_RETURN(const std::vector<fs::path> names, image_names(folder));
  for (const fs::path& name : names) {
    if (!labelled.contains(name)) {
      return make_error(StatusCode::kInputError, "the image has no labels in {}", labels.string())
          .at((folder / name).string());
    }
  }
  return {};
}

}  // namespace

Result<std::vector<DetectionSample>> read_detection_set(const fs::path& folder,
                                                        std::span<const std::string> class_names) {
  const fs::path labels = folder / "instances.json";
  TERN_ASSIGN_OR_RETURN(const std::string text, read_labels(labels));
  auto samples = parse_instances(text, class_names);
  if (!samples.ok()) return samples.status().at(labels.string());
  std::set<fs::path> labelled;
  for (DetectionSample& sample : *samples) {
    labelled.insert(sample.image);
    sample.image = folder / "images" / sample.image;
    if (!is_file(sample.image)) return missing(sample.image, "an image named in instances.json");
  }
  TERN_RETURN_IF_ERROR(check_all_labelled(folder / "images", labelled, labels));
  return samples;
}

Result<std::vector<SegmentationSample>> read_segmentation_set(const fs::path& folder) {
  TERN_ASSIGN_OR_RETURN(const std::vector<fs::path> images, image_names(folder / "images"));
  if (images.empty()) return make_error(StatusCode::kInputError, "there is no image").at((folder / "images").string());
  TERN_ASSIGN_OR_RETURN(const std::vector<fs::path> masks, image_names(folder / "masks"));
  std::map<fs::path, fs::path> image_of;  // by stem
  std::vector<SegmentationSample> samples;
  for (const fs::path& name : images) {
    SegmentationSample sample{folder / "images" / name, folder / "masks" / (name.stem().string() + ".png")};
    const auto [known, is_new] = image_of.emplace(name.stem(), name);
    if (!is_new) {
      return make_error(StatusCode::kInputError, "{} and {} share one mask", known->second.string(), name.string())
          .at((folder / "images").string());
    }
    if (!is_file(sample.mask)) return missing(sample.mask, "the mask of " + name.string());
    samples.push_back(std::move(sample));
  }
  for (const fs::path& name : masks) {
    if (!image_of.contains(name.stem()))
      return make_error(StatusCode::kInputError, "the mask has no image").at((folder / "masks" / name).string());
  }
  return samples;
}

Result<std::vector<ClassificationSample>> read_classification_set(const fs::path& folder,
                                                                  std::span<const std::string> class_names) {
  const fs::path labels = folder / "labels.json";
  TERN_ASSIGN_OR_RETURN(const std::string text, read_labels(labels));
  auto samples = parse_class_labels(text, class_names);
  if (!samples.ok()) return samples.status().at(labels.string());
  std::set<fs::path> labelled;
  for (ClassificationSample& sample : *samples) {
    labelled.insert(sample.image);
    sample.image = folder / sample.image;
    if (!is_file(sample.image)) return missing(sample.image, "an image named in labels.json");
    if (!sample.region) continue;
    labelled.insert(*sample.region);
    sample.region = folder / *sample.region;
    if (!is_file(*sample.region)) return missing(*sample.region, "a region named in labels.json");
  }
  TERN_RETURN_IF_ERROR(check_all_labelled(folder, labelled, labels));
  return samples;
}

}  // namespace tern
