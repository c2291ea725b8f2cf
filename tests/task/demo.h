// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <opencv2/imgcodecs.hpp>

#include "tern/image.h"

namespace tern::test {

inline std::filesystem::path demo_path(const std::string& name) {
  return std::filesystem::path(TERN_SOURCE_DIR) / name;
}

/// A picture of the demo data that keeps its pixels alive.
struct Picture {
  explicit Picture(const std::string& name, int flags = cv::IMREAD_COLOR)
      : pixels(cv::imread(demo_path(name).string(), flags)) {}
  [[nodiscard]] ImageView view() const {
    return ImageView::packed(pixels.data, pixels.cols, pixels.rows,
                             pixels.channels() == 1 ? PixelFormat::kGray : PixelFormat::kBgr,
                             static_cast<std::ptrdiff_t>(pixels.step));
  }
  cv::Mat pixels;
};

}  // namespace tern::test
