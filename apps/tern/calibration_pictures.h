// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/video_samples.h"
#include "tern/calibration.h"

namespace CLI {
class App;
}

namespace tern {

/// What a command line says of pictures to calibrate with.
struct PictureOptions {
  std::vector<std::string>
      words;  ///< files, folders, patterns, as find_sources() takes them; a data set's folder stands for its images
  std::optional<int> count;  ///< at most so many, spread evenly; of a video kVideoFrames where nothing is said
  std::string sampling = "even";

  static constexpr int kVideoFrames = 64;
};

/// Adds --images, --frames and --sampling.
void declare_pictures(CLI::App& app, PictureOptions& options, bool required);

/// Image files and chosen frames of videos; region masks beside the images for a contract with a mask channel.
[[nodiscard]] Result<std::unique_ptr<CalibrationSource>> open_pictures(const PictureOptions& options,
                                                                       const Contract& contract);

}  // namespace tern
