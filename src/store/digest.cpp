// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "store/digest.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

#include <openssl/evp.h>

#include "tern/manifest.h"

namespace tern {
namespace {

constexpr std::size_t kChunk = EngineManifest::kChunkBytes;

int value_of(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<Sha256::Digest> parse_hex_digest(std::string_view text) noexcept {
  if (!is_hex_digest(text)) return std::nullopt;
  Sha256::Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::uint8_t>(value_of(text[2 * i]) * 16 + value_of(text[2 * i + 1]));
  return digest;
}

std::vector<Sha256::Digest> chunk_digests(std::span<const std::byte> bytes, int threads) {
  // A digest that libcrypto had no memory for stays all zeros, which no file has: it is refused, never believed.
  std::vector<Sha256::Digest> digests((bytes.size() + kChunk - 1) / kChunk);
  std::atomic<std::size_t> next{0};
  const auto work = [&]() noexcept {
    for (std::size_t i = next++; i < digests.size(); i = next++) {
      const auto chunk = bytes.subspan(i * kChunk, std::min(kChunk, bytes.size() - i * kChunk));
      EVP_Digest(chunk.data(), chunk.size(), digests[i].data(), nullptr, EVP_sha256(), nullptr);
    }
  };
  const std::size_t wanted = std::min(static_cast<std::size_t>(std::clamp(threads, 1, 64)), digests.size());
  std::vector<std::jthread> helpers;
  try {
    for (std::size_t i = 1; i < wanted; ++i)
      helpers.emplace_back(work);
  } catch (const std::system_error&) {
    // No more threads: those that run, and this one, do the work.
  }
  work();
  helpers.clear();  // joins
  return digests;
}

Sha256::Digest root_of(std::span<const Sha256::Digest> chunks) {
  Sha256 hash;
  for (const Sha256::Digest& digest : chunks)
    hash.update(std::as_bytes(std::span(digest)));
  return hash.finish();
}

}  // namespace tern
