// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/thermal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "runtime/nvml.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxEntries = 1024;  // of a folder
constexpr std::size_t kMaxText = 64;       // of a file: a name or a number

/// The first line of a file of sysfs; empty when it cannot be read or is no plain text.
std::string read_line(const fs::path& file) {
  std::array<char, kMaxText> text{};
  std::ifstream stream(file, std::ios::binary);
  stream.read(text.data(), text.size());
  std::string_view line(text.data(), static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  line = line.substr(0, line.find('\n'));
  const bool is_plain = std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
  return is_plain && line.size() < kMaxText ? std::string(line) : std::string();
}

std::optional<std::int64_t> read_number(const fs::path& file) {
  const std::string line = read_line(file);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (line.empty() || error != std::errc() || end != line.data() + line.size()) return {};
  return value;
}

/// What is in `folder` and begins with `prefix`, sorted, so that the answer does not depend on the file system.
std::vector<fs::path> entries(const fs::path& folder, std::string_view prefix) {
  std::vector<fs::path> list;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end && list.size() < kMaxEntries;
       it.increment(error)) {
    if (it->path().filename().string().starts_with(prefix)) list.push_back(it->path());
  }
  std::ranges::sort(list);
  return list;
}

struct Zone {
  std::string type;
  double celsius = 0;
};

void add_zone(const std::string& type, const fs::path& temperature, std::vector<Zone>& zones) {
  const auto millidegrees = read_number(temperature);
  // Sensors that are switched off give an error, or a value that no running machine has.
  if (!millidegrees || *millidegrees <= -40'000 || *millidegrees >= 150'000) return;
  zones.push_back({type, static_cast<double>(*millidegrees) / 1000});
}

/// The thermal zones, and the processor's own sensor where it is none of them (AMD's never is).
std::vector<Zone> read_zones(const fs::path& root) {
  std::vector<Zone> zones;
  for (const fs::path& folder : entries(root / "class/thermal", "thermal_zone"))
    add_zone(read_line(folder / "type"), folder / "temp", zones);
  for (const fs::path& folder : entries(root / "class/hwmon", "hwmon")) {
    const std::string name = read_line(folder / "name");
    if (name == "coretemp" || name == "k10temp") add_zone(name, folder / "temp1_input", zones);
  }
  return zones;
}

bool contains(std::string_view text, std::string_view part) noexcept {
  return text.find(part) != std::string_view::npos;
}

/// Whether a cooling device works by slowing the processor or the GPU down; fans, screens and radios do not.
bool is_slowdown(std::string_view type) noexcept {
  return type == "Processor" || type.starts_with("cpufreq") || type.starts_with("thermal-cpufreq") ||
         type.starts_with("cpu-") || type.starts_with("intel_powerclamp") || contains(type, "devfreq") ||
         contains(type, "throttle-alert") || type.ends_with(".gpu") || type.ends_with(".ga10b") ||
         type.ends_with(".gv11b");
}

std::vector<std::string> read_slowdowns(const fs::path& root) {
  std::vector<std::string> reasons;
  for (const fs::path& folder : entries(root / "class/thermal", "cooling_device")) {
    const std::string type = read_line(folder / "type");
    const auto state = read_number(folder / "cur_state");
    if (!is_slowdown(type) || !state || *state <= 0) continue;
    const auto most = read_number(folder / "max_state");
    reasons.push_back(most ? fmt::format("{} slowed down, step {} of {}", type, *state, *most)
                           : fmt::format("{} slowed down, step {}", type, *state));
  }
  // A processor has a cooling device for each core, and they go together.
  const auto repeated = std::ranges::unique(reasons);
  reasons.erase(repeated.begin(), repeated.end());
  return reasons;
}

/// A Jetson's GPU in devfreq; none on other machines. (Xavier: 17000000.gv11b, Orin: 17000000.ga10b or .gpu, Nano: 57000000.gpu.)
std::optional<fs::path> find_jetson_gpu(const fs::path& root) {
  for (const fs::path& folder : entries(root / "class/devfreq", "")) {
    const std::string name = folder.filename().string();
    const bool is_gpu =
        name.ends_with(".gpu") || name.ends_with(".ga10b") || name.ends_with(".gv11b") || name.ends_with(".gp10b");
    if (is_gpu && name.find_first_not_of("0123456789abcdef") == name.find('.')) return folder;
  }
  return {};
}

/// The junction's zone is the hottest of a Jetson's by definition, the GPU's the next best; others (the power supply's) may be
/// constants.
double jetson_temperature(const std::vector<Zone>& zones) {
  for (const std::string_view type : {"tj-thermal", "Tj-therm", "gpu-thermal", "GPU-therm"}) {
    const auto zone = std::ranges::find(zones, type, &Zone::type);
    if (zone != zones.end()) return zone->celsius;
  }
  return std::ranges::max(zones, {}, &Zone::celsius).celsius;
}

double megahertz(std::optional<std::int64_t> frequency, double per_megahertz) noexcept {
  return frequency && *frequency > 0 ? static_cast<double>(*frequency) / per_megahertz : 0;
}

/// The fastest core's clocks; the kernel counts in kHz.
void read_cpu_clocks(const fs::path& root, ThermalState& state) {
  for (const fs::path& folder : entries(root / "devices/system/cpu", "cpu")) {
    state.clock_mhz = std::max(state.clock_mhz, megahertz(read_number(folder / "cpufreq/scaling_cur_freq"), 1e3));
    state.max_clock_mhz =
        std::max(state.max_clock_mhz, megahertz(read_number(folder / "cpufreq/cpuinfo_max_freq"), 1e3));
  }
}

}  // namespace

ThermalState read_sysfs_thermal(const fs::path& root) {
  const std::vector<Zone> zones = read_zones(root);
  if (zones.empty()) return no_telemetry(fmt::format("no temperature under {} can be read", root.string()));
  ThermalState state{.is_telemetry_available = true};
  state.reasons = read_slowdowns(root);
  state.throttled = !state.reasons.empty();
  if (const std::optional<fs::path> gpu = find_jetson_gpu(root)) {
    state.source = "jetson";
    state.temperature_c = jetson_temperature(zones);
    state.clock_mhz = megahertz(read_number(*gpu / "cur_freq"), 1e6);  // devfreq counts in Hz
    state.max_clock_mhz = megahertz(read_number(*gpu / "max_freq"), 1e6);
  } else {
    state.source = "sysfs";
    state.temperature_c = std::ranges::max(zones, {}, &Zone::celsius).celsius;
    read_cpu_clocks(root, state);
  }
  return state;
}

ThermalPublisher default_thermal_publisher() {
  return [] {
    ThermalState gpu = read_nvml_thermal();
    if (gpu.is_telemetry_available) return gpu;
    ThermalState machine = read_sysfs_thermal();
    if (!machine.is_telemetry_available)
      machine.reasons.insert(machine.reasons.begin(), gpu.reasons.begin(), gpu.reasons.end());
    return machine;
  };
}

}  // namespace tern
