// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "text_output.h"

#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace tern {

Status TextOutput::failed() const {
  const int error = errno;
  const Status status =
      make_error(StatusCode::kIoError, "cannot write: {}", std::generic_category().message(error)).at(name_);
  return error == ENOSPC ? status.with_hint("free some space, or write to another disk") : status;
}

Result<TextOutput> TextOutput::open(const std::string& path) {
  TextOutput output;
  output.name_ = path;
  if (is_stdout(path)) {
    output.name_ = "standard output";
    output.stream_ = {stdout, Close{false}};
    return output;
  }
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status)) {
    return make_error(StatusCode::kIoError, "is a folder, not a file").at(path);
  }
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    output.stream_ = {std::fopen(path.c_str(), "we"), Close{true}};
    if (!output.stream_) return output.failed();
    return output;
  }
  TERN_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  output.file_.emplace(std::move(file));
  return output;
}

Status TextOutput::write(const std::string& path, std::string_view text) {
  TERN_ASSIGN_OR_RETURN(TextOutput output, open(path));
  TERN_RETURN_IF_ERROR(output.write_line(text));
  return output.commit();
}

Status TextOutput::write_line(std::string_view line) {
  if (file_) {
    TERN_RETURN_IF_ERROR(file_->write(line));
    return file_->write("\n");
  }
  // Flushed line by line: a reader at the other end of a pipe acts on each.
  const bool written = std::fwrite(line.data(), 1, line.size(), stream_.get()) == line.size() &&
                       std::fputc('\n', stream_.get()) != EOF && std::fflush(stream_.get()) == 0;
  return written ? Status() : failed();
}

Status TextOutput::commit() {
  if (file_) return file_->commit();
  return std::fflush(stream_.get()) == 0 ? Status() : failed();
}

}  // namespace tern
