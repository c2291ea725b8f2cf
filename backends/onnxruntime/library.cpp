// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "library.h"

#include <dlfcn.h>

#include "api.h"
#include "base/error.h"
#include "base/sanitizers.h"

namespace tern::ort_backend {
namespace {

constexpr const char* kLibrary = "libonnxruntime.so.1";
constexpr std::string_view kHint =
    "let tools/setup fetch it, or install ONNX Runtime, or name its folder in LD_LIBRARY_PATH";

struct Library {
  const OrtApiBase* base = nullptr;
  Status status;
};

/// The library is opened and not linked, since Microsoft's builds give their symbols the exact version: what is linked to one
/// release does not load with the next.
Library open_once() {
  void* handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
#if defined(TERN_ASAN) || defined(TERN_TSAN)
  // Sanitizers call dlopen in our stead, so the loader does not look into this plugin's RUNPATH.
  if (handle == nullptr)
    handle = ::dlopen((std::string(TERN_ORT_FOLDER "/") + kLibrary).c_str(), RTLD_NOW | RTLD_LOCAL);
#endif
  if (handle == nullptr) {
    const char* reason = ::dlerror();
    return {nullptr, make_error(StatusCode::kBackendError, "{} does not load: {}", kLibrary,
                                reason != nullptr ? reason : "unknown reason")
                         .with_hint(kHint)};
  }
  const auto entry = reinterpret_cast<const OrtApiBase* (*)()>(::dlsym(handle, "OrtGetApiBase"));
  if (entry == nullptr)
    return {nullptr, make_error(StatusCode::kBackendError, "{} has no OrtGetApiBase", kLibrary).with_hint(kHint)};
  const OrtApiBase* base = entry();
  const OrtApi* api = base->GetApi(ORT_API_VERSION);
  if (api == nullptr) {
    return {nullptr, make_error(StatusCode::kBackendError, "ONNX Runtime {} is too old; this tern needs 1.{} or newer",
                                base->GetVersionString(), ORT_API_VERSION)
                         .with_hint(kHint)};
  }
  Ort::InitApi(api);
  return {base, {}};
}

const Library& library() {
  static const Library kOpened = open_once();
  return kOpened;
}

}  // namespace

Status open_library() {
  return library().status;
}

std::string library_version() {
  return library().base->GetVersionString();
}

}  // namespace tern::ort_backend
