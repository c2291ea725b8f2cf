// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

/// Layouts of 8-bit pixels in memory.
///
/// kBgr, kRgb: 3 interleaved bytes; kBgra: 4 (alpha is ignored); kGray: 1.
/// kNv12: a full-size Y plane, then one plane of interleaved U,V of (w+1)/2 x (h+1)/2 pairs.
/// kI420: a full-size Y plane, then a U and a V plane of (w+1)/2 x (h+1)/2 each.
enum class PixelFormat : std::uint8_t { kBgr, kRgb, kBgra, kGray, kNv12, kI420 };

[[nodiscard]] TERN_API std::string_view to_string(PixelFormat format) noexcept;
[[nodiscard]] TERN_API int plane_count(PixelFormat format) noexcept;

/// How Y, U, V become R, G, B (ITU-R BT.601 or BT.709), for kNv12 and kI420.
enum class YuvMatrix : std::uint8_t { kBt601, kBt709 };
/// kLimited: Y in 16..235, U and V in 16..240. kFull: 0..255 (JPEG).
enum class YuvRange : std::uint8_t { kLimited, kFull };

/// Pixels that somebody else owns, never written through. Cheap to copy; the memory must outlive every use of the view.
struct ImageView {
  static constexpr int kMaxSide = 65536;  ///< larger images are refused

  struct Plane {
    const std::uint8_t* data = nullptr;
    std::ptrdiff_t stride = 0;  ///< bytes from one row to the next; at least the row's bytes
  };

  std::array<Plane, 3> planes{};
  int width = 0;
  int height = 0;
  PixelFormat format = PixelFormat::kBgr;
  YuvMatrix matrix = YuvMatrix::kBt601;
  YuvRange range = YuvRange::kLimited;
  Device device;

  /// Packed pixels (kBgr, kRgb, kBgra, kGray) in host memory. `stride` 0 means rows without padding.
  [[nodiscard]] TERN_API static ImageView packed(const std::uint8_t* data, int width, int height, PixelFormat format,
                                                 std::ptrdiff_t stride = 0) noexcept;
  /// Rows of plane `plane`, and the bytes of one that hold pixels. REQUIRES: the format has this plane.
  [[nodiscard]] TERN_API int plane_rows(int plane) const noexcept;
  [[nodiscard]] TERN_API std::ptrdiff_t plane_row_bytes(int plane) const noexcept;
  /// Sizes in range, planes present, strides long enough; InputError says what is wrong.
  [[nodiscard]] TERN_API Status validate() const;
};

}  // namespace tern
