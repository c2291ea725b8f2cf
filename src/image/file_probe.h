// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tern/status.h"

namespace tern {

enum class ImageFileKind : std::uint8_t { kUnknown, kJpeg, kPng, kBmp, kWebp, kTiff, kPnm, kOther };
/// "JPEG", "PNG", ...; "unknown".
[[nodiscard]] TERN_API std::string_view to_string(ImageFileKind kind) noexcept;

/// What an encoded image says of itself before anything is decoded.
struct ImageFileInfo {
  ImageFileKind kind = ImageFileKind::kUnknown;
  std::int64_t width = 0, height = 0;  ///< 0 where only the decoder can tell (TIFF, PNM, others)
  int bits = 0;                        ///< bits of a channel; 0 where only the decoder can tell
};

/// The kind, by the first bytes alone. kOther: an image of a kind tern does not look into (OpenEXR, JPEG 2000, HDR, Sun raster). GIFs are videos here.
[[nodiscard]] TERN_API ImageFileKind image_file_kind(std::span<const std::byte> first_bytes) noexcept;

/// Reads the headers of an encoded image. Decoders fill what a damaged file lacks with grey or black pixels and say so at
/// most on standard error, so a JPEG or PNG is also walked to its end mark.
///
/// InputError when the file is empty, ends early (JPEG, PNG, WebP), or has a header that contradicts itself. A file of
/// unknown kind is no error. Looks at each byte once at most.
[[nodiscard]] TERN_API Result<ImageFileInfo> probe_image(std::span<const std::byte> file);

}  // namespace tern
