// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/plugin_folder.h"

#include <dlfcn.h>
#include <system_error>

#include "tern/status.h"

namespace tern {

std::filesystem::path default_plugin_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&error_classes), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code ignored;
  return std::filesystem::weakly_canonical(info.dli_fname, ignored).parent_path() / "tern";
}

}  // namespace tern
