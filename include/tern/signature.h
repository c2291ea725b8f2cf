// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"

namespace tern {

/// A private Ed25519 key. Signs manifests: the message is "tern-engine-v1\0" and the manifest's exact bytes.
class TERN_API SigningKey {
 public:
  [[nodiscard]] static Result<SigningKey> generate();
  /// A PEM file (PKCS #8). ConfigError when others than the owner may read it, or it is no Ed25519 key.
  [[nodiscard]] static Result<SigningKey> from_file(const std::filesystem::path& path);
  /// Writes PATH (PEM, mode 0600) and PATH.pub (PEM); refuses to replace either.
  [[nodiscard]] Status write(const std::filesystem::path& path) const;

  /// The text of X.engine.sig: "tern-engine-v1 <key id> <base64>\n".
  [[nodiscard]] Result<std::string> sign(std::string_view manifest) const;
  /// First 16 hex digits of the SHA-256 of the public key's 32 bytes.
  [[nodiscard]] const std::string& id() const noexcept;

  struct Rep;
  explicit SigningKey(std::shared_ptr<const Rep> rep) noexcept : rep_(std::move(rep)) {}

 private:
  std::shared_ptr<const Rep> rep_;
};

/// The public keys whose engines are accepted. Immutable, cheap to copy, thread-safe.
class TERN_API TrustStore {
 public:
  /// Every *.pub of a folder, or one file. ConfigError when there is none, or one is no Ed25519 public key.
  [[nodiscard]] static Result<TrustStore> from_path(const std::filesystem::path& path);
  /// EngineGateError: malformed signature, unknown key, or a signature that does not match.
  [[nodiscard]] Status verify(std::string_view manifest, std::string_view signature) const;
  [[nodiscard]] std::vector<std::string> ids() const;

  struct Rep;
  explicit TrustStore(std::shared_ptr<const Rep> rep) noexcept : rep_(std::move(rep)) {}

 private:
  std::shared_ptr<const Rep> rep_;
};

}  // namespace tern
