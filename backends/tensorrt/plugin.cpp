// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <exception>

#include "backend.h"
#include "tern/dev/backend.h"

namespace {

tern::Backend* create(const char** error) noexcept {
  try {
    return new tern::trt_backend::TensorRtBackend();
  } catch (const std::exception&) {
    *error = "the TensorRT backend could not be started: no memory";
  }
  return nullptr;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const tern::dev::BackendPlugin* tern_backend_v1() noexcept {
  static const tern::dev::BackendPlugin kPlugin = tern::dev::plugin_of(create);
  return &kPlugin;
}
