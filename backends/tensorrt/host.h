// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "tern/dev/cuda_plugin.h"
#include "tern/engine.h"

namespace tern::trt_backend {

/// The GPU that engines are built for and run on.
struct Gpu {
  int device = 0;
  std::string name;            ///< "NVIDIA H200"
  std::string target;          ///< "cc_9.0_sm_132"
  int compute_capability = 0;  ///< 90 is 9.0
  bool is_integrated = false;

  [[nodiscard]] static Gpu of(int device, const dev::CudaDeviceFacts& facts);
};

/// "580.95.05" of what /proc/driver/nvidia/version says; empty where that is something else.
[[nodiscard]] std::string driver_version_in(std::string_view text);

/// Adds the GPU to the facts. A plan runs where it was built: same compute capability, same number of multiprocessors. The driver is no
/// part of the fit; a change of it calls for a new golden check alone.
void add_gpu(HostFacts& facts, const dev::CudaDeviceFacts& device, const dev::CudaVersionNumbers& versions,
             std::string_view driver);

}  // namespace tern::trt_backend
