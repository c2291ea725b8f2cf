// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include <CLI/CLI.hpp>

#include "base/byte_size.h"
#include "base/error.h"
#include "base/file.h"
#include "command.h"
#include "compile_request.h"
#include "result_json.h"

namespace tern {
namespace {

std::string age_of(std::chrono::system_clock::time_point when) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - when).count();
  if (seconds < 0) return "in the future";
  if (seconds < 120) return fmt::format("{} s ago", seconds);
  if (seconds < 7200) return fmt::format("{} min ago", seconds / 60);
  if (seconds < 172800) return fmt::format("{} h ago", seconds / 3600);
  return fmt::format("{} days ago", seconds / 86400);
}

/// Manifest of an entry, for display: parsed, nothing else checked.
Result<EngineManifest> read_manifest(const EngineEntry& entry) {
  TERN_ASSIGN_OR_RETURN(const std::string text, read_text_file(entry.manifest(), EngineManifest::kMaxBytes));
  return EngineManifest::from_json(text, entry.manifest().string());
}

class CacheCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.require_subcommand(1);
    list_ = app.add_subcommand("ls", "List the stored engines, the most recently used first");
    why_ = app.add_subcommand(
        "why",
        "Say whether MODEL is stored for this config and machine, and if not, what differs from the nearest engine");
    request_.declare(*why_);
    verify_ = app.add_subcommand("verify", "Check the files of every stored engine (gate A); nothing is changed");
    prune_ = app.add_subcommand("prune", "Remove the least recently used engines");
    prune_->add_option("--max-bytes", max_bytes_, "Keep at most this much, e.g. 2GiB; 0 removes all")->required();
    path_ = app.add_subcommand("path", "Print the folder of the store");
    for (CLI::App* sub : {list_, verify_, prune_, path_})
      flags_[sub].declare(*sub);
  }

  Status run(const Environment& environment) override {
    const Console& console = environment.console;
    if (why_->parsed()) return explain(console);
    const auto used = std::ranges::find_if(flags_, [](const auto& item) { return item.first->parsed(); });
    TERN_ASSIGN_OR_RETURN(const RuntimeConfig config, used->second.resolve());
    DirectoryStore store(config.store_path);
    if (path_->parsed()) {
      console.print(config.store_path.string());
      return {};
    }
    if (prune_->parsed()) return prune(console, store);
    if (verify_->parsed()) return verify(console, store, config);
    return list(console, store);
  }

 private:
  static Status list(const Console& console, DirectoryStore& store) {
    TERN_ASSIGN_OR_RETURN(const auto entries, store.usage());
    std::vector<std::vector<std::string>> rows{{"engine", "backend", "size", "used", "key"}};
    std::uint64_t total = 0;
    for (const DirectoryStore::Usage& usage : entries) {
      total += usage.bytes;
      const auto manifest = read_manifest(usage.entry);
      rows.push_back({usage.entry.engine.filename().string(), manifest.ok() ? manifest->backend : "(damaged manifest)",
                      format_byte_size(usage.bytes), age_of(usage.last_used),
                      usage.entry.engine.parent_path().filename().string()});
    }
    if (!entries.empty()) console.print(format_table(rows));
    console.print(fmt::format("{} engines, {}, in {}", entries.size(), format_byte_size(total), store.root().string()));
    return {};
  }

  static Status verify(const Console& console, DirectoryStore& store, const RuntimeConfig& config) {
    std::optional<TrustStore> trust;
    if (!config.trust_keys.empty()) {
      TERN_ASSIGN_OR_RETURN(trust, TrustStore::from_path(config.trust_keys));
    }
    TERN_ASSIGN_OR_RETURN(const auto entries, store.list());
    Status first;
    for (const EngineEntry& entry : entries) {
      const auto gated = gate_files(entry, {.trust = trust ? &*trust : nullptr});
      console.print(fmt::format("{}  {}", gated.ok() ? "ok     " : "REFUSED", entry.engine.string()));
      if (gated.ok()) continue;
      console.error(gated.status());
      if (first.ok()) first = gated.status();
    }
    console.print(fmt::format("{} engines checked", entries.size()));
    return first;
  }

  Status prune(const Console& console, DirectoryStore& store) const {
    TERN_ASSIGN_OR_RETURN(const std::uint64_t max_bytes, parse_byte_size(max_bytes_));
    TERN_ASSIGN_OR_RETURN(const auto removed, store.prune(max_bytes));
    std::uint64_t total = 0;
    for (const DirectoryStore::Usage& usage : removed) {
      total += usage.bytes;
      console.print("removed " + usage.entry.engine.string());
    }
    console.print(fmt::format("{} engines removed, {}", removed.size(), format_byte_size(total)));
    return {};
  }

  Status explain(const Console& console) {
    TERN_RETURN_IF_ERROR(request_.resolve());
    InferenceRuntime& runtime = *request_.options().runtime;
    CompileOptions options;
    options.backend = request_.options().backend;
    options.contract = request_.contract();
    TERN_ASSIGN_OR_RETURN(const EngineKey key, runtime.key_of(request_.model(), request_.config(), options));
    if (options.backend == "auto") TERN_RETURN_IF_ERROR(explain_choice(console, runtime, options));
    TERN_ASSIGN_OR_RETURN(const auto entries, runtime.store()->list());
    std::optional<EngineManifest> nearest;
    for (const EngineEntry& entry : entries) {
      auto manifest = read_manifest(entry);
      if (!manifest.ok()) continue;
      if (!nearest || key.differences(manifest->key).size() < key.differences(nearest->key).size())
        nearest = std::move(*manifest);
    }
    console.print("key " + key.hash());
    if (!nearest) {
      console.print("miss: the store holds no engine at all");
      return {};
    }
    const std::vector<std::string> differing = key.differences(nearest->key);
    if (differing.empty()) {
      console.print("hit: " + nearest->name);
      return {};
    }
    const auto value = [](const EngineKey& of, const std::string& field) {
      const auto it = of.fields.find(field);
      return it == of.fields.end() ? std::string("(none)") : it->second;
    };
    console.print(fmt::format("miss; the nearest engine is {} (key {}), which differs in:\n", nearest->name,
                              nearest->key.hash().substr(0, 16)));
    std::vector<std::vector<std::string>> rows{{"field", "asked for", "stored"}};
    for (const std::string& field : differing)
      rows.push_back({field, value(key, field), value(nearest->key, field)});
    console.print(format_table(rows));
    return {};
  }

  Status explain_choice(const Console& console, const InferenceRuntime& runtime, const CompileOptions& options) {
    TERN_ASSIGN_OR_RETURN(const auto choice, runtime.choice_of(request_.model(), request_.config(), options));
    if (choice)
      console.print(fmt::format("backend auto is {} (measured {})", choice->to_string(), choice->measured_at));
    return {};
  }

  CLI::App *list_ = nullptr, *why_ = nullptr, *verify_ = nullptr, *prune_ = nullptr, *path_ = nullptr;
  std::map<CLI::App*, RuntimeFlags> flags_;
  std::string max_bytes_;
  CompileRequest request_;
};

}  // namespace

const CommandInfo kCacheCommand{"cache", "Look into the store of engines",
                                "  tern cache ls\n"
                                "  tern cache why overhead-detect.onnx --precision bf16\n"
                                "  tern cache prune --max-bytes 2GiB",
                                [] { return std::unique_ptr<Command>(std::make_unique<CacheCommand>()); }};

}  // namespace tern
