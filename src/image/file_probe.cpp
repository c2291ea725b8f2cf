// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "image/file_probe.h"

#include <array>
#include <cstdlib>

#include "base/error.h"

namespace tern {
namespace {

using Bytes = std::span<const std::byte>;

std::uint32_t u8(Bytes b, std::size_t at) noexcept {
  return std::to_integer<std::uint32_t>(b[at]);
}
std::uint32_t be16(Bytes b, std::size_t at) noexcept {
  return u8(b, at) << 8 | u8(b, at + 1);
}
std::uint32_t be32(Bytes b, std::size_t at) noexcept {
  return be16(b, at) << 16 | be16(b, at + 2);
}
std::uint32_t le16(Bytes b, std::size_t at) noexcept {
  return u8(b, at) | u8(b, at + 1) << 8;
}
std::uint32_t le32(Bytes b, std::size_t at) noexcept {
  return le16(b, at) | le16(b, at + 2) << 16;
}
bool has(Bytes b, std::size_t at, std::string_view text) noexcept {
  if (b.size() < at || b.size() - at < text.size()) return false;
  return std::string_view(reinterpret_cast<const char*>(b.data()) + at, text.size()) == text;
}

Status ends_early(ImageFileKind kind) {
  return make_error(StatusCode::kInputError, "the {} file ends early: part of the picture is missing", to_string(kind));
}
Status damaged(ImageFileKind kind, std::string_view what) {
  return make_error(StatusCode::kInputError, "the {} file is damaged: {}", to_string(kind), what);
}

// ITU-T T.81, annex B: markers are FF xx; all but SOI, EOI, RSTn and TEM carry a length; after a scan's header come
// entropy-coded bytes, in which FF is followed by 00 or RSTn, up to the next marker.
constexpr std::uint32_t kSof0 = 0xC0, kSof15 = 0xCF, kDht = 0xC4, kJpg = 0xC8, kDac = 0xCC, kRst0 = 0xD0, kRst7 = 0xD7,
                        kEoi = 0xD9, kSos = 0xDA;

// From a position among entropy-coded bytes to the FF of the next marker; the file's size when there is none.
std::size_t skip_scan(Bytes b, std::size_t at) noexcept {
  for (; at + 1 < b.size(); ++at) {
    if (u8(b, at) != 0xFF) continue;
    const std::uint32_t next = u8(b, at + 1);
    if (next != 0 && next != 0xFF && (next < kRst0 || next > kRst7)) return at;
  }
  return b.size();
}

Result<ImageFileInfo> probe_jpeg(Bytes b) {
  ImageFileInfo info{ImageFileKind::kJpeg};
  std::size_t at = 2;
  for (;;) {
    // Stray bytes before a marker are skipped, as decoders do.
    while (at < b.size() && u8(b, at) != 0xFF)
      ++at;
    while (at < b.size() && u8(b, at) == 0xFF)
      ++at;
    if (at >= b.size()) return ends_early(info.kind);
    const std::uint32_t marker = u8(b, at++);
    if (marker == kEoi) {
      if (info.width == 0) return damaged(info.kind, "it has no picture");
      return info;
    }
    if (marker <= 0x01 || (marker >= kRst0 && marker <= kRst7)) continue;
    if (b.size() - at < 2) return ends_early(info.kind);
    const std::size_t length = be16(b, at);
    if (length < 2) return damaged(info.kind, "a segment has no length");
    if (b.size() - at < length) return ends_early(info.kind);
    if (marker >= kSof0 && marker <= kSof15 && marker != kDht && marker != kJpg && marker != kDac) {
      if (length < 8) return damaged(info.kind, "the frame header is too short");
      info.bits = static_cast<int>(u8(b, at + 2));
      info.height = be16(b, at + 3);
      info.width = be16(b, at + 5);
      if (info.width == 0 || info.height == 0) return damaged(info.kind, "the picture has no pixels");
    }
    at += length;
    if (marker == kSos) at = skip_scan(b, at);
  }
}

// PNG (ISO/IEC 15948): an 8-byte signature, then chunks: length, type, data, CRC. The decoder checks the CRCs.
Result<ImageFileInfo> probe_png(Bytes b) {
  ImageFileInfo info{ImageFileKind::kPng};
  if (b.size() < 33) return ends_early(info.kind);
  if (!has(b, 12, "IHDR") || be32(b, 8) != 13) return damaged(info.kind, "it does not begin with a header");
  info.width = be32(b, 16);
  info.height = be32(b, 20);
  info.bits = static_cast<int>(u8(b, 24));
  if (info.width == 0 || info.height == 0) return damaged(info.kind, "the picture has no pixels");
  for (std::size_t at = 8;;) {
    if (b.size() - at < 12) return ends_early(info.kind);
    const std::size_t length = be32(b, at);
    if (b.size() - at - 12 < length) return ends_early(info.kind);
    if (has(b, at + 4, "IEND")) return info;
    at += 12 + length;
  }
}

// BITMAPINFOHEADER; a negative height means rows from top to bottom.
Result<ImageFileInfo> probe_bmp(Bytes b) {
  ImageFileInfo info{ImageFileKind::kBmp};
  if (b.size() < 26) return ends_early(info.kind);
  if (le32(b, 14) < 36) return info;  // OS/2's header: left to the decoder
  info.width = static_cast<std::int32_t>(le32(b, 18));
  info.height = std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(le32(b, 22))));
  info.bits = 8;
  if (info.width <= 0 || info.height == 0) return damaged(info.kind, "the picture has no pixels");
  return info;
}

// RIFF: the length of what follows, then the first chunk: VP8X (extended), VP8 (lossy) or VP8L (lossless).
Result<ImageFileInfo> probe_webp(Bytes b) {
  ImageFileInfo info{ImageFileKind::kWebp};
  info.bits = 8;
  if (b.size() < 30 || b.size() - 8 < le32(b, 4)) return ends_early(info.kind);
  if (has(b, 12, "VP8X")) {
    info.width = 1 + (le16(b, 24) | static_cast<std::int64_t>(u8(b, 26)) << 16);
    info.height = 1 + (le16(b, 27) | static_cast<std::int64_t>(u8(b, 29)) << 16);
  } else if (has(b, 12, "VP8 ")) {
    info.width = le16(b, 26) & 0x3FFF;
    info.height = le16(b, 28) & 0x3FFF;
  } else if (has(b, 12, "VP8L")) {
    const std::uint32_t packed = le32(b, 21);
    info.width = 1 + (packed & 0x3FFF);
    info.height = 1 + (packed >> 14 & 0x3FFF);
  }
  if (info.width == 0 || info.height == 0) return damaged(info.kind, "the picture has no pixels");
  return info;
}

}  // namespace

std::string_view to_string(ImageFileKind kind) noexcept {
  switch (kind) {
    case ImageFileKind::kUnknown:
      return "unknown";
    case ImageFileKind::kJpeg:
      return "JPEG";
    case ImageFileKind::kPng:
      return "PNG";
    case ImageFileKind::kBmp:
      return "BMP";
    case ImageFileKind::kWebp:
      return "WebP";
    case ImageFileKind::kTiff:
      return "TIFF";
    case ImageFileKind::kPnm:
      return "PNM";
    case ImageFileKind::kOther:
      return "image";
  }
  return "unknown";
}

ImageFileKind image_file_kind(Bytes b) noexcept {
  using namespace std::string_view_literals;
  if (has(b, 0, "\xFF\xD8\xFF")) return ImageFileKind::kJpeg;
  if (has(b, 0, "\x89PNG\r\n\x1A\n")) return ImageFileKind::kPng;
  if (has(b, 0, "RIFF") && has(b, 8, "WEBP")) return ImageFileKind::kWebp;
  if (has(b, 0, "II*\0"sv) || has(b, 0, "MM\0*"sv)) return ImageFileKind::kTiff;
  if (has(b, 0, "BM") && b.size() >= 26 && le32(b, 14) >= 12 && le32(b, 14) <= 124) return ImageFileKind::kBmp;
  if (b.size() > 2 && u8(b, 0) == 'P' && u8(b, 1) >= '1' && u8(b, 1) <= '7' && u8(b, 2) <= ' ') {
    return ImageFileKind::kPnm;
  }
  constexpr std::array kOthers{"\x76\x2F\x31\x01"sv, "\0\0\0\x0CjP  \r\n\x87\n"sv, "\xFF\x4F\xFF\x51"sv,
                               "#?RADIANCE"sv,       "\x59\xA6\x6A\x95"sv,         "GIF8"sv};
  for (const std::string_view magic : kOthers) {
    if (has(b, 0, magic)) return ImageFileKind::kOther;
  }
  return ImageFileKind::kUnknown;
}

Result<ImageFileInfo> probe_image(Bytes file) {
  if (file.empty()) return make_error(StatusCode::kInputError, "the file is empty");
  const ImageFileKind kind = image_file_kind(file);
  switch (kind) {
    case ImageFileKind::kJpeg:
      return probe_jpeg(file);
    case ImageFileKind::kPng:
      return probe_png(file);
    case ImageFileKind::kBmp:
      return probe_bmp(file);
    case ImageFileKind::kWebp:
      return probe_webp(file);
    case ImageFileKind::kUnknown:
    case ImageFileKind::kTiff:
    case ImageFileKind::kPnm:
    case ImageFileKind::kOther:
      break;
  }
  return ImageFileInfo{kind};
}

}  // namespace tern
