// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/calib_cache.h"
#include "tern/contract.h"
#include "tern/model.h"
#include "tern/quant.h"
#include "tern/status.h"

namespace tern {

/// The identity of a set of files: what is in them and how many they are. Names, folders and order do not count.
///
/// SHA-256 over the files' own SHA-256s, sorted, each as 64 hex digits and a line feed, then their number and a line feed; in
/// a shell: `(sha256sum FILE... | cut -c1-64 | LC_ALL=C sort; echo NUMBER) | sha256sum`.
class TERN_API DatasetHash {
 public:
  /// IoError when the file cannot be read.
  [[nodiscard]] Status add_file(const std::filesystem::path& path);
  /// A part of a file, such as a frame of a video, that `what` names ("frame 12"): counts as a file that holds the line
  /// "<the file's SHA-256> <what>".
  [[nodiscard]] Status add_part(const std::filesystem::path& path, std::string_view what);
  [[nodiscard]] std::size_t count() const noexcept { return digests_.size(); }
  /// 64 hex digits. CalibrationCacheError when nothing was added; InputError when two or more files were, and all hold the same
  /// bytes: such a set calibrates nothing.
  [[nodiscard]] Result<std::string> finish() const;

 private:
  std::vector<std::string> digests_;
  std::filesystem::path last_path_;  // parts of one file come in a row
  std::string last_digest_;
};

/// Ranges of activations, and all that decides whether they may be used: stored as model.calib.json
/// (docs/schemas/calibration-passport.schema.json).
struct CalibrationPassport {
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20;

  std::string model_name{};     ///< stem; for people
  std::string model_hash{};     ///< Model::content_hash() of the float model
  std::string contract_hash{};  ///< calibration_contract_hash(); empty: the model was used without a contract
  std::string dataset_hash{};   ///< DatasetHash; empty: not known (an imported cache)
  std::uint64_t frames = 0;     ///< that were run; 0 for an imported cache
  /// How the ranges were chosen; "imported" for a cache of TensorRT's.
  std::string method{};
  double percentile = 0;  ///< of the method "percentile", else 0
  std::string
      backend;  ///< that ran the model, with its version and device: "openvino 2026.4.1 x86_64_avx512_vnni"; empty: imported
  std::string imported_sha256{};  ///< of the cache that was imported; else empty
  std::size_t wanted = 0;         ///< tensors that the model's quantisation needs a range for
  std::size_t covered = 0;        ///< of them, those with a range
  TensorRanges ranges{};

  /// covered / wanted; 1 where none is wanted.
  [[nodiscard]] TERN_API double coverage() const noexcept;
  /// Equal passports give equal bytes; keys sorted, nothing of time or place.
  [[nodiscard]] TERN_API std::string to_json() const;
  /// CalibrationCacheError names the key that is missing, unknown, malformed or out of range.
  [[nodiscard]] TERN_API static Result<CalibrationPassport> from_json(std::string_view json, std::string_view where);
  [[nodiscard]] TERN_API static Result<CalibrationPassport> from_file(const std::filesystem::path& path);
  /// SHA-256 of to_json(): goes into the engine's key.
  [[nodiscard]] TERN_API std::string hash() const;

  bool operator==(const CalibrationPassport&) const = default;
};

/// The part of a contract that calibration depends on: how pixels become the input.
[[nodiscard]] TERN_API std::string calibration_contract_hash(const Contract& contract);

/// What a calibration must have been made for.
struct CalibrationSubject {
  std::string model_hash{};
  std::optional<std::string> contract_hash{};  ///< empty: the model is used without a contract; none: whatever contract
  std::optional<std::string> dataset_hash{};   ///< none: whatever images it was made with

  [[nodiscard]] TERN_API static CalibrationSubject of(const Model& model, const Contract* contract);
};

/// The files of a calibration, beside each other.
struct CalibrationFiles {
  std::filesystem::path passport;  ///< FOLDER/STEM.calib.json
  std::filesystem::path cache;     ///< FOLDER/STEM.calib_cache: the same numbers for TensorRT; optional
  [[nodiscard]] std::filesystem::path sha256() const { return cache.string() + ".sha256"; }
  [[nodiscard]] std::filesystem::path dataset_sha256() const { return cache.string() + ".dataset_sha256"; }

  /// Those of a model file: overhead-detect.onnx -> overhead-detect.calib.json, overhead-detect.calib_cache.
  [[nodiscard]] TERN_API static CalibrationFiles beside(const std::filesystem::path& model);
  /// Those of which `file` is the passport or the cache. ConfigError when its name ends with neither .calib.json nor .calib_cache.
  [[nodiscard]] TERN_API static Result<CalibrationFiles> named_by(const std::filesystem::path& file);
};

/// Whether what lies there may be used.
struct CalibrationVerdict {
  enum class Kind : std::uint8_t {
    kTrusted,  ///< `passport` is for this model, contract and data set, and the files agree
    kNone,     ///< there is no calibration
    kOther,    ///< of another model, contract or data set: calibrate anew
  };
  Kind kind = Kind::kNone;
  std::string reason{};  ///< kOther: which, found and wanted
  std::optional<CalibrationPassport> passport{};
};

/// Judges the files of a calibration; none is changed.
///
/// - kNone: neither passport nor cache is there.
/// - kTrusted: a passport whose hashes are the subject's; where a cache lies beside it, with both sidecars, all of which agree
///   with it.
/// - kOther: the same, but the hashes are not the subject's.
/// - CalibrationCacheError, with the cure: a cache without a passport or without its sidecars; a passport, cache or sidecar that
///   is malformed; a cache that is not what .sha256 says; a .dataset_sha256 or a scale that is not the passport's. A passport
///   whose images are not known (an imported cache) has the hash of no file at all in .dataset_sha256.
[[nodiscard]] TERN_API Result<CalibrationVerdict> judge_calibration(const CalibrationFiles& files,
                                                                    const CalibrationSubject& subject);

/// The passport of a calibration that must be trusted. CalibrationCacheError as judge_calibration(), when it is kOther (with
/// the reason), and when nothing is there.
[[nodiscard]] TERN_API Result<CalibrationPassport> trusted_passport(const CalibrationFiles& files,
                                                                    const CalibrationSubject& subject);

/// Writes the passport and, with a version (or where a cache lies there already, in its version), the TensorRT cache of the same
/// ranges with its sidecars; each file whole or not at all, the passport last. CalibrationCacheError, and nothing is written,
/// where files that judge_calibration() refuses lie in the place. IoError when the disk refuses.
[[nodiscard]] TERN_API Status
store_calibration(const CalibrationFiles& files, const CalibrationPassport& passport,
                  const std::optional<std::uint32_t>& tensorrt_version = {},
                  TensorrtCache::Algorithm algorithm = TensorrtCache::Algorithm::kEntropy2);

/// Writes `cache`, a calibration cache of TensorRT, as it is, with its sidecars and the passport that was made of it. A bare cache of
/// just these bytes may lie in the place already: importing is the cure for it. CalibrationCacheError, and nothing is written,
/// when it is no cache, when its scales are not the passport's, and where other files lie in the place that
/// judge_calibration() refuses.
[[nodiscard]] TERN_API Status import_calibration(const CalibrationFiles& files, const CalibrationPassport& passport,
                                                 std::string_view cache);

}  // namespace tern
