// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/capture_devices.h"

#include <dlfcn.h>
#include <string>

#include "base/error.h"

namespace tern::av {
namespace {

// FFmpeg raises the major versions of libavformat and libavdevice together.
std::string library_name() {
  return fmt::format("libavdevice.so.{}", LIBAVFORMAT_VERSION_MAJOR);
}

Status load() {
  const std::string name = library_name();
  void* library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);  // stays: FFmpeg keeps pointers to what it registers
  if (library == nullptr) {
    const char* const reason = ::dlerror();
    return make_error(StatusCode::kBackendError, "FFmpeg's library for cameras, {}, cannot be opened", name)
        .with_hint(
            fmt::format("install it (on Debian and Ubuntu the package libavdevice{})", LIBAVFORMAT_VERSION_MAJOR))
        .with_cause(reason == nullptr ? "" : reason);
  }
  const auto register_all = reinterpret_cast<void (*)()>(::dlsym(library, "avdevice_register_all"));
  if (register_all == nullptr) return make_error(StatusCode::kBackendError, "{} is no libavdevice", name);
  register_all();
  return {};
}

}  // namespace

Result<const AVInputFormat*> capture_device(std::string_view name) {
  static const Status kLoaded = load();
  TERN_RETURN_IF_ERROR(kLoaded);
  const AVInputFormat* format = av_find_input_format(std::string(name).c_str());
  if (format == nullptr) {
    return make_error(StatusCode::kBackendError, "this FFmpeg cannot read cameras by {}", name)
        .with_hint("Debian's and Ubuntu's FFmpeg can");
  }
  return format;
}

}  // namespace tern::av
