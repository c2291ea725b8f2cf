// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/engine.h"
#include "tern/engine_name.h"
#include "tern/log.h"
#include "tern/manifest.h"
#include "tern/signature.h"
#include "tern/status.h"

namespace tern {

/// An engine's files, all beside each other: X.engine, X.engine.json (manifest), X.engine.sha256 (for sha256sum), and where
/// there are any X.engine.golden and X.engine.sig. Names only: nothing is checked before the gate.
struct EngineEntry {
  std::filesystem::path engine;  ///< folder/X.engine

  [[nodiscard]] std::filesystem::path manifest() const { return engine.string() + ".json"; }
  [[nodiscard]] std::filesystem::path sha256() const { return engine.string() + ".sha256"; }
  [[nodiscard]] std::filesystem::path golden() const { return engine.string() + ".golden"; }
  [[nodiscard]] std::filesystem::path signature() const { return engine.string() + ".sig"; }
};

/// What becomes an entry. The store writes exactly these bytes.
struct EngineFiles {
  std::string name;  ///< X.engine
  std::span<const std::byte> engine;
  std::string manifest;
  std::string sha256;     ///< the line for sha256sum
  std::string golden;     ///< bytes of the golden file; empty: none
  std::string signature;  ///< empty: none
};

/// Where engines are kept. Thread-safe. An application may bring its own; its entries must be local files.
class TERN_API EngineStore {
 public:
  /// Held while one process builds an engine. Released by the destructor, and by the kernel when the process dies.
  class TERN_API Lock {
   public:
    virtual ~Lock() = default;
  };

  virtual ~EngineStore() = default;
  /// The entry of a key, unchecked; none when there is none. Counts as a use.
  [[nodiscard]] virtual Result<std::optional<EngineEntry>> find(const EngineKey& key) = 0;
  /// Waits until no other process (or thread) builds this key. Timeout or Cancelled when the wait ended first.
  [[nodiscard]] virtual Result<std::unique_ptr<Lock>> lock(const EngineKey& key, const WaitOptions& wait) = 0;
  /// Stores an entry whole or not at all. The caller holds the key's lock. IoError when the store refuses.
  [[nodiscard]] virtual Result<EngineEntry> put(const EngineKey& key, const EngineFiles& files) = 0;
  /// Moves an entry out of the way, for people to look at, with the reason. Never deletes.
  [[nodiscard]] virtual Status quarantine(const EngineEntry& entry, const Status& reason) = 0;
  /// All entries, the most recently used first.
  [[nodiscard]] virtual Result<std::vector<EngineEntry>> list() = 0;
};

/// The default store: ROOT/<first 16 hex digits of the key>/<name>.
///
/// An entry is written into a folder of its own and appears by one rename, so that it is there whole or not at all.
/// Quarantined entries go to ROOT/quarantine/<16 hex>-<n>/ with a file REASON.
class TERN_API DirectoryStore final : public EngineStore {
 public:
  /// `max_bytes`: put() prunes the least recently used entries beyond it; 0: no limit.
  explicit DirectoryStore(std::filesystem::path root, std::uint64_t max_bytes = 0,
                          std::shared_ptr<Logger> logger = null_logger());
  ~DirectoryStore() override;

  /// $XDG_CACHE_HOME/tern/engines, else ~/.cache/tern/engines. ConfigError when neither variable is set.
  [[nodiscard]] static Result<std::filesystem::path> default_root();
  [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }

  [[nodiscard]] Result<std::optional<EngineEntry>> find(const EngineKey& key) override;
  [[nodiscard]] Result<std::unique_ptr<Lock>> lock(const EngineKey& key, const WaitOptions& wait) override;
  [[nodiscard]] Result<EngineEntry> put(const EngineKey& key, const EngineFiles& files) override;
  [[nodiscard]] Status quarantine(const EngineEntry& entry, const Status& reason) override;
  [[nodiscard]] Result<std::vector<EngineEntry>> list() override;

  struct Usage {
    EngineEntry entry;
    std::uint64_t bytes = 0;  ///< of all its files
    std::chrono::system_clock::time_point last_used;
  };
  /// As list(), with what each takes.
  [[nodiscard]] Result<std::vector<Usage>> usage();
  /// Removes the least recently used entries until at most `max_bytes` are left; entries being built or in quarantine are
  /// left alone. Returns what was removed.
  [[nodiscard]] Result<std::vector<Usage>> prune(std::uint64_t max_bytes);

 private:
  std::filesystem::path root_;
  std::uint64_t max_bytes_;
  std::shared_ptr<Logger> logger_;
};

/// Writes an entry under its flat name into `folder` (made where missing). ConfigError when a file of that name belongs to
/// another key; an entry of the same key is replaced, its manifest last.
[[nodiscard]] TERN_API Result<EngineEntry> write_flat(const std::filesystem::path& folder, const EngineKey& key,
                                                      const EngineFiles& files);

/// The manifest, completed with size, digests and golden hash, as files ready to be stored; signed where `key` is given.
[[nodiscard]] TERN_API Result<EngineFiles> pack_engine(EngineManifest manifest, std::span<const std::byte> engine,
                                                       std::string golden, const SigningKey* key);

}  // namespace tern
