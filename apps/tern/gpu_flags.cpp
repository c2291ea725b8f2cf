// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "gpu_flags.h"

#include <CLI/CLI.hpp>

namespace tern {

void GpuFlags::declare(CLI::App& app) {
  constexpr const char* kGroup = "GPU (TensorRT)";
  app.add_option("--device", device_, "The GPU to use, cuda:0 to cuda:63 (default: the first)")
      ->type_name("GPU")
      ->group(kGroup);
  app.add_option("--workspace", workspace_, "Scratch memory the compiler may use, e.g. 90% or 128MiB")->group(kGroup);
  app.add_option("--opt-level", optimization_level_,
                 "How long the compiler searches for fast kernels, 0 (least) to 5 (default 3)")
      ->check(CLI::Range(0, 5))
      ->group(kGroup);
  app.add_option("--timing-cache", timing_cache_, "Keep what builds measure in this file, for later ones")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_flag("--tf32", tf32_, "Let layers in f32 multiply in TF32, which rounds to 10 bits of mantissa")
      ->group(kGroup);
  app.add_option("--hardware", hardware_, "this_gpu (default), or ampere_plus: any discrete GPU from Ampere on, slower")
      ->type_name("GPUS")
      ->group(kGroup);
  app.add_flag("--version-compatible", version_compatible_,
               "Let newer TensorRT of the same major version load the engine (it must be signed: --sign)")
      ->group(kGroup);
  app.add_option("--aux-streams", aux_streams_,
                 "Streams beside the main one for one inference (default: TensorRT's choice)")
      ->check(CLI::Range(0, 16))
      ->group(kGroup);
  app.add_option("--dla-core", dla_core_, "Run what it can on this deep-learning accelerator (Jetson)")
      ->check(CLI::Range(0, 15))
      ->group(kGroup);
}

Status GpuFlags::apply(BuildConfig& config) const {
  if (device_) {
    const auto gpu = parse_gpu(*device_);
    if (!gpu.ok()) return gpu.status().at("--device");
    config.device = *gpu;
  }
  if (workspace_) {
    const auto workspace = parse_workspace(*workspace_);
    if (!workspace.ok()) return workspace.status().at("--workspace");
    config.workspace = *workspace;
  }
  if (hardware_) {
    const auto level = parse_hardware_level(*hardware_);
    if (!level.ok()) return level.status().at("--hardware");
    config.hardware = *level;
  }
  if (optimization_level_) config.optimization_level = *optimization_level_;
  if (timing_cache_) config.timing_cache = *timing_cache_;
  if (aux_streams_) config.aux_streams = *aux_streams_;
  if (dla_core_) config.dla_core = *dla_core_;
  if (tf32_) config.tf32 = true;
  if (version_compatible_) config.version_compatible = true;
  return {};
}

}  // namespace tern
