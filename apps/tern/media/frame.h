// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "tern/image.h"

namespace tern {

/// One picture of an image file or a video. Cheap to copy.
struct Frame {
  std::filesystem::path source;
  std::int64_t index = 0;        ///< within its video; 0 for an image
  std::optional<double> time_s;  ///< since the start of its video
  ImageView view;
  std::shared_ptr<const void> pixels;  ///< keeps what `view` points at
};

}  // namespace tern
