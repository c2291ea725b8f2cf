// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tern/dev/cuda_plugin.h"

/// The functions behind dev::CudaPlugin, with CudaError instead of codes.
namespace tern::cuda {

[[nodiscard]] dev::CudaVersionNumbers versions();
[[nodiscard]] std::int32_t device_count();
[[nodiscard]] dev::CudaDeviceFacts device_facts(int device);
[[nodiscard]] dev::CudaMemory device_memory(int device);
[[nodiscard]] dev::CudaSelfTest self_test(int device, std::uint64_t bytes);

}  // namespace tern::cuda
