// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <sstream>

#include "base/error.h"
#include "engine/plugin_folder.h"
#include "tern/dev/backend.h"
#include "tern/engine.h"

namespace tern {
namespace {

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

/// Loads one plugin. The library stays loaded until the process ends: runtimes behind it keep threads that survive
/// their objects.
BackendRegistry::Entry load_plugin(const fs::path& file) {
  BackendRegistry::Entry entry;
  entry.plugin = file;
  const auto refuse = [&](std::string reason, std::string_view hint) {
    entry.status = Status(StatusCode::kBackendError, std::move(reason)).at(file.string()).with_hint(hint);
    entry.score.reason = entry.status.message();
    return entry;
  };
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    return refuse(reason != nullptr ? reason : "the plugin does not load",
                  "install the runtime it needs, or remove the plugin");
  }
  const auto entry_point = reinterpret_cast<dev::BackendEntry>(dlsym(library, dev::kBackendEntry));
  if (entry_point == nullptr)
    return refuse(fmt::format("exports no {}", dev::kBackendEntry), "this is no tern backend");
  const dev::BackendPlugin* plugin = entry_point();
  if (plugin == nullptr) return refuse("its entry returned nothing", "rebuild the plugin");
  if (plugin->abi != dev::kBackendAbi) {
    return refuse(fmt::format("has plugin ABI {}; this tern speaks {}", plugin->abi, dev::kBackendAbi),
                  "rebuild the plugin with this tern");
  }
  entry.version = plugin->tern_version;
  if (entry.version != version() || plugin->compiler != compiler_tag()) {
    return refuse(fmt::format("was built for tern {} with {}; this is tern {} with {}", entry.version, plugin->compiler,
                              version(), compiler_tag()),
                  "rebuild the plugin with this tern and compiler");
  }
  const char* error = nullptr;
  entry.backend = std::shared_ptr<Backend>(plugin->create(&error), plugin->destroy);
  if (entry.backend == nullptr)
    return refuse(error != nullptr ? error : "could not be started", "see the reason given");
  entry.name = entry.backend->name();
  entry.score = entry.backend->score();
  return entry;
}

}  // namespace

BackendRegistry BackendRegistry::load(std::shared_ptr<Logger> logger) {
  const std::vector<fs::path> folders = plugin_folders(*logger);
  return load_from(folders, std::move(logger));
}

BackendRegistry BackendRegistry::load_from(std::span<const fs::path> folders, std::shared_ptr<Logger> logger) {
  BackendRegistry registry;
  for (const fs::path& folder : folders) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name.starts_with("libtern_") && name.ends_with(".so")) files.push_back(it->path());
    }
    std::ranges::sort(files);
    for (const fs::path& file : files) {
      registry.entries_.push_back(load_plugin(file));
      const Entry& entry = registry.entries_.back();
      if (entry.status.ok()) {
        logger->log(LogLevel::kDebug, "engine",
                    fmt::format("backend {} from {}: score {}, {}", entry.name, file.string(), entry.score.score,
                                entry.score.reason));
      } else {
        logger->log(LogLevel::kDebug, "engine", entry.status.to_string());
      }
    }
  }
  return registry;
}

void BackendRegistry::add(std::shared_ptr<Backend> backend) {
  Entry entry;
  entry.name = backend->name();
  entry.version = version();
  entry.score = backend->score();
  entry.backend = std::move(backend);
  entries_.push_back(std::move(entry));
}

Result<std::shared_ptr<Backend>> BackendRegistry::find(std::string_view name) const {
  const Entry* best = nullptr;
  std::string refused;
  for (const Entry& entry : entries_) {
    const bool asked = name == "auto" || entry.name == name;
    if (entry.backend != nullptr && asked && entry.score.score > 0) {
      if (best == nullptr || entry.score.score > best->score.score) best = &entry;
      continue;
    }
    refused += fmt::format("{}{}: {}", refused.empty() ? "" : "; ",
                           entry.name.empty() ? entry.plugin.filename().string() : entry.name,
                           entry.backend == nullptr ? entry.status.message() : entry.score.reason);
  }
  if (best != nullptr) return best->backend;
  if (entries_.empty()) {
    return Status(StatusCode::kBackendError, "no backend plugin was found")
        .with_hint(
            "plugins (libtern_*.so) belong in the folder 'tern' beside libtern.so, or in a folder named by "
            "TERN_PLUGIN_PATH");
  }
  return make_error(StatusCode::kBackendError, "backend '{}' cannot run here; found {}", name, refused)
      .with_hint("`tern doctor` lists every backend with its reason");
}

}  // namespace tern
