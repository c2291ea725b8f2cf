// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "save_plan.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <system_error>

#include "base/error.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

bool is_picture_name(const fs::path& path) {
  constexpr std::array<std::string_view, 6> kExtensions{".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif"};
  return std::ranges::count(kExtensions, path.extension().string()) > 0;
}

Result<fs::path> plan_file(std::span<const Source> sources, const fs::path& target) {
  const bool video = target.extension() == ".mp4";
  if (sources.size() != 1) {
    return make_error(StatusCode::kConfigError, "--save {}: one file cannot hold the results of {} sources",
                      target.string(), sources.size())
        .with_hint("give a folder");
  }
  if (video != (sources[0].kind == Source::Kind::kVideo)) {
    return make_error(StatusCode::kConfigError, "--save {}: the source is {}", target.string(),
                      video ? "an image, not a video" : "a video, not an image")
        .with_hint(video ? "give a folder, or a name ending in .jpg or .png"
                         : "give a folder, or a name ending in .mp4");
  }
  return target;
}

Status check_not_a_source(const fs::path& file, std::span<const Source> sources) {
  for (const Source& source : sources) {
    std::error_code ignored;
    if (fs::equivalent(file, source.path, ignored)) {
      return make_error(StatusCode::kConfigError, "--save would overwrite the source {}", source.path.string())
          .with_hint("give another folder");
    }
  }
  return {};
}

}  // namespace

Result<std::vector<fs::path>> plan_saving(std::span<const Source> sources, const std::string& target,
                                          std::string_view suffix) {
  std::error_code error;
  const fs::path path = target;
  const bool is_folder = fs::is_directory(path, error);
  std::vector<fs::path> files;
  if (!is_folder && (path.extension() == ".mp4" || is_picture_name(path))) {
    TERN_ASSIGN_OR_RETURN(fs::path file, plan_file(sources, path));
    files.push_back(std::move(file));
  } else {
    fs::create_directories(path, error);
    if (error) {
      return make_error(StatusCode::kIoError, "cannot make the folder: {}", error.message()).at(target);
    }
    std::map<fs::path, fs::path> taken;
    for (const Source& source : sources) {
      const std::string_view extension = source.kind == Source::Kind::kVideo          ? ".mp4"
                                         : source.path.extension().string() == ".png" ? ".png"
                                                                                      : ".jpg";
      fs::path file = path / fmt::format("{}{}{}", source.path.stem().string(), suffix, extension);
      const auto [it, added] = taken.emplace(file, source.path);
      if (!added) {
        return make_error(StatusCode::kConfigError, "--save: {} and {} would both be saved as {}", it->second.string(),
                          source.path.string(), file.string())
            .with_hint("save them to different folders");
      }
      files.push_back(std::move(file));
    }
  }
  for (const fs::path& file : files) {
    TERN_RETURN_IF_ERROR(check_not_a_source(file, sources));
  }
  return files;
}

}  // namespace tern
