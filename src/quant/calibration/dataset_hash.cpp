// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "tern/passport.h"

namespace tern {

Status DatasetHash::add_file(const std::filesystem::path& path) {
  TERN_ASSIGN_OR_RETURN(const std::string digest, sha256_of_file(path));
  digests_.push_back(digest);
  return {};
}

Status DatasetHash::add_part(const std::filesystem::path& path, std::string_view what) {
  if (path != last_path_ || last_digest_.empty()) {
    TERN_ASSIGN_OR_RETURN(last_digest_, sha256_of_file(path));
    last_path_ = path;
  }
  const std::string line = fmt::format("{} {}\n", last_digest_, what);
  digests_.push_back(to_hex(Sha256::of(std::as_bytes(std::span(line)))));
  return {};
}

Result<std::string> DatasetHash::finish() const {
  if (digests_.empty()) {
    return Status(StatusCode::kCalibrationCacheError, "the data set is empty")
        .with_hint("calibration needs images like those that the model will see, 32 or more");
  }
  std::vector<std::string> sorted = digests_;
  std::ranges::sort(sorted);
  if (sorted.size() > 1 && sorted.front() == sorted.back()) {
    return make_error(StatusCode::kInputError, "all {} files of the data set hold the same bytes", sorted.size())
        .with_hint("calibration needs images like those that the model will see, 32 or more");
  }
  Sha256 hash;
  for (const std::string& digest : sorted)
    hash.update(digest + "\n");
  hash.update(fmt::format("{}\n", sorted.size()));
  return to_hex(hash.finish());
}

}  // namespace tern
