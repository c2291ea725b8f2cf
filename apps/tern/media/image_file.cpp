// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/image_file.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "base/file.h"
#include "image/file_probe.h"
#include "standard_error.h"

namespace tern {
namespace {

// The image libraries under OpenCV report by printing on standard error, and some of what they print is the only sign of a
// damaged picture. While this object lives, descriptor 2 leads into memory, and is nobody else's: neither another picture's nor a line's
// of the program.
class StderrCapture {
 public:
  StderrCapture() : lock_(standard_error_mutex()), memory_(::memfd_create("stderr", MFD_CLOEXEC)) {
    std::fflush(stderr);
    if (memory_ < 0) return;
    saved_ = ::dup(STDERR_FILENO);
    if (saved_ >= 0) ::dup2(memory_, STDERR_FILENO);
  }
  ~StderrCapture() {
    restore();
    if (memory_ >= 0) ::close(memory_);
  }
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;

  /// Ends the capture; what was printed, at most 4 KiB, one element a line.
  [[nodiscard]] std::vector<std::string> lines() {
    restore();
    std::array<char, 4096> text{};
    const ssize_t size = memory_ < 0 ? 0 : ::pread(memory_, text.data(), text.size(), 0);
    std::vector<std::string> lines;
    std::string_view rest(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      if (end > 0) lines.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return lines;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    std::fflush(stderr);
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    saved_ = -1;
  }

  const std::scoped_lock<std::mutex> lock_;
  int memory_;
  int saved_ = -1;
};

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += text.empty() ? line : "\n" + line;
  }
  return text;
}

// What libjpeg prints when it had to make pixels up. Extraneous bytes cost no pixel: cameras write files that have them.
bool is_damage(std::string_view line) noexcept {
  return line.find("Premature end of JPEG") != std::string_view::npos ||
         (line.find("Corrupt JPEG data") != std::string_view::npos &&
          line.find("extraneous bytes before marker") == std::string_view::npos);
}

Status check_size(const ImageFileInfo& info) {
  if (info.width > ImageView::kMaxSide || info.height > ImageView::kMaxSide ||
      info.width * info.height > kMaxImagePixels) {
    return make_error(StatusCode::kInputError, "the image has {}x{} pixels; the limit is {} pixels and {} a side",
                      info.width, info.height, kMaxImagePixels, ImageView::kMaxSide)
        .with_hint("cut it into tiles");
  }
  return {};
}

Status refuse_depth(std::string_view depth) {
  return make_error(StatusCode::kInputError, "the image has {} channels; only 8-bit images are read", depth)
      .with_hint("convert it to 8 bits first, with the scaling that fits your data");
}

Result<cv::Mat> decode(const std::vector<std::byte>& file, ImageFileKind kind, std::vector<std::string>* warnings) {
  cv::Mat pixels;
  std::vector<std::string> printed;
  std::string failure;
  {
    StderrCapture capture;
    try {
      // A header over the bytes; imdecode only reads them.
      const cv::Mat encoded(1, static_cast<int>(file.size()), CV_8UC1,
                            const_cast<std::byte*>(file.data()));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
      pixels = cv::imdecode(encoded, cv::IMREAD_ANYCOLOR | cv::IMREAD_ANYDEPTH);
    } catch (const cv::Exception& e) {
      failure = e.err;
    }
    printed = capture.lines();
  }
  if (!failure.empty()) printed.push_back(failure);
  if (pixels.empty()) {
    if (kind == ImageFileKind::kUnknown) {
      return make_error(StatusCode::kInputError, "not an image of a known format")
          .with_hint("JPEG, PNG, BMP, WebP, TIFF and PNM are read");
    }
    return make_error(StatusCode::kInputError, "the {} file cannot be decoded: it is damaged or of a rare variant",
                      to_string(kind))
        .with_cause(joined(printed));
  }
  if (kind == ImageFileKind::kJpeg && std::ranges::any_of(printed, is_damage)) {
    return make_error(StatusCode::kInputError, "the JPEG file is damaged: part of the picture is wrong")
        .with_cause(joined(printed));
  }
  if (warnings != nullptr) warnings->insert(warnings->end(), printed.begin(), printed.end());
  return pixels;
}

Result<cv::Mat> read_checked(const std::filesystem::path& path, std::vector<std::string>* warnings) {
  TERN_ASSIGN_OR_RETURN(const std::vector<std::byte> file, read_file(path, kMaxImageFileBytes));
  TERN_ASSIGN_OR_RETURN(const ImageFileInfo info, probe_image(file));
  TERN_RETURN_IF_ERROR(check_size(info));
  if (info.bits > 8) return refuse_depth(fmt::format("{}-bit", info.bits));
  TERN_ASSIGN_OR_RETURN(cv::Mat pixels, decode(file, info.kind, warnings));
  if (pixels.depth() != CV_8U) {
    return refuse_depth(pixels.depth() == CV_16U || pixels.depth() == CV_16S ? "16-bit" : "32-bit or float");
  }
  TERN_RETURN_IF_ERROR(check_size({info.kind, pixels.cols, pixels.rows, 8}));
  if (pixels.channels() == 4) cv::cvtColor(pixels, pixels, cv::COLOR_BGRA2BGR);
  return pixels;
}

}  // namespace

void limit_image_decoder() {
  ::setenv("OPENCV_IO_MAX_IMAGE_PIXELS", std::to_string(kMaxImagePixels).c_str(), 1);
  ::setenv("OPENCV_IO_MAX_IMAGE_WIDTH", std::to_string(ImageView::kMaxSide).c_str(), 1);
  ::setenv("OPENCV_IO_MAX_IMAGE_HEIGHT", std::to_string(ImageView::kMaxSide).c_str(), 1);
}

Result<cv::Mat> read_image(const std::filesystem::path& path, std::vector<std::string>* warnings) {
  Result<cv::Mat> pixels = read_checked(path, warnings);
  if (pixels.ok() || pixels.status().code() == StatusCode::kIoError) return pixels;
  return pixels.status().where().empty() ? pixels.status().at(path.string()) : pixels.status();
}

Result<Frame> read_image_frame(const std::filesystem::path& path, std::vector<std::string>* warnings) {
  TERN_ASSIGN_OR_RETURN(cv::Mat pixels, read_image(path, warnings));
  Frame frame;
  frame.source = path;
  frame.view = view_of(pixels);
  frame.pixels = std::make_shared<const cv::Mat>(std::move(pixels));
  return frame;
}

ImageView view_of(const cv::Mat& pixels) noexcept {
  return ImageView::packed(pixels.data, pixels.cols, pixels.rows,
                           pixels.channels() == 1 ? PixelFormat::kGray : PixelFormat::kBgr,
                           static_cast<std::ptrdiff_t>(pixels.step[0]));
}

Status write_image(const std::filesystem::path& path, const cv::Mat& pixels) {
  std::vector<std::uint8_t> encoded;
  std::vector<std::string> printed;
  bool done = false;
  {
    StderrCapture capture;
    try {
      done = cv::imencode(path.extension().string(), pixels, encoded);
    } catch (const cv::Exception& e) {
      printed.push_back(e.err);
    }
    const std::vector<std::string> lines = capture.lines();
    printed.insert(printed.begin(), lines.begin(), lines.end());
  }
  if (!done) {
    return make_error(StatusCode::kIoError, "a picture of {}x{} pixels cannot be written in this format", pixels.cols,
                      pixels.rows)
        .at(path.string())
        .with_cause(joined(printed));
  }
  return write_file(path, std::as_bytes(std::span(encoded)));
}

}  // namespace tern
