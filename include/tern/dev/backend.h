// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tern/engine.h"
#include "tern/version.h"

namespace tern::dev {

/// Grows with every incompatible change of the classes in tern/engine.h or of this file.
inline constexpr std::uint32_t kBackendAbi = 4;

/// For backends that run on a CPU: ConfigError, named after `backend` ("OpenVINO"), when `config` asks for what only a GPU has
/// (a workspace, an optimisation level, TF32, a GPU...).
[[nodiscard]] TERN_API Status refuse_gpu_options(const BuildConfig& config, std::string_view backend);
[[nodiscard]] TERN_API Status refuse_gpu_options(const LoadOptions& options, std::string_view backend);

/// Whether the model has QuantizeLinear or DequantizeLinear nodes.
[[nodiscard]] TERN_API bool is_quantised(const Model& model);

/// InputError when `tensor` has no data, another element type or shape than `spec` accepts, or gaps. Where it lies is for the backend to
/// check.
[[nodiscard]] TERN_API Status check_tensor(const TensorView& tensor, const TensorSpec& spec);

/// What a plugin's entry returns. The three identity fields are compared before anything else is used.
struct BackendPlugin {
  std::uint32_t abi;         ///< kBackendAbi
  const char* tern_version;  ///< of the headers it was compiled with
  const char* compiler;      ///< compiler_tag() of its compiler
  /// A backend, or null with a message for the user in `*error` (static storage). Must not throw.
  Backend* (*create)(const char** error) noexcept;
  /// Frees what create() made, in the library that made it.
  void (*destroy)(Backend* backend) noexcept;
};

/// For a plugin's entry: this plugin's identity, and a backend that is freed by the library that made it.
[[nodiscard]] inline BackendPlugin plugin_of(Backend* (*create)(const char** error) noexcept) noexcept {
  return {kBackendAbi, TERN_VERSION_STRING, TERN_COMPILER_TAG, create,
          [](Backend* backend) noexcept { delete backend; }};
}

/// Name of the one symbol that a plugin exports: `extern "C" const tern::dev::BackendPlugin* tern_backend_v1()
/// noexcept`.
inline constexpr const char* kBackendEntry = "tern_backend_v1";
using BackendEntry = const BackendPlugin* (*)() noexcept;

}  // namespace tern::dev
