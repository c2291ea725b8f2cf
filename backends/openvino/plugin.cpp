// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <exception>

#include "backend.h"
#include "base/sanitizers.h"
#include "tern/dev/backend.h"

namespace {

tern::Backend* create(const char** error) noexcept {
  try {
#if defined(TERN_ASAN) || defined(TERN_TSAN)
    // oneTBB opens its helper library with RTLD_DEEPBIND, which sanitizers refuse, unless this is set.
    ::setenv("TBB_ENABLE_SANITIZERS", "1", 0);
#endif
    return new tern::ov_backend::OpenVinoBackend();
  } catch (const std::exception&) {
    *error =
        "OpenVINO could not be started; its plugins (libopenvino_intel_cpu_plugin.so) must lie beside libopenvino.so";
  }
  return nullptr;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const tern::dev::BackendPlugin* tern_backend_v1() noexcept {
  static const tern::dev::BackendPlugin kPlugin = tern::dev::plugin_of(create);
  return &kPlugin;
}
