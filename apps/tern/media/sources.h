// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tern/status.h"

namespace tern {

/// One file to read pictures from.
struct Source {
  enum class Kind : std::uint8_t { kImage, kVideo };
  std::filesystem::path path;
  Kind kind = Kind::kImage;
};

/// Whether `path` is a region mask by its name: NAME-region.png.
[[nodiscard]] bool is_region_file(const std::filesystem::path& path);
/// NAME-region.png beside NAME.jpg.
[[nodiscard]] std::filesystem::path region_file_of(const std::filesystem::path& image);

/// The files that the words of a command line stand for, in their order. A word is a file, a folder (its image files,
/// sorted by name; folders within are not entered) or a pattern with *, ? or [] (its matches, sorted). Within folders and
/// patterns, region masks are left out when `skip_regions`, and so are files that are neither image nor video by name.
///
/// IoError for a missing file; InputError for a folder without images, a pattern without matches, and "-".
[[nodiscard]] Result<std::vector<Source>> find_sources(std::span<const std::string> words, bool skip_regions);

}  // namespace tern
