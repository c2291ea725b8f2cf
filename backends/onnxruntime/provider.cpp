// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "provider.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/error.h"
#include "tern/dev/backend.h"

namespace tern::ort_backend {
namespace {

struct Settings {
  std::vector<const char*> keys;
  std::vector<std::string> values;

  void add(const char* key, std::string value) {
    keys.push_back(key);
    values.push_back(std::move(value));
  }
  [[nodiscard]] std::vector<const char*> pointers() const {
    std::vector<const char*> list;
    for (const std::string& value : values)
      list.push_back(value.c_str());
    return list;
  }
};

void add_cuda(Ort::SessionOptions& options, std::uint64_t workspace) {
  const OrtApi& api = Ort::GetApi();
  OrtCUDAProviderOptionsV2* raw = nullptr;
  Ort::ThrowOnError(api.CreateCUDAProviderOptions(&raw));
  const std::unique_ptr<OrtCUDAProviderOptionsV2, decltype(api.ReleaseCUDAProviderOptions)> owner(
      raw, api.ReleaseCUDAProviderOptions);
  Settings settings;
  settings.add("device_id", "0");
  // By doubling, its default, the arena could take twice what the model needs.
  settings.add("arena_extend_strategy", "kSameAsRequested");
  settings.add("use_tf32", "0");  // f32 means f32
  if (workspace > 0) settings.add("gpu_mem_limit", std::to_string(workspace));
  Ort::ThrowOnError(
      api.UpdateCUDAProviderOptions(raw, settings.keys.data(), settings.pointers().data(), settings.keys.size()));
  options.AppendExecutionProvider_CUDA_V2(*raw);
}

void add_tensorrt(Ort::SessionOptions& options, Precision precision, std::uint64_t workspace,
                  const std::string& timing_cache) {
  const OrtApi& api = Ort::GetApi();
  OrtTensorRTProviderOptionsV2* raw = nullptr;
  Ort::ThrowOnError(api.CreateTensorRTProviderOptions(&raw));
  const std::unique_ptr<OrtTensorRTProviderOptionsV2, decltype(api.ReleaseTensorRTProviderOptions)> owner(
      raw, api.ReleaseTensorRTProviderOptions);
  Settings settings;
  settings.add("device_id", "0");
  settings.add("trt_fp16_enable", precision == Precision::kF16 || precision == Precision::kI8 ? "1" : "0");
  settings.add("trt_int8_enable", precision == Precision::kI8 ? "1" : "0");
  if (workspace > 0) settings.add("trt_max_workspace_size", std::to_string(workspace));
  if (!timing_cache.empty()) {
    settings.add("trt_timing_cache_enable", "1");
    settings.add("trt_timing_cache_path", timing_cache);
  }
  Ort::ThrowOnError(
      api.UpdateTensorRTProviderOptions(raw, settings.keys.data(), settings.pointers().data(), settings.keys.size()));
  options.AppendExecutionProvider_TensorRT_V2(*raw);
}

}  // namespace

std::string_view label_of(Provider provider) noexcept {
  switch (provider) {
    case Provider::kCpu:
      return "onnxruntime";
    case Provider::kCuda:
      return "onnxruntime_cuda";
    case Provider::kTensorRt:
      return "onnx_trt_ep";
  }
  return "?";
}

const char* execution_provider(Provider provider) noexcept {
  switch (provider) {
    case Provider::kCpu:
      return "CPUExecutionProvider";
    case Provider::kCuda:
      return "CUDAExecutionProvider";
    case Provider::kTensorRt:
      return "TensorrtExecutionProvider";
  }
  return "?";
}

Status check_carried(Provider provider) {
  const std::vector<std::string> carried = Ort::GetAvailableProviders();
  if (std::ranges::find(carried, execution_provider(provider)) != carried.end()) return {};
  std::string list;
  for (const std::string& one : carried)
    list += (list.empty() ? "" : ", ") + one;
  return make_error(StatusCode::kBackendError, "this build of ONNX Runtime has no {}; it has {}",
                    execution_provider(provider), list)
      .with_hint("put a libonnxruntime.so.1 that was built with it, and its provider libraries, into LD_LIBRARY_PATH");
}

Result<Precision> choose_precision(Provider provider, Precision asked, const Model& model) {
  const bool is_tensorrt = provider == Provider::kTensorRt;
  switch (asked) {
    case Precision::kAuto:
      return is_tensorrt ? Precision::kF16 : Precision::kF32;
    case Precision::kF32:
      return asked;
    case Precision::kF16:
      if (is_tensorrt) return asked;
      break;
    case Precision::kI8:
      if (dev::is_quantised(model)) return asked;
      return make_error(StatusCode::kConfigError, "precision i8 needs a model with quantised layers")
          .at("precision")
          .with_hint("give a model with QuantizeLinear/DequantizeLinear nodes");
    case Precision::kMixed:
      return make_error(StatusCode::kConfigError, "ONNX Runtime takes the mix of precisions from the model")
          .at("precision")
          .with_hint("give a model with QuantizeLinear/DequantizeLinear nodes and ask for auto or i8");
    case Precision::kBF16:
      break;
  }
  return make_error(StatusCode::kConfigError, "ONNX Runtime's {} has no {} of its own; it runs a float model in {}",
                    execution_provider(provider), to_string(asked), is_tensorrt ? "f32 or f16" : "f32")
      .at("precision")
      .with_hint(is_tensorrt ? "ask for f32, f16 or auto" : "ask for f32 or auto, or take another backend");
}

void add_provider(Ort::SessionOptions& options, Provider provider, Precision precision, std::uint64_t workspace,
                  const std::string& timing_cache) {
  switch (provider) {
    case Provider::kCpu:
      return;
    case Provider::kCuda:
      return add_cuda(options, workspace);
    case Provider::kTensorRt:
      add_tensorrt(options, precision, workspace, timing_cache);
      return add_cuda(options, workspace);  // for nodes that TensorRT does not take
  }
}

}  // namespace tern::ort_backend
