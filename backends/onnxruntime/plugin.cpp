// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <string>

#include "backend.h"
#include "library.h"
#include "tern/dev/backend.h"

namespace {

using tern::ort_backend::Provider;

tern::Backend* create(const char** error) noexcept {
  try {
    static const tern::Status kOpened = tern::ort_backend::open_library();
    if (kOpened.ok()) return new tern::ort_backend::OnnxRuntimeBackend(Provider::TERN_ORT_PROVIDER);
    *error = kOpened.message().c_str();
  } catch (const std::exception&) {
    *error = "ONNX Runtime could not be started";
  }
  return nullptr;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const tern::dev::BackendPlugin* tern_backend_v1() noexcept {
  static const tern::dev::BackendPlugin kPlugin = tern::dev::plugin_of(create);
  return &kPlugin;
}
