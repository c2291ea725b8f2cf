// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <filesystem>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "tern/contract.h"
#include "tern/golden.h"

namespace tern {

/// Images of a folder to prove an engine with; the pixels live as long as the object. A labelled folder (as `tern eval` takes)
/// gives its labels too.
class GoldenFolder {
 public:
  static constexpr std::size_t kMaxImages = 8;  ///< of a larger folder, spread evenly

  /// InputError on a folder without images, on bad labels, and where a model that needs region masks finds none.
  [[nodiscard]] static Result<GoldenFolder> read(const std::filesystem::path& folder, const Contract& contract);
  [[nodiscard]] const std::vector<GoldenImage>& images() const noexcept { return images_; }

 private:
  [[nodiscard]] Status add_detection(const std::filesystem::path& folder, const Contract& contract);
  [[nodiscard]] Status add_segmentation(const std::filesystem::path& folder);
  [[nodiscard]] Status add_classification(const std::filesystem::path& folder, const Contract& contract);
  [[nodiscard]] Status add_plain(const std::filesystem::path& folder, const Contract& contract);
  /// Reads an image (and its region mask) and appends it.
  [[nodiscard]] Result<GoldenImage*> add(const std::filesystem::path& image, const std::filesystem::path& region);

  std::deque<cv::Mat> pixels_;  // views stay valid while it grows
  std::vector<GoldenImage> images_;
};

}  // namespace tern
