// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/plugin.h"

#include <cstdlib>
#include <dlfcn.h>
#include <sstream>

#include "base/error.h"
#include "engine/plugin_folder.h"
#include "tern/version.h"

namespace tern {

namespace fs = std::filesystem;

std::vector<fs::path> plugin_folders(Logger& logger) {
  const char* variable =
      std::getenv("TERN_PLUGIN_PATH");  // NOLINT(concurrency-mt-unsafe): read once, before threads use it
  if (variable == nullptr || *variable == '\0') return {default_plugin_folder()};
  std::vector<fs::path> folders;
  std::stringstream list(variable);
  for (std::string item; std::getline(list, item, ':');) {
    if (item.empty()) continue;
    if (fs::path(item).is_absolute()) {
      folders.emplace_back(item);
    } else {
      logger.log(LogLevel::kWarning, "engine",
                 "TERN_PLUGIN_PATH: '" + item + "' is not an absolute folder and is ignored");
    }
  }
  return folders;
}

Result<void*> open_plugin(const fs::path& file, const char* entry) {
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    return Status(StatusCode::kBackendError, reason != nullptr ? reason : "the plugin does not load")
        .with_hint("install the runtime it needs, or remove the plugin");
  }
  return dlsym(library, entry);
}

Status check_plugin_identity(std::uint32_t abi, std::uint32_t wanted_abi, const char* tern_version,
                             const char* compiler) {
  if (abi != wanted_abi) {
    return make_error(StatusCode::kBackendError, "has plugin ABI {}; this tern speaks {}", abi, wanted_abi)
        .with_hint("rebuild the plugin with this tern");
  }
  if (tern_version != version() || compiler != compiler_tag()) {
    return make_error(StatusCode::kBackendError, "was built for tern {} with {}; this is tern {} with {}", tern_version,
                      compiler, version(), compiler_tag())
        .with_hint("rebuild the plugin with this tern and compiler");
  }
  return {};
}

}  // namespace tern
