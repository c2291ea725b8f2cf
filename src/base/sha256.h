// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tern/export.h"

namespace tern {

/// Incremental SHA-256 (OpenSSL's libcrypto).
class TERN_API Sha256 {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text) { update(std::as_bytes(std::span(text))); }
  /// Ends the hash; the object is not to be used afterwards.
  [[nodiscard]] Digest finish();

  [[nodiscard]] static Digest of(std::span<const std::byte> bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 64 lower-case hex digits.
[[nodiscard]] TERN_API std::string to_hex(const Sha256::Digest& digest);
/// 64 lower-case hex digits.
[[nodiscard]] TERN_API bool is_hex_digest(std::string_view text) noexcept;

}  // namespace tern
