// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Options that only GPU backends have.
#include <charconv>

#include "base/error.h"
#include "model/text.h"
#include "tern/dev/backend.h"
#include "tern/engine.h"

namespace tern {
namespace {

constexpr int kMaxGpus = 64;
constexpr std::string_view kAmperePlus = "ampere_plus", kThisGpu = "this_gpu";

Status refuse(std::string_view option, std::string_view backend, std::string_view what) {
  return make_error(StatusCode::kConfigError, "{} has no {}", backend, what)
      .at(option)
      .with_hint("leave it out, or use another backend (`tern doctor` lists them)");
}

}  // namespace

std::string_view to_string(HardwareLevel level) noexcept {
  return level == HardwareLevel::kAmperePlus ? kAmperePlus : kThisGpu;
}

Result<HardwareLevel> parse_hardware_level(std::string_view text) {
  if (text == kThisGpu) return HardwareLevel::kThisGpu;
  if (text == kAmperePlus) return HardwareLevel::kAmperePlus;
  return make_error(StatusCode::kConfigError, "{} is no set of GPUs", in_quotes(text))
      .with_hint(fmt::format("{} or {}", kThisGpu, kAmperePlus));
}

Result<Device> parse_gpu(std::string_view text) {
  constexpr std::string_view kPrefix = "cuda:";
  int index = -1;
  if (text.starts_with(kPrefix)) {
    const std::string_view number = text.substr(kPrefix.size());
    const bool has_one_form = number.size() == 1 || !number.starts_with('0');
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
    if (error != std::errc() || end != number.data() + number.size() || !has_one_form) index = -1;
  }
  if (index >= 0 && index < kMaxGpus) return Device{DeviceKind::kCuda, index};
  return make_error(StatusCode::kConfigError, "{} is no GPU", in_quotes(text))
      .with_hint(fmt::format("cuda:0 to cuda:{}, as `tern doctor` counts them", kMaxGpus - 1));
}

Status dev::refuse_gpu_options(const BuildConfig& config, std::string_view backend) {
  if (config.workspace) return refuse("workspace", backend, "limit on a workspace");
  if (config.optimization_level >= 0) return refuse("optimization_level", backend, "optimisation levels");
  if (config.tf32) return refuse("tf32", backend, "TF32");
  if (config.hardware != HardwareLevel::kThisGpu) return refuse("hardware", backend, "engines for several GPUs");
  if (config.version_compatible)
    return refuse("version_compatible", backend, "engines that other versions of it can load");
  if (config.aux_streams >= 0) return refuse("aux_streams", backend, "streams of its own");
  if (config.dla_core >= 0) return refuse("dla_core", backend, "deep-learning accelerator");
  if (config.device) return refuse("device", backend, "GPU");
  return {};
}

Status dev::refuse_gpu_options(const LoadOptions& options, std::string_view backend) {
  if (options.device) return refuse("device", backend, "GPU");
  if (options.persistent_cache_bytes)
    return refuse("persistent_cache_bytes", backend, "persistent part of an L2 cache");
  return {};
}

}  // namespace tern
