// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "store/gate_steps.h"

#include <unistd.h>

#include "base/error.h"
#include "base/sidecar.h"
#include "model/text.h"
#include "store/digest.h"

namespace tern {
namespace {

constexpr std::string_view kCompileAgain = "do not use it: compile the model again (tern compile MODEL)";
constexpr std::string_view kOtherEngine = "this engine is not the one asked for: compile the model again";

std::string bytes_text(std::uint64_t size) {
  return fmt::format("{} bytes", size);
}

std::string digest_of(std::string_view text) {
  return to_hex(Sha256::of(std::as_bytes(std::span(text))));
}

}  // namespace

Status refuse(std::string_view field, std::string_view found, std::string_view wanted, std::string_view cure) {
  return make_error(StatusCode::kEngineGateError, "{}: found {}, wanted {}", field, found, wanted).with_hint(cure);
}

Status check_size(std::string_view field, std::uint64_t size, std::uint64_t min, std::uint64_t max) {
  if (size >= min && size <= max) return {};
  return refuse(field, bytes_text(size), fmt::format("{} to {}", min, bytes_text(max)), kCompileAgain);
}

Status check_owner(const struct stat& info) {
  const uid_t user = ::geteuid();
  if (info.st_uid != user && info.st_uid != 0) {
    return refuse("owner", fmt::format("user {}", info.st_uid), fmt::format("user {} or root", user),
                  "copy the engine to a folder of your own, if you trust who made it");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refuse("mode", fmt::format("{:o}, which others may write", info.st_mode & 07777U),
                  "one that only the owner may write", "chmod go-w, if nobody can have changed it");
  }
  return {};
}

Result<bool> check_signature(const TrustStore* trust, std::string_view manifest,
                             std::optional<std::string_view> signature) {
  if (trust == nullptr) return false;
  if (!signature || signature->empty()) {
    return refuse("signature", "none", fmt::format("one of a trusted key ({})", fmt::join(trust->ids(), ", ")),
                  "compile the model with tern compile --sign KEY, or use no trust.keys");
  }
  TERN_RETURN_IF_ERROR(trust->verify(manifest, *signature));
  return true;
}

Result<EngineManifest> check_manifest(std::string_view text, std::string_view file_name, std::uint64_t engine_size,
                                      const GateOptions& options) {
  TERN_ASSIGN_OR_RETURN(EngineManifest m, EngineManifest::from_json(text, ""));
  if (!file_name.empty() && m.name != file_name)
    return refuse("name", in_quotes(m.name), in_quotes(file_name), "give the file back the name it was built under");
  if (!options.stem.empty() && m.stem != options.stem)
    return refuse("stem", in_quotes(m.stem), in_quotes(options.stem), kOtherEngine);
  if (options.key != nullptr && m.key.hash() != options.key->hash()) {
    const std::string fields = fmt::format("{}", fmt::join(m.key.differences(*options.key), ", "));
    return refuse("key", fmt::format("{} (differs in {})", m.key.hash(), fields), options.key->hash(), kOtherEngine);
  }
  if (m.size != engine_size) return refuse("size", bytes_text(engine_size), bytes_text(m.size), kCompileAgain);
  return m;
}

Status check_sidecar(std::string_view text, const EngineManifest& manifest) {
  const Result<Sidecar> parsed = parse_sidecar(text, StatusCode::kEngineGateError);
  if (!parsed.ok()) return parsed.status().with_hint(kCompileAgain);
  const Sidecar& sidecar = *parsed;
  if (!sidecar.name.empty() && sidecar.name != manifest.name)
    return refuse("sidecar's file name", in_quotes(sidecar.name), in_quotes(manifest.name), kCompileAgain);
  if (sidecar.sha256 != manifest.sha256)
    return refuse("sidecar's sha256", sidecar.sha256, manifest.sha256 + ", as the manifest says", kCompileAgain);
  return {};
}

Status check_chunks(std::span<const std::byte> engine, const EngineManifest& manifest, int threads) {
  const auto digests = chunk_digests(engine, threads);
  if (digests.size() != manifest.chunks.size()) {
    return refuse("chunks", fmt::format("{}", digests.size()), fmt::format("{}", manifest.chunks.size()),
                  kCompileAgain);
  }
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (const std::string found = to_hex(digests[i]); found != manifest.chunks[i]) {
      const std::uint64_t from = i * EngineManifest::kChunkBytes;
      return refuse(fmt::format("sha256 of the 4 MiB from byte {}", from), found, manifest.chunks[i], kCompileAgain);
    }
  }
  return {};
}

Status check_golden_hash(std::optional<std::string_view> golden, const EngineManifest& manifest) {
  const std::string& wanted = manifest.golden.sha256;
  if (!golden && wanted.empty()) return {};
  if (!golden) return refuse("golden file", "none", "one of sha256 " + wanted, kCompileAgain);
  if (wanted.empty())
    return refuse("golden file", bytes_text(golden->size()), "none: the manifest knows of none", kCompileAgain);
  if (const std::string found = digest_of(*golden); found != wanted)
    return refuse("sha256 of the golden file", found, wanted, kCompileAgain);
  return {};
}

}  // namespace tern
