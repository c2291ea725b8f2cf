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

void destroy(tern::Backend* backend) noexcept {
  delete backend;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const tern::dev::BackendPlugin* tern_backend_v1() noexcept {
  static const tern::dev::BackendPlugin kPlugin{tern::dev::kBackendAbi, TERN_VERSION_STRING, TERN_COMPILER_TAG, create,
                                                destroy};
  return &kPlugin;
}
