// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/gate.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/error.h"
#include "base/sidecar.h"
#include "model/text.h"
#include "store/files.h"
#include "store/gate_steps.h"
#include "store/mapping.h"
#include "tern/engine_name.h"

namespace tern {
namespace {

/// The files of an entry, each opened once; everything after that goes through these descriptors, so that no name is
/// looked up twice.
struct OpenEntry {
  Descriptor folder;
  RegularFile engine, manifest, sidecar;
  std::optional<RegularFile> golden, signature;
};

Result<RegularFile> open_one(const Descriptor& folder, const std::filesystem::path& path) {
  return open_regular(folder, path.filename().string(), path);
}

Result<std::optional<RegularFile>> open_optional(const Descriptor& folder, const std::filesystem::path& path) {
  return open_if_there(folder, path.filename().string(), path);
}

/// Opens all files and checks their sizes.
Result<OpenEntry> open_entry(const EngineEntry& entry, const GateOptions& options) {
  OpenEntry open;
  TERN_ASSIGN_OR_RETURN(open.folder, open_folder(entry.engine.parent_path()));
  TERN_ASSIGN_OR_RETURN(open.engine, open_one(open.folder, entry.engine));
  TERN_ASSIGN_OR_RETURN(open.manifest, open_one(open.folder, entry.manifest()));
  TERN_ASSIGN_OR_RETURN(open.sidecar, open_one(open.folder, entry.sha256()));
  TERN_ASSIGN_OR_RETURN(open.golden, open_optional(open.folder, entry.golden()));
  if (options.trust != nullptr) {
    TERN_ASSIGN_OR_RETURN(open.signature, open_optional(open.folder, entry.signature()));
  }
  const auto check = [](std::string_view field, const RegularFile& file, std::uint64_t min, std::uint64_t max) {
    return check_size(field, file.size(), min, max).at(file.path.string());
  };
  TERN_RETURN_IF_ERROR(check("size", open.engine, 1, options.max_bytes));
  TERN_RETURN_IF_ERROR(check("size", open.manifest, 1, EngineManifest::kMaxBytes));
  TERN_RETURN_IF_ERROR(check("size", open.sidecar, 1, Sidecar::kMaxBytes));
  if (open.golden) TERN_RETURN_IF_ERROR(check("size", *open.golden, 1, kMaxGoldenBytes));
  if (open.signature) TERN_RETURN_IF_ERROR(check("size", *open.signature, 1, kMaxSignatureBytes));
  return open;
}

Status check_owners(const OpenEntry& open, const std::filesystem::path& folder) {
  struct stat info {};
  if (::fstat(open.folder.get(), &info) != 0) return io_error("cannot look at the folder", folder, errno);
  TERN_RETURN_IF_ERROR(check_owner(info).at(folder.empty() ? "." : folder.string()));
  for (const RegularFile* file : {&open.engine, &open.manifest, &open.sidecar, open.golden ? &*open.golden : nullptr,
                                  open.signature ? &*open.signature : nullptr}) {
    if (file != nullptr) TERN_RETURN_IF_ERROR(check_owner(file->info).at(file->path.string()));
  }
  return {};
}

}  // namespace

EngineBlob GatedEngine::blob() const {
  const auto config = BuildConfig::from_json(manifest.build_config, "");
  const BuildConfig built_with = config.ok() ? *config : BuildConfig{};
  return {.backend = manifest.backend,
          .backend_version = manifest.backend_version,
          .engine_id = manifest.engine_id,
          .precision = manifest.precision,
          .bytes = bytes,
          .owner = owner,
          .inputs = manifest.inputs,
          .outputs = manifest.outputs,
          .layers = manifest.layers,
          .context_bytes = manifest.opt_buffer_bytes,
          .notes = manifest.notes,
          .version_compatible = built_with.version_compatible,
          .dla_core = built_with.dla_core};
}

Result<GatedEngine> gate_files(const EngineEntry& entry, const GateOptions& options) {
  const std::string name = entry.engine.filename().string();
  const std::string where = entry.engine.string();
  TERN_ASSIGN_OR_RETURN(const EngineName parsed, EngineName::parse(name));
  if (!options.stem.empty() && parsed.stem != options.stem) {
    return refuse("stem", in_quotes(parsed.stem), in_quotes(options.stem),
                  "this engine is another model's: name its own")
        .at(where);
  }
  TERN_ASSIGN_OR_RETURN(const OpenEntry open, open_entry(entry, options));
  TERN_RETURN_IF_ERROR(check_owners(open, entry.engine.parent_path()));

  // The bytes that are read here are the ones that are verified, parsed and handed out.
  TERN_ASSIGN_OR_RETURN(const std::string manifest, read_whole(open.manifest, EngineManifest::kMaxBytes));
  std::optional<std::string> signature;
  if (open.signature) {
    TERN_ASSIGN_OR_RETURN(signature, read_whole(*open.signature, kMaxSignatureBytes));
  }
  const auto is_signed = check_signature(options.trust, manifest, signature);
  if (!is_signed.ok()) return is_signed.status().at(entry.signature().string());
  auto checked = check_manifest(manifest, name, open.engine.size(), options);
  if (!checked.ok()) return checked.status().at(entry.manifest().string());
  GatedEngine gated;
  gated.manifest = std::move(*checked);
  gated.is_signed = *is_signed;

  TERN_ASSIGN_OR_RETURN(const std::string sidecar, read_whole(open.sidecar, Sidecar::kMaxBytes));
  TERN_RETURN_IF_ERROR(check_sidecar(sidecar, gated.manifest).at(entry.sha256().string()));

  TERN_ASSIGN_OR_RETURN(Mapping mapping,
                        options.trust != nullptr ? map_sealed_copy(open.engine) : map_file(open.engine));
  TERN_RETURN_IF_ERROR(check_chunks(mapping.bytes, gated.manifest, options.threads).at(where));
  gated.bytes = mapping.bytes;
  gated.owner = std::move(mapping.owner);

  std::optional<std::string_view> golden;
  if (open.golden) {
    TERN_ASSIGN_OR_RETURN(gated.golden, read_whole(*open.golden, kMaxGoldenBytes));
    golden = gated.golden;
  }
  TERN_RETURN_IF_ERROR(check_golden_hash(golden, gated.manifest).at(entry.golden().string()));
  return gated;
}

Result<GatedEngine> gate_bytes(std::span<const std::byte> engine, std::string_view manifest, std::string_view golden,
                               std::string_view signature, const GateOptions& options) {
  constexpr std::string_view kWhere = "engine in memory";
  const auto gate = [&]() -> Result<GatedEngine> {
    TERN_RETURN_IF_ERROR(check_size("size of the engine", engine.size(), 1, options.max_bytes));
    TERN_RETURN_IF_ERROR(check_size("size of the manifest", manifest.size(), 1, EngineManifest::kMaxBytes));
    TERN_RETURN_IF_ERROR(check_size("size of the golden frames", golden.size(), 0, kMaxGoldenBytes));
    TERN_RETURN_IF_ERROR(check_size("size of the signature", signature.size(), 0, kMaxSignatureBytes));
    GatedEngine gated;
    TERN_ASSIGN_OR_RETURN(gated.is_signed, check_signature(options.trust, manifest, signature));
    TERN_ASSIGN_OR_RETURN(gated.manifest, check_manifest(manifest, "", engine.size(), options));
    TERN_RETURN_IF_ERROR(check_chunks(engine, gated.manifest, options.threads));
    gated.golden = golden;
    std::optional<std::string_view> given;
    if (!golden.empty()) given = gated.golden;
    TERN_RETURN_IF_ERROR(check_golden_hash(given, gated.manifest));
    gated.bytes = engine;
    return gated;
  };
  auto gated = gate();
  if (!gated.ok()) return gated.status().at(kWhere);
  return gated;
}

}  // namespace tern
