// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "timing_cache.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace tern::trt_backend {
namespace {

constexpr std::uint64_t kMaxBytes = 1ULL << 30;

/// Held while it lives. The kernel gives it back when its holder dies.
class FileLock {
 public:
  static Result<FileLock> take(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0) return failed(path);
    FileLock lock(descriptor);
    while (::flock(descriptor, LOCK_EX) != 0) {
      if (errno != EINTR) return failed(path);
    }
    return lock;
  }
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  static Status failed(const std::filesystem::path& path) {
    const std::error_code error(errno, std::generic_category());
    return make_error(StatusCode::kIoError, "the timing cache cannot be locked: {}", error.message()).at(path.string());
  }
  int descriptor_;
};

std::filesystem::path lock_path(const std::filesystem::path& path) {
  return path.string() + ".lock";
}

/// The file's bytes; none when there is no file yet.
Result<std::vector<std::byte>> read_cache(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::vector<std::byte>();
  return read_file(path, kMaxBytes);
}

}  // namespace

Result<TimingCache> TimingCache::open(const std::filesystem::path& path, nvinfer1::IBuilderConfig& config) {
  TimingCache timing(path);
  if (path.empty()) return timing;
  std::vector<std::byte> bytes;
  {
    TERN_ASSIGN_OR_RETURN(const FileLock lock, FileLock::take(lock_path(path)));
    TERN_ASSIGN_OR_RETURN(bytes, read_cache(path));
  }
  timing.cache_.reset(config.createTimingCache(bytes.data(), bytes.size()));
  if (timing.cache_ != nullptr && config.setTimingCache(*timing.cache_, false)) return timing;
  timing.cache_.reset(config.createTimingCache(nullptr, 0));  // of another GPU or version, or damaged
  if (timing.cache_ == nullptr || !config.setTimingCache(*timing.cache_, false))
    return Status(StatusCode::kEngineBuildError, "TensorRT refuses an empty timing cache").at(path.string());
  return timing;
}

Status TimingCache::save(const nvinfer1::IBuilderConfig& config) const {
  const nvinfer1::ITimingCache* measured = config.getTimingCache();
  if (path_.empty() || measured == nullptr) return {};
  TERN_ASSIGN_OR_RETURN(const FileLock lock, FileLock::take(lock_path(path_)));
  TERN_ASSIGN_OR_RETURN(const std::vector<std::byte> now, read_cache(path_));
  std::unique_ptr<nvinfer1::ITimingCache> merged;
  if (!now.empty()) merged.reset(config.createTimingCache(now.data(), now.size()));
  // A refused merge means that the file is of another GPU or version: it is replaced.
  if (merged != nullptr && merged->combine(*measured, false)) measured = merged.get();
  const std::unique_ptr<nvinfer1::IHostMemory> bytes(measured->serialize());
  if (bytes == nullptr) return Status(StatusCode::kEngineBuildError, "TensorRT cannot write its timing cache");
  return write_file(path_, std::span(static_cast<const std::byte*>(bytes->data()), bytes->size()));
}

}  // namespace tern::trt_backend
