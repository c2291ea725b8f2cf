// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "media/frame.h"
#include "tern/status.h"

namespace tern {

/// Limits on image files and video frames: what they claim is checked before anything is allocated.
inline constexpr std::uint64_t kMaxImageFileBytes = 1ULL << 30;
inline constexpr std::int64_t kMaxImagePixels = 1LL << 28;

/// Tells OpenCV the limits above. Call once, before any image is read.
void limit_image_decoder();

/// An image file as 8-bit BGR or grey pixels (CV_8UC3, CV_8UC1): turned upright by its EXIF orientation, alpha dropped.
///
/// InputError when it is empty, cut short, damaged, too large, or has 16-bit or float channels (scaling them to 8 bits is
/// a decision that belongs to the user); IoError when the file cannot be read. `warnings` gets what the decoder complained
/// about without consequence.
[[nodiscard]] Result<cv::Mat> read_image(const std::filesystem::path& path,
                                         std::vector<std::string>* warnings = nullptr);
/// The same as a frame.
[[nodiscard]] Result<Frame> read_image_frame(const std::filesystem::path& path,
                                             std::vector<std::string>* warnings = nullptr);

/// REQUIRES: CV_8UC3 (BGR) or CV_8UC1.
[[nodiscard]] ImageView view_of(const cv::Mat& pixels) noexcept;

/// Encodes by the extension of `path` and writes it whole or not at all. IoError, also for sides the format cannot hold.
[[nodiscard]] Status write_image(const std::filesystem::path& path, const cv::Mat& pixels);

}  // namespace tern
