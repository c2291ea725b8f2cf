// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/engine.h"
#include "tern/status.h"

namespace tern {

/// Everything that decides what an engine is. Two engines with the same key are interchangeable.
struct EngineKey {
  /// Name -> value: model, contract, every option of BuildConfig but timeout and isolation (precision, profiles, max_batch,
  /// threads, hint, workspace), calibration (the passport's hash, or "none"), plugins, backend, backend_version, fit.NAME for each of the backend's
  /// HostFacts::fit.
  std::map<std::string, std::string> fields;

  /// `contract_hash` is empty for a model that is used without one, `calibration_hash` (CalibrationPassport::hash()) where none is
  /// used.
  [[nodiscard]] TERN_API static EngineKey of(const Model& model, std::string_view contract_hash,
                                             const BuildConfig& config, std::string_view backend, const HostFacts& host,
                                             std::string_view calibration_hash = {});
  /// SHA-256 over the fields, as 64 hex digits.
  [[nodiscard]] TERN_API std::string hash() const;
  /// Names of the fields in which two keys differ, sorted.
  [[nodiscard]] TERN_API std::vector<std::string> differences(const EngineKey& other) const;
};

/// What `auto` chose from on a CPU, and what was measured: inferences on the golden frames, the candidates taking turns in one process.
struct BackendChoice {
  struct Candidate {
    std::string backend, version;
    std::string precision;  ///< that it ran in; empty where it was refused
    double ms = 0;          ///< median of one inference; 0: it was not measured
    std::string
        refused{};  ///< why it could not serve: it did not build, or failed its golden check; empty: it was measured
  };
  std::vector<Candidate> candidates;  ///< the chosen one, the others by their time, then those that were refused
  int runs = 0;             ///< measured for each; 0: one candidate was left, or there were no frames to measure with
  std::string measured_at;  ///< UTC, ISO 8601

  /// The next after the chosen one; null where there is none.
  [[nodiscard]] TERN_API const Candidate* second() const noexcept;
  /// How much longer the second takes: 0.1 is 10 %. 0 where there is none. Below 0 where it was faster by less than can be told.
  [[nodiscard]] TERN_API double margin() const noexcept;
  /// For people, one line.
  [[nodiscard]] TERN_API std::string to_string() const;
};

/// What stands beside an engine as X.engine.json: what it is, and how to know that it still is what was built.
struct EngineManifest {
  static constexpr std::uint64_t kChunkBytes = 4 << 20;
  static constexpr std::uint64_t kMaxBytes = 16 << 20;  ///< of the manifest file

  struct Golden {
    std::string sha256;  ///< of X.engine.golden; empty: the engine has no golden frames
    int frames = 0;
    std::string source;        ///< "user", "calibration" or "noise"
    std::string reference;     ///< label of the backend that gave the reference outputs
    bool independent = false;  ///< false: the reference ran on the same backend, so the check is one of integrity only
  };

  EngineKey key;
  std::string name;  ///< the file's name, as EngineName formats it
  std::string stem;
  std::string backend, backend_version, engine_id;
  Precision precision = Precision::kF32;  ///< what the backend uses
  std::map<std::string, int> layers;      ///< number of layers by precision, where the backend tells
  std::vector<std::string> notes{};       ///< what the backend decided that was not asked for; EngineBlob::notes
  std::uint64_t size = 0;                 ///< bytes of the engine file
  std::string sha256;                     ///< of the whole file, as in X.engine.sha256
  std::vector<std::string> chunks;        ///< SHA-256 of each kChunkBytes of the file
  std::string root;                       ///< SHA-256 over the chunks' digests (32 bytes each, in order)
  Golden golden;
  std::uint64_t opt_buffer_bytes = 0;  ///< input, output and activation memory of one context at the largest profile
  std::vector<TensorSpec> inputs, outputs;
  std::string contract;      ///< Contract::to_json(), or empty
  std::string build_config;  ///< BuildConfig::to_json()
  double build_seconds = 0;
  std::string built_at;  ///< UTC, ISO 8601
  std::string driver;    ///< GPU driver at build time, or empty
  std::string tern_version;
  std::optional<BackendChoice> choice{};  ///< where `auto` chose this engine by measurement

  /// Canonical JSON (keys sorted, indented by one space): the bytes that are signed.
  [[nodiscard]] TERN_API std::string to_json() const;
  /// EngineGateError names the key that is missing, unknown, malformed, or at odds with another (chunk count against size,
  /// root against chunks, name against stem and precision).
  [[nodiscard]] TERN_API static Result<EngineManifest> from_json(std::string_view json, std::string_view where);
};

}  // namespace tern
