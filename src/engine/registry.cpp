// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "engine/plugin.h"
#include "tern/dev/backend.h"
#include "tern/dev/cuda_plugin.h"
#include "tern/engine.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

/// What tern itself keeps in the plugin folder, and loads in its own way.
bool is_backend_file(const std::string& name) {
  return name.starts_with("libtern_") && name.ends_with(".so") && name != dev::kCudaLibrary;
}

BackendRegistry::Entry load_plugin(const fs::path& file) {
  BackendRegistry::Entry entry;
  entry.plugin = file;
  const auto refuse = [&](const Status& why) {
    entry.status = why.at(file.string());
    entry.score.reason = entry.status.message();
    return entry;
  };
  const auto misfit = [&](std::string reason, std::string_view hint) {
    return refuse(Status(StatusCode::kBackendError, std::move(reason)).with_hint(hint));
  };
  const auto opened = open_plugin(file, dev::kBackendEntry);
  if (!opened.ok()) return refuse(opened.status());
  const auto entry_point = reinterpret_cast<dev::BackendEntry>(*opened);
  if (entry_point == nullptr)
    return misfit(fmt::format("exports no {}", dev::kBackendEntry), "this is no tern backend");
  const dev::BackendPlugin* plugin = entry_point();
  if (plugin == nullptr) return misfit("its entry returned nothing", "rebuild the plugin");
  const Status identity = check_plugin_identity(plugin->abi, dev::kBackendAbi, plugin->tern_version, plugin->compiler);
  if (!identity.ok()) return refuse(identity);
  entry.version = plugin->tern_version;
  const char* error = nullptr;
  entry.backend = std::shared_ptr<Backend>(plugin->create(&error), plugin->destroy);
  if (entry.backend == nullptr)
    return misfit(error != nullptr ? error : "could not be started", "see the reason given");
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
      if (is_backend_file(name)) files.push_back(it->path());
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

Result<std::shared_ptr<Backend>> BackendRegistry::find(std::string_view name, std::string_view version) const {
  const auto major = [](std::string_view text) { return text.substr(0, text.find('.')); };
  std::shared_ptr<Backend> same_major;
  for (const Entry& entry : entries_) {
    if (entry.name != name || entry.score.score <= 0) continue;
    const std::string found = entry.backend->host_facts().version;
    if (found == version) return entry.backend;
    if (major(found) == major(version)) same_major = entry.backend;
  }
  if (same_major != nullptr) return same_major;
  return find(name);
}

}  // namespace tern
