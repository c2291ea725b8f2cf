// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

extern "C" {
#include <libavformat/avformat.h>
}

#include "tern/status.h"

namespace tern::av {

/// FFmpeg's input for cameras of this computer by its name ("v4l2"). They are in a library of their own, libavdevice, which is opened
/// here and not linked: it brings half a desktop with it (SDL, X, PulseAudio), and only who has such a camera needs it. BackendError where
/// it is missing or lacks this input. Thread-safe.
[[nodiscard]] Result<const AVInputFormat*> capture_device(std::string_view name);

}  // namespace tern::av
