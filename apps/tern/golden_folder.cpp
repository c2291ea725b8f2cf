// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "golden_folder.h"

#include <algorithm>

#include "base/error.h"
#include "media/image_file.h"
#include "media/sources.h"
#include "tern/eval.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

/// At most kMaxImages indices of 0..count-1, spread evenly, the first included.
std::vector<std::size_t> spread(std::size_t count) {
  std::vector<std::size_t> indices;
  const std::size_t wanted = std::min(count, GoldenFolder::kMaxImages);
  for (std::size_t i = 0; i < wanted; ++i)
    indices.push_back(i * count / wanted);
  return indices;
}

}  // namespace

Result<GoldenImage*> GoldenFolder::add(const fs::path& image, const fs::path& region) {
  TERN_ASSIGN_OR_RETURN(cv::Mat pixels, read_image(image));
  GoldenImage& added = images_.emplace_back();
  added.image = view_of(pixels_.emplace_back(std::move(pixels)));
  if (!region.empty()) {
    TERN_ASSIGN_OR_RETURN(cv::Mat mask, read_image(region));
    added.region = view_of(pixels_.emplace_back(std::move(mask)));
  }
  return &added;
}

Status GoldenFolder::add_detection(const fs::path& folder, const Contract& contract) {
  TERN_ASSIGN_OR_RETURN(const auto samples, read_detection_set(folder, contract.output.names));
  for (const std::size_t i : spread(samples.size())) {
    TERN_ASSIGN_OR_RETURN(GoldenImage* const added, add(samples[i].image, {}));
    auto& boxes = added->boxes.emplace();
    for (const LabelledBox& box : samples[i].boxes) {
      if (box.is_crowd) continue;
      boxes.push_back({static_cast<float>(box.x), static_cast<float>(box.y), static_cast<float>(box.x + box.width),
                       static_cast<float>(box.y + box.height), 1.0F, box.class_id});
    }
  }
  return {};
}

Status GoldenFolder::add_segmentation(const fs::path& folder) {
  TERN_ASSIGN_OR_RETURN(const auto samples, read_segmentation_set(folder));
  for (const std::size_t i : spread(samples.size())) {
    TERN_ASSIGN_OR_RETURN(GoldenImage* const added, add(samples[i].image, {}));
    TERN_ASSIGN_OR_RETURN(const cv::Mat mask, read_image(samples[i].mask));
    if (mask.channels() != 1 || mask.cols != added->image.width || mask.rows != added->image.height) {
      return Status(StatusCode::kInputError, "the mask is not a grey image of its image's size")
          .at(samples[i].mask.string());
    }
    added->mask.emplace(mask.ptr<std::uint8_t>(), mask.ptr<std::uint8_t>() + mask.total());
  }
  return {};
}

Status GoldenFolder::add_classification(const fs::path& folder, const Contract& contract) {
  TERN_ASSIGN_OR_RETURN(const auto samples, read_classification_set(folder, contract.output.names));
  for (const std::size_t i : spread(samples.size())) {
    const bool with_region = samples[i].region && contract.input.mask_channel;
    TERN_ASSIGN_OR_RETURN(GoldenImage* const added,
                          add(samples[i].image, with_region ? *samples[i].region : fs::path()));
    added->class_id = samples[i].class_id;
  }
  return {};
}

Status GoldenFolder::add_plain(const fs::path& folder, const Contract& contract) {
  const std::string word = folder.string();
  TERN_ASSIGN_OR_RETURN(const std::vector<Source> sources, find_sources({&word, 1}, contract.input.mask_channel));
  std::vector<fs::path> files;
  for (const Source& source : sources) {
    if (source.kind == Source::Kind::kImage) files.push_back(source.path);
  }
  for (const std::size_t i : spread(files.size())) {
    const Result<GoldenImage*> added =
        add(files[i], contract.input.mask_channel ? region_file_of(files[i]) : fs::path());
    TERN_RETURN_IF_ERROR(added.status());
  }
  return {};
}

Result<GoldenFolder> GoldenFolder::read(const fs::path& folder, const Contract& contract) {
  GoldenFolder golden;
  const auto has = [&](const char* name) {
    std::error_code ignored;
    return fs::exists(folder / name, ignored);
  };
  Status status;
  if (contract.task == Task::kDetect && has("instances.json")) {
    status = golden.add_detection(folder, contract);
  } else if (contract.task == Task::kSegment && has("masks")) {
    status = golden.add_segmentation(folder);
  } else if (contract.task == Task::kClassify && has("labels.json")) {
    status = golden.add_classification(folder, contract);
  } else {
    status = golden.add_plain(folder, contract);
  }
  TERN_RETURN_IF_ERROR(status);
  if (golden.images_.empty())
    return Status(StatusCode::kInputError, "holds no images to prove the engine with").at(folder.string());
  return golden;
}

}  // namespace tern
