// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/sources.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <glob.h>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "image/file_probe.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 17> kImageExtensions{".jpg",  ".jpeg", ".jpe",  ".png", ".bmp", ".dib",
                                                            ".webp", ".tif",  ".tiff", ".ppm", ".pgm", ".pbm",
                                                            ".pnm",  ".jp2",  ".exr",  ".hdr", ".ras"};
constexpr std::array<std::string_view, 15> kVideoExtensions{".mp4",  ".m4v", ".mov", ".mkv",  ".webm",
                                                            ".avi",  ".ts",  ".mts", ".m2ts", ".mpg",
                                                            ".mpeg", ".flv", ".wmv", ".h264", ".gif"};

std::string lower_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension;
}

bool has_image_name(const fs::path& path) {
  return std::ranges::count(kImageExtensions, lower_extension(path)) > 0;
}
bool has_video_name(const fs::path& path) {
  return std::ranges::count(kVideoExtensions, lower_extension(path)) > 0;
}

// By content first, since a name can lie; by name where the content is too damaged to tell.
Source::Kind kind_of(const fs::path& path) {
  std::array<char, 64> first{};
  std::ifstream file(path, std::ios::binary);
  file.read(first.data(), first.size());
  const auto bytes = std::as_bytes(std::span(first)).first(static_cast<std::size_t>(file.gcount()));
  const bool image = image_file_kind(bytes) != ImageFileKind::kUnknown || has_image_name(path);
  return image ? Source::Kind::kImage : Source::Kind::kVideo;
}

Result<std::vector<fs::path>> list_folder(const fs::path& folder, bool skip_regions) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    std::error_code ignored;
    if (!has_image_name(path) || path.filename().string().starts_with('.') || !fs::is_regular_file(path, ignored)) {
      continue;
    }
    if (!skip_regions || !is_region_file(path)) files.push_back(path);
  }
  if (error) {
    return make_error(StatusCode::kIoError, "cannot list the folder: {}", error.message()).at(folder.string());
  }
  if (files.empty()) {
    return make_error(StatusCode::kInputError, "the folder has no images")
        .at(folder.string())
        .with_hint("folders within it are not entered; a pattern such as 'folder/*/*.jpg' does");
  }
  std::ranges::sort(files);
  return files;
}

Result<std::vector<fs::path>> match_pattern(const std::string& pattern, bool skip_regions) {
  struct Matches {
    glob_t list{};
    ~Matches() { ::globfree(&list); }
  } matches;
  const int rc = ::glob(pattern.c_str(), 0, nullptr, &matches.list);
  if (rc != 0 && rc != GLOB_NOMATCH) {
    return make_error(StatusCode::kIoError, "the pattern cannot be looked up").at(pattern);
  }
  std::vector<fs::path> files;
  for (std::size_t i = 0; i < matches.list.gl_pathc; ++i) {
    fs::path path = matches.list.gl_pathv[i];
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored) || (!has_image_name(path) && !has_video_name(path))) continue;
    if (!skip_regions || !is_region_file(path)) files.push_back(std::move(path));
  }
  if (files.empty()) {
    return make_error(StatusCode::kInputError, "no image or video matches the pattern").at(pattern);
  }
  return files;
}

}  // namespace

bool is_region_file(const fs::path& path) {
  return path.filename().string().ends_with("-region.png");
}

fs::path region_file_of(const fs::path& image) {
  return image.parent_path() / (image.stem().string() + "-region.png");
}

Result<std::vector<Source>> find_sources(std::span<const std::string> words, bool skip_regions) {
  std::vector<Source> sources;
  for (const std::string& word : words) {
    if (word == "-") {
      return make_error(StatusCode::kInputError, "standard input cannot be a source")
          .with_hint("write the data to a file, and give its name");
    }
    std::error_code error;
    const fs::file_status status = fs::status(word, error);
    std::vector<fs::path> files;
    if (fs::is_directory(status)) {
      TERN_ASSIGN_OR_RETURN(files, list_folder(word, skip_regions));
    } else if (fs::exists(status)) {
      files = {word};
    } else if (word.find_first_of("*?[") != std::string::npos) {
      TERN_ASSIGN_OR_RETURN(files, match_pattern(word, skip_regions));
    } else {
      return make_error(StatusCode::kIoError, "no such file or folder").at(word);
    }
    for (fs::path& path : files) {
      const Source::Kind kind = kind_of(path);
      sources.push_back({std::move(path), kind});
    }
  }
  return sources;
}

}  // namespace tern
