// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "tern/engine.h"
#include "tern/status.h"

namespace tern {

/// The file name of an engine: which model, for which device, in which precision.
///
///   {stem}.cc_{major}.{minor}_sm_{count}[.vc][.precision].engine   one GPU
///   {stem}.hw_ampere_plus[.vc][.precision].engine                  any GPU from Ampere on
///   {stem}.{arch}_{isa}.{precision}.engine                         a CPU
///
/// `.vc.` marks a plan that newer TensorRT versions may load. Precision is fp32, fp16, bf16, int8 or mixed; a GPU engine
/// in FP16 has none. format() and parse() are inverse to each other.
struct EngineName {
  static constexpr std::size_t kMaxLength =
      240;  ///< of the whole name; file systems allow 255, temporary names add to it
  static constexpr std::string_view kSuffix = ".engine";

  std::string stem;    ///< may hold dots; no slash, no control character, no leading dot
  std::string target;  ///< "cc_9.0_sm_132", "hw_ampere_plus", "x86_64_avx512_vnni"
  bool version_compatible = false;
  Precision precision = Precision::kF32;  ///< never kAuto

  /// ConfigError when a part could not be parsed back.
  [[nodiscard]] TERN_API Result<std::string> format() const;
  /// EngineGateError when `file_name` (no folder) is not of one of the forms above.
  [[nodiscard]] TERN_API static Result<EngineName> parse(std::string_view file_name);
  [[nodiscard]] bool is_gpu() const noexcept { return target.starts_with("cc_") || target == "hw_ampere_plus"; }

  bool operator==(const EngineName&) const = default;
};

}  // namespace tern
