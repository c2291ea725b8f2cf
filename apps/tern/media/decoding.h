// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "media/av.h"
#include "media/convert.h"
#include "tern/image.h"
#include "tern/status.h"

namespace tern {

// What reading a file and reading a camera have in common: decoders, and views of what they give.

enum class DecoderUse : std::uint8_t {
  kFile,  ///< as many frames a second as the processors allow
  kLive,  ///< each frame as soon as its packet is there
};

/// A decoder for the pictures of `stream`. InputError when this FFmpeg has none, or the stream states a size beyond what is read
/// (or, of a file, none).
[[nodiscard]] Result<av::Codec> open_decoder(const AVStream& stream, DecoderUse use);

/// Whether the decoder had to make parts of the picture up.
[[nodiscard]] bool is_damaged(const AVFrame& picture) noexcept;

/// Clockwise turns of 90 degrees that make the stream's pictures upright.
[[nodiscard]] int quarter_turns_of(const AVStream& stream) noexcept;

/// Turns decoded pictures into views. 8-bit 4:2:0 comes out as kI420 or kNv12 without a copy, with its own matrix and range (where it
/// names no matrix: BT.709 from 720 rows on, BT.601 below, as players do); so do BGR, RGB and full-range grey. All else, and what is to be
/// turned, becomes kBgr. Not thread-safe.
class ViewConverter {
 public:
  /// `pixels` keeps what `view` points at.
  [[nodiscard]] Status convert(av::Picture picture, int quarter_turns, ImageView& view,
                               std::shared_ptr<const void>& pixels);

 private:
  BgrConverter bgr_;
};

}  // namespace tern
