// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "tern/dev/cuda_plugin.h"

namespace tern::test {

/// One promise of libtern_cuda on a real GPU. Plain functions, so that they run under GoogleTest and, on a machine that has
/// none, under the program of check_main.cpp.
struct CudaCheck {
  const char* name;
  /// Empty when the promise holds on GPU `device`, else what was found.
  std::string (*run)(const dev::CudaPlugin& plugin, std::int32_t device);
};

[[nodiscard]] std::span<const CudaCheck> cuda_checks();

/// The plugin in `library`; null with `error` set when it does not load or does not fit these headers.
[[nodiscard]] const dev::CudaPlugin* open_cuda_plugin(const char* library, std::string& error);

/// Number of GPUs; 0 with the reason where there is no driver, an old one, or no GPU. Any other failure is -1.
[[nodiscard]] std::int32_t count_gpus(const dev::CudaPlugin& plugin, std::string& reason);

}  // namespace tern::test
