// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/nvml.h"

#include <array>
#include <dlfcn.h>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace tern {
namespace {

// The part of nvml.h that is used, declared here so that no header and no library of NVIDIA's is needed to build. NVML promises
// that functions of these names keep these types.
using NvmlResult = int;
using NvmlDevice = struct NvmlDeviceHandle*;
constexpr NvmlResult kSuccess = 0;
constexpr unsigned kTemperatureGpu = 0;  // NVML_TEMPERATURE_GPU
constexpr unsigned kClockSm = 1;         // NVML_CLOCK_SM

using Init = NvmlResult (*)();
using Shutdown = NvmlResult (*)();
using ErrorString = const char* (*)(NvmlResult);
using HandleByIndex = NvmlResult (*)(unsigned index, NvmlDevice* device);
using Temperature = NvmlResult (*)(NvmlDevice device, unsigned sensor, unsigned* celsius);
using ThrottleReasons = NvmlResult (*)(NvmlDevice device, unsigned long long* bits);
using ClockInfo = NvmlResult (*)(NvmlDevice device, unsigned clock, unsigned* mhz);

struct CloseLibrary {
  void operator()(void* library) const noexcept { ::dlclose(library); }
};

/// The library with the functions that are needed, initialised. NVML itself is thread-safe; this is constant once made.
class Nvml {
 public:
  Nvml() : library_(::dlopen(kNvmlLibrary, RTLD_LAZY | RTLD_LOCAL)) {
    if (!library_) {
      const char* error = ::dlerror();
      why_not_ = fmt::format("no NVIDIA driver: {}", error == nullptr ? "cannot open libnvidia-ml.so.1" : error);
      return;
    }
    const bool has_all =
        find("nvmlInit_v2", init_) && find("nvmlShutdown", shutdown_) && find("nvmlErrorString", error_string_) &&
        find("nvmlDeviceGetHandleByIndex_v2", handle_by_index_) && find("nvmlDeviceGetTemperature", temperature_) &&
        find("nvmlDeviceGetCurrentClocksThrottleReasons", throttle_reasons_) &&
        find("nvmlDeviceGetClockInfo", clock_info_) && find("nvmlDeviceGetMaxClockInfo", max_clock_info_);
    if (!has_all) return;
    const NvmlResult result = init_();
    if (result != kSuccess) {
      why_not_ = error("nvmlInit", result);
    } else {
      is_ready_ = true;
    }
  }
  ~Nvml() {
    if (is_ready_) shutdown_();
  }
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  [[nodiscard]] ThermalState read(unsigned index) const {
    if (!is_ready_) return no_telemetry(why_not_);
    NvmlDevice device = nullptr;
    if (const NvmlResult result = handle_by_index_(index, &device); result != kSuccess)
      return no_telemetry(error(fmt::format("GPU {}", index), result));
    unsigned celsius = 0;
    if (const NvmlResult result = temperature_(device, kTemperatureGpu, &celsius); result != kSuccess)
      return no_telemetry(error(fmt::format("temperature of GPU {}", index), result));
    ThermalState state{.is_telemetry_available = true, .temperature_c = static_cast<double>(celsius), .source = "nvml"};
    // What a GPU does not tell stays unknown: it is no reason to withhold its temperature.
    unsigned long long bits = 0;
    if (throttle_reasons_(device, &bits) == kSuccess) {
      state.reasons = tern::throttle_reasons(bits);
      state.throttled = !state.reasons.empty();
    }
    unsigned mhz = 0;
    if (clock_info_(device, kClockSm, &mhz) == kSuccess) state.clock_mhz = mhz;
    if (max_clock_info_(device, kClockSm, &mhz) == kSuccess) state.max_clock_mhz = mhz;
    return state;
  }

 private:
  template <typename Function>
  bool find(const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(library_.get(), name));
    if (function == nullptr) why_not_ = fmt::format("{} has no function {}", kNvmlLibrary, name);
    return function != nullptr;
  }
  [[nodiscard]] std::string error(const std::string& what, NvmlResult result) const {
    const char* text = error_string_(result);
    return fmt::format("NVML: {}: {}", what, text == nullptr ? "unknown error" : text);
  }

  std::unique_ptr<void, CloseLibrary> library_;  // first: the functions live in it
  std::string why_not_;
  bool is_ready_ = false;
  Init init_ = nullptr;
  Shutdown shutdown_ = nullptr;
  ErrorString error_string_ = nullptr;
  HandleByIndex handle_by_index_ = nullptr;
  Temperature temperature_ = nullptr;
  ThrottleReasons throttle_reasons_ = nullptr;
  ClockInfo clock_info_ = nullptr, max_clock_info_ = nullptr;
};

}  // namespace

std::vector<std::string> throttle_reasons(unsigned long long bits) {
  constexpr std::array<std::pair<unsigned long long, std::string_view>, 5> kReasons{{{0x04, "power_cap"},
                                                                                     {0x08, "hw_slowdown"},
                                                                                     {0x20, "sw_thermal_slowdown"},
                                                                                     {0x40, "hw_thermal_slowdown"},
                                                                                     {0x80, "hw_power_brake"}}};
  std::vector<std::string> reasons;
  for (const auto& [bit, name] : kReasons) {
    if ((bits & bit) != 0) reasons.emplace_back(name);
  }
  return reasons;
}

ThermalState no_telemetry(std::string reason) {
  return {.reasons = {std::move(reason)}, .source = "none"};
}

ThermalState read_nvml_thermal(unsigned index) {
  static const Nvml nvml;  // opened by whoever asks first, closed when the process ends
  return nvml.read(index);
}

}  // namespace tern
