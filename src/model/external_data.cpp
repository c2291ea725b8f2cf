// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/external_data.h"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "base/error.h"
#include "model/text.h"

namespace tern {
namespace {

constexpr std::string_view kMoveHint = "keep the weights in a file beside the model, in the same folder";

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

struct Reference {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

Result<std::uint64_t> parse_number(std::string_view key, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return make_error(StatusCode::kModelError, "the external data's {} is {}, not a number of bytes", key,
                      in_quotes(text));
  }
  return value;
}

Result<Reference> parse_reference(const onnx::TensorProto& tensor) {
  Reference reference;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") {
      reference.location = entry.value();
    } else if (entry.key() == "offset") {
      TERN_ASSIGN_OR_RETURN(reference.offset, parse_number("offset", entry.value()));
    } else if (entry.key() == "length") {
      TERN_ASSIGN_OR_RETURN(reference.length, parse_number("length", entry.value()));
    }
  }
  if (reference.location.empty()) {
    return make_error(StatusCode::kModelError, "external data without a location")
        .with_hint("export the model again, with its external data");
  }
  return reference;
}

// The names that lead from the model's folder to the file.
Result<std::vector<std::string>> split_location(const std::string& location) {
  const auto refuse = [&](std::string_view why) {
    return make_error(StatusCode::kModelError, "the external data's location {} {}", in_quotes(location), why)
        .with_hint(kMoveHint);
  };
  if (location.front() == '/') return refuse("is absolute");
  if (location.find('\0') != std::string::npos) return refuse("has a zero byte in it");
  if (location.size() > 4096) return refuse("is too long");
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= location.size();) {
    const std::size_t slash = std::min(location.find('/', at), location.size());
    std::string name = location.substr(at, slash - at);
    at = slash + 1;
    if (name == "..") return refuse("leads out of the model's folder");
    if (!name.empty() && name != ".") names.push_back(std::move(name));
  }
  if (names.empty()) return refuse("is no file");
  return names;
}

Result<Descriptor> open_below(const std::filesystem::path& folder, const std::string& location) {
  TERN_ASSIGN_OR_RETURN(const std::vector<std::string> names, split_location(location));
  Descriptor at(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (std::size_t i = 0; at.get() >= 0 && i < names.size(); ++i) {
    const bool last = i + 1 == names.size();
    // O_NONBLOCK: opening a FIFO must not wait for its writer.
    const int flags = last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
    at = Descriptor(::openat(at.get(), names[i].c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
  }
  if (at.get() >= 0) return at;
  // O_NOFOLLOW says ELOOP on a link, and ENOTDIR where O_DIRECTORY stands beside it.
  if (errno == ELOOP || errno == ENOTDIR) {
    return make_error(StatusCode::kModelError, "the external data {} is reached through a symbolic link or a file",
                      in_quotes(location))
        .with_hint("put the file itself beside the model: tern does not follow links that a model names");
  }
  return make_error(StatusCode::kModelError, "cannot open the external data {}: {}", in_quotes(location),
                    std::generic_category().message(errno))
      .with_hint("the model's weights lie in a file of their own: copy it beside the model, under that name");
}

Status read_exactly(int fd, std::uint64_t offset, std::uint64_t bytes, std::string& into) {
  into.resize(static_cast<std::size_t>(bytes));
  for (std::uint64_t done = 0; done < bytes;) {
    const ssize_t got =
        ::pread(fd, into.data() + done, static_cast<std::size_t>(bytes - done), static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return make_error(StatusCode::kModelError, "cannot read the external data: {}",
                        std::generic_category().message(errno));
    }
    if (got == 0) return make_error(StatusCode::kModelError, "the external data became shorter while it was read");
    done += static_cast<std::uint64_t>(got);
  }
  return {};
}

}  // namespace

Status ExternalData::admit(std::uint64_t bytes, std::uint64_t file_bytes, std::pair<std::uint64_t, std::uint64_t> id) {
  if (files_.insert(id).second) files_total_ += file_bytes;
  total_ += bytes;
  if (total_ > limits_.max_external_bytes) {
    return make_error(StatusCode::kModelError, "the external data has more than {} bytes", limits_.max_external_bytes)
        .with_hint("the limit is ModelLimits::max_external_bytes");
  }
  // Tied weights may name the same bytes twice; a thousand names for the same bytes are an attack on memory.
  if (total_ > 4 * files_total_) {
    return make_error(StatusCode::kModelError, "the tensors name the same {} bytes of external data over and over",
                      files_total_);
  }
  return {};
}

Status ExternalData::load(onnx::TensorProto& tensor, std::uint64_t bytes) {
  TERN_ASSIGN_OR_RETURN(const Reference reference, parse_reference(tensor));
  if (folder_.empty()) {
    return make_error(StatusCode::kModelError, "the weights lie in {}, but the model was read from bytes",
                      in_quotes(reference.location))
        .with_hint("read the model from its file, or give the folder of its external data");
  }
  if (reference.length && *reference.length != bytes) {
    return make_error(StatusCode::kModelError, "the external data has {} bytes, but shape and type need {}",
                      *reference.length, bytes);
  }
  TERN_ASSIGN_OR_RETURN(const Descriptor file, open_below(folder_, reference.location));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return make_error(StatusCode::kModelError, "the external data {} is no regular file", in_quotes(reference.location))
        .with_hint(kMoveHint);
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (reference.offset > size || bytes > size - reference.offset) {
    return make_error(StatusCode::kModelError, "the external data {} has {} bytes; the tensor needs {} from byte {} on",
                      in_quotes(reference.location), size, bytes, reference.offset)
        .with_hint("the file is truncated or belongs to another model: copy it again");
  }
  if (!reference.length && size - reference.offset != bytes) {
    return make_error(StatusCode::kModelError,
                      "the external data {} has {} bytes from byte {} on, but shape and type need {}",
                      in_quotes(reference.location), size - reference.offset, reference.offset, bytes);
  }
  TERN_RETURN_IF_ERROR(admit(bytes, size, {info.st_dev, info.st_ino}));
  TERN_RETURN_IF_ERROR(read_exactly(file.get(), reference.offset, bytes, *tensor.mutable_raw_data()));
  tensor.clear_external_data();
  tensor.clear_data_location();
  return {};
}

}  // namespace tern
