// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tern/model.h"
#include "tern/quant.h"
#include "tern/status.h"

namespace tern {

/// A calibration cache of TensorRT (up to 10): the int8 scales of activations, by tensor name.
///
///     TRT-8601-EntropyCalibration2          TRT-<version>-<algorithm>
///     images: 3c010a14                      <tensor>: <the scale's IEEE 754 bits as hex digits>
///     /stem/conv/Conv_output_0: 3d8f2b6e    names may hold colons and spaces: the last ": " divides
///
/// A scale is a range / 127. Source: sampleINT8's README and sampleEngines.cpp of NVIDIA/TensorRT. The format says nothing of
/// the model, the images or the preprocessing that it was made with: see CalibrationPassport for that.
struct TensorrtCache {
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20;
  static constexpr std::size_t kMaxLineBytes = 4096 + 16;
  static constexpr std::size_t kMaxEntries = 100'000;

  enum class Algorithm : std::uint8_t { kEntropy2, kMinMax };

  struct Entry {
    std::string tensor;
    float scale = 0;  ///< finite, above 0
    bool operator==(const Entry&) const = default;
  };

  /// As it stands in the header: major * 1000 + minor * 100 + patch up to TensorRT 9 (8601), major * 10000 + minor * 100 +
  /// patch from 10 on (100300).
  std::uint32_t version = 0;
  Algorithm algorithm = Algorithm::kEntropy2;
  std::vector<Entry> entries{};  ///< in the file's order; each tensor once

  /// CalibrationCacheError, with the line, on anything else than the format above: no header, an unknown algorithm, a line
  /// without a tensor or with something else than 1 to 8 hex digits, a scale that is not finite or not above 0, a tensor that
  /// stands twice, no tensor at all, names that are no UTF-8, control characters, and what passes the limits. A last line without a line end must have
  /// all 8 digits, or a file that was cut short would be believed. CRLF, blanks at a line's end, empty lines at the file's end and capital digits are let pass.
  [[nodiscard]] TERN_API static Result<TensorrtCache> parse(std::string_view text, std::string_view where);
  /// The same from a file; IoError when it cannot be read.
  [[nodiscard]] TERN_API static Result<TensorrtCache> from_file(const std::filesystem::path& path);
  /// As TensorRT writes it: 8 lower-case digits, "\n" at each line's end. InputError when an entry could not be read back.
  [[nodiscard]] TERN_API Result<std::string> to_text() const;

  /// The cache that holds `ranges` (as scale_of() turns them into scales), in the order of names.
  [[nodiscard]] TERN_API static TensorrtCache of(const TensorRanges& ranges, std::uint32_t version,
                                                 Algorithm algorithm = Algorithm::kEntropy2);
  /// scale * 127 for every entry. scale_of() gives the entry's scale back, to one unit in the last place: for some scales there is
  /// no float range.
  [[nodiscard]] TERN_API TensorRanges ranges() const;
  /// The scale of a tensor, or null.
  [[nodiscard]] TERN_API const float* find(std::string_view tensor) const noexcept;

  bool operator==(const TensorrtCache&) const = default;
};

/// "EntropyCalibration2", "MinMaxCalibration".
[[nodiscard]] TERN_API std::string_view to_string(TensorrtCache::Algorithm algorithm) noexcept;
/// The number in a cache's header for TensorRT "8.6.1" or "10.3.0" (the patch may be left out). ConfigError on other text and on
/// TensorRT 11, which has no calibration caches any more.
[[nodiscard]] TERN_API Result<std::uint32_t> parse_tensorrt_version(std::string_view text);
/// "8.6.1", "10.3.0".
[[nodiscard]] TERN_API std::string tensorrt_version_text(std::uint32_t version);

/// What a cache means for a model. Every entry of the cache stands in exactly one of the first three lists.
struct CacheMapping {
  struct Renamed {
    std::string in_cache, in_model;
    bool operator==(const Renamed&) const = default;
  };
  struct Suspicious {
    std::string tensor, why;
    bool operator==(const Suspicious&) const = default;
  };

  std::vector<std::string> matched{};    ///< tensors of the model with just this name
  std::vector<Renamed> renamed{};        ///< no such name, but it can only be this tensor
  std::vector<std::string> unknown{};    ///< not of this model
  std::vector<std::string> missing{};    ///< wanted, but the cache has no scale for it
  std::vector<Suspicious> suspicious{};  ///< matched, but the value can hardly be right
  TensorRanges ranges{};                 ///< of the matched and the renamed tensors, by the model's names

  /// The part of the wanted tensors that has a range, 0..1; 1 where none is wanted.
  [[nodiscard]] TERN_API double coverage() const noexcept;
  std::size_t wanted = 0;
};

/// Maps `cache` onto the tensors of `model`. `wanted`: the tensors that need a range (as plan_quantization() lists them); all
/// that is missing is told of them alone.
///
/// Renamed: the names are equal where case, a leading '/', TensorFlow's ":0" and which of the characters / : . _ - stands do not
/// count; a name that fits several tensors, or a tensor that several names fit, is unknown.
/// Suspicious: a scale below 1e-9 or above 1e6; a range above 1.05 of an output of Sigmoid or Softmax, which lie in 0..1; a
/// range of an output of Relu or MaxPool, which widen none, above three times that of its input; and (as tensor "") one scale
/// for all of four or more tensors.
[[nodiscard]] TERN_API CacheMapping map_cache(const TensorrtCache& cache, const Model& model,
                                              const std::vector<std::string>& wanted);

}  // namespace tern
