// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// A plugin that does not fit, for one reason chosen by the build.
#include "tern/dev/backend.h"

#if !defined(MISFIT_NO_ENTRY)
namespace {

tern::Backend* create(const char** error) noexcept {
  *error = "the moon is not full";
  return nullptr;
}

void destroy(tern::Backend* backend) noexcept {
  delete backend;
}

}  // namespace

extern "C" TERN_API const tern::dev::BackendPlugin* tern_backend_v1() noexcept {
  static tern::dev::BackendPlugin plugin{tern::dev::kBackendAbi, TERN_VERSION_STRING, TERN_COMPILER_TAG, create,
                                         destroy};
#if defined(MISFIT_WRONG_ABI)
  plugin.abi = 99;
#elif defined(MISFIT_WRONG_VERSION)
  plugin.tern_version = "0.0.1";
#elif defined(MISFIT_WRONG_COMPILER)
  plugin.compiler = "babbage 1";
#endif
  return &plugin;
}
#endif
