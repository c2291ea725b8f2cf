// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Calls a method that the oldest TensorRT lacks: tools/check-trt-methods must not let it pass. Compiled, never run.
#include <NvInfer.h>

std::int64_t call_what_is_newer(nvinfer1::ICudaEngine& engine, nvinfer1::IBuilderConfig& config) {
#if TERN_TENSORRT_MAJOR == 10
  static_cast<void>(config);
  return engine.getEngineStat(nvinfer1::EngineStat{});
#else
  static_cast<void>(engine);
  return config.getBuildRoute() != nullptr ? 1 : 0;
#endif
}
