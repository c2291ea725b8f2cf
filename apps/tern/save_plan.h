// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/sources.h"
#include "tern/status.h"

namespace tern {

/// Where the annotated picture or video of each source goes, in the order of the sources.
///
/// `target` is a file name with a fitting extension, for a single source, or a folder, which is made when missing. In a
/// folder, NAME.png is saved as NAME<suffix>.png, any other image as NAME<suffix>.jpg and a video as NAME<suffix>.mp4.
/// ConfigError when two sources would be saved under one name, when a source would be overwritten, or when `target` does
/// not fit; IoError when the folder cannot be made.
[[nodiscard]] Result<std::vector<std::filesystem::path>> plan_saving(std::span<const Source> sources,
                                                                     const std::string& target,
                                                                     std::string_view suffix);

}  // namespace tern
