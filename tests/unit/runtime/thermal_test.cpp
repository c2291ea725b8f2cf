// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "tern/thermal.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "runtime/nvml.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A folder in the place of /sys.
class FakeSys {
 public:
  FakeSys() {
    std::string name = (fs::temp_directory_path() / "tern-sysfs-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  FakeSys(const FakeSys&) = delete;
  FakeSys& operator=(const FakeSys&) = delete;
  ~FakeSys() { fs::remove_all(root_); }

  /// A machine's files as `grep -rs '' class/thermal ...` prints them ("path:text"), written by hand after the layout that such
  /// machines have.
  void add_recording(const std::string& machine) {
    const fs::path file = fs::path(TERN_SOURCE_DIR) / "tests/data/sysfs" / (machine + ".txt");
    std::istringstream lines(read_text_file(file, 1 << 20).value());
    for (std::string line; std::getline(lines, line);) {
      const std::size_t colon = line.find(':');
      ASSERT_NE(colon, std::string::npos) << line;
      add(line.substr(0, colon), line.substr(colon + 1) + "\n");
    }
  }
  void add(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  [[nodiscard]] const fs::path& root() const noexcept { return root_; }
  [[nodiscard]] ThermalState read() const { return read_sysfs_thermal(root_); }

 private:
  fs::path root_;
};

ThermalState recorded(const std::string& machine) {
  FakeSys sys;
  sys.add_recording(machine);
  return sys.read();
}

void expect_nothing_known(const ThermalState& state) {
  EXPECT_FALSE(state.is_telemetry_available);
  EXPECT_FALSE(state.throttled);
  EXPECT_EQ(state.temperature_c, 0);
  EXPECT_EQ(state.clock_mhz, 0);
  EXPECT_EQ(state.max_clock_mhz, 0);
  EXPECT_EQ(state.source, "none");
  ASSERT_EQ(state.reasons.size(), 1U);
}

TEST(SysfsThermal, a_laptop_gives_its_hottest_sensor_and_fastest_core) {
  const ThermalState state = recorded("laptop");
  EXPECT_TRUE(state.is_telemetry_available);
  EXPECT_EQ(state.source, "sysfs");
  EXPECT_DOUBLE_EQ(state.temperature_c, 81);
  EXPECT_DOUBLE_EQ(state.clock_mhz, 3210);
  EXPECT_DOUBLE_EQ(state.max_clock_mhz, 4700);
}

TEST(SysfsThermal, fans_and_offsets_are_no_throttling) {
  const ThermalState state = recorded("laptop");  // its fan runs and its TCC offset is 13
  EXPECT_FALSE(state.throttled);
  EXPECT_THAT(state.reasons, IsEmpty());
}

TEST(SysfsThermal, a_throttled_laptop_says_what_slows_it_down) {
  const ThermalState state = recorded("laptop_throttled");
  EXPECT_TRUE(state.throttled);
  EXPECT_DOUBLE_EQ(state.temperature_c, 99);
  EXPECT_THAT(state.reasons,
              ElementsAre("Processor slowed down, step 2 of 3", "intel_powerclamp slowed down, step 12 of 50"));
}

TEST(SysfsThermal, a_jetson_gives_its_junction_and_its_gpus_clocks) {
  const ThermalState state = recorded("jetson_orin");
  EXPECT_TRUE(state.is_telemetry_available);
  EXPECT_EQ(state.source, "jetson");
  EXPECT_DOUBLE_EQ(state.temperature_c, 54.093);
  EXPECT_DOUBLE_EQ(state.clock_mhz, 306);
  EXPECT_DOUBLE_EQ(state.max_clock_mhz, 1300.5);
  EXPECT_FALSE(state.throttled) << "its fan runs";
}

TEST(SysfsThermal, a_throttled_jetson_says_what_slows_it_down) {
  const ThermalState state = recorded("jetson_orin_throttled");
  EXPECT_TRUE(state.throttled);
  EXPECT_DOUBLE_EQ(state.temperature_c, 99.5);
  EXPECT_THAT(state.reasons, ElementsAre("devfreq-17000000.gpu slowed down, step 4 of 9",
                                         "gpu-throttle-alert slowed down, step 1 of 1"));
}

TEST(SysfsThermal, a_jetsons_constant_sensor_is_not_its_temperature) {
  EXPECT_DOUBLE_EQ(recorded("jetson_nano").temperature_c, 34);  // PMIC-Die says 100
}

TEST(SysfsThermal, a_processor_without_a_thermal_zone_has_its_own_sensor) {
  const ThermalState state = recorded("amd_desktop");
  EXPECT_DOUBLE_EQ(state.temperature_c, 61.375) << "the disk, which is hotter, does not count";
  EXPECT_DOUBLE_EQ(state.max_clock_mhz, 5050);
}

TEST(SysfsThermal, nothing_there_is_not_available) {
  FakeSys sys;
  expect_nothing_known(sys.read());
  EXPECT_THAT(sys.read().reasons[0], HasSubstr(sys.root().string()));
  fs::create_directories(sys.root() / "class/thermal");
  expect_nothing_known(sys.read());
  expect_nothing_known(read_sysfs_thermal("/nonexistent"));
  expect_nothing_known(read_sysfs_thermal("/proc/self/status"));
}

TEST(SysfsThermal, garbage_is_not_available) {
  const std::vector<std::string> texts{"",
                                       "hot",
                                       std::string("\0\1\2", 3),
                                       "99999999999999999999",
                                       "200000",
                                       "-274000",
                                       " 40000",
                                       "40000 C",
                                       std::string(5000, '4'),
                                       "0x9c40",
                                       "4e4",
                                       "\xff\xfe"};
  for (const std::string& text : texts) {
    FakeSys sys;
    sys.add("class/thermal/thermal_zone0/type", "acpitz\n");
    sys.add("class/thermal/thermal_zone0/temp", text);
    sys.add("devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1000000\n");
    expect_nothing_known(sys.read());
  }
  FakeSys folder;
  fs::create_directories(folder.root() / "class/thermal/thermal_zone0/temp");
  fs::create_directories(folder.root() / "class/hwmon/hwmon0/name");
  expect_nothing_known(folder.read());
}

TEST(SysfsThermal, garbage_beside_a_good_sensor_is_left_out) {
  FakeSys sys;
  sys.add("class/thermal/thermal_zone0/type", "\xff\xfe\x01junk");
  sys.add("class/thermal/thermal_zone0/temp", "45500\n");
  sys.add("class/thermal/thermal_zone1/temp", "hot\n");
  sys.add("class/thermal/cooling_device0/type", "Processor\n");
  sys.add("class/thermal/cooling_device0/cur_state", "many\n");
  sys.add("class/thermal/cooling_device1/type", "Processor\x01\n");
  sys.add("class/thermal/cooling_device1/cur_state", "3\n");
  sys.add("class/thermal/cooling_device2/type", "Processor\n");
  sys.add("class/thermal/cooling_device2/cur_state", "1\n");
  sys.add("class/thermal/cooling_device2/max_state", "x\n");
  sys.add("class/thermal/cooling_device3", "no folder");
  sys.add("class/devfreq/gpu", "no folder");
  sys.add("class/devfreq/mali.gpu/cur_freq", "1\n");
  sys.add("devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "-5\n");
  sys.add("devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "fast\n");
  const ThermalState state = sys.read();
  EXPECT_TRUE(state.is_telemetry_available);
  EXPECT_EQ(state.source, "sysfs");
  EXPECT_DOUBLE_EQ(state.temperature_c, 45.5);
  EXPECT_EQ(state.clock_mhz, 0);
  EXPECT_EQ(state.max_clock_mhz, 0);
  EXPECT_THAT(state.reasons, ElementsAre("Processor slowed down, step 1"));
}

TEST(NvmlThermal, bits_that_slow_a_gpu_down_have_names_and_idling_is_none) {
  EXPECT_THAT(throttle_reasons(0), IsEmpty());
  EXPECT_THAT(throttle_reasons(0x1 | 0x2 | 0x10 | 0x100), IsEmpty()) << "idle, set clocks, sync boost, display";
  EXPECT_THAT(throttle_reasons(~0ULL),
              ElementsAre("power_cap", "hw_slowdown", "sw_thermal_slowdown", "hw_thermal_slowdown", "hw_power_brake"));
  EXPECT_THAT(throttle_reasons(0x20), ElementsAre("sw_thermal_slowdown"));
}

bool has_nvml() {
  void* library = ::dlopen(kNvmlLibrary, RTLD_LAZY | RTLD_LOCAL);
  if (library != nullptr) ::dlclose(library);
  return library != nullptr;
}

TEST(NvmlThermal, without_the_library_the_reason_is_given) {
  if (has_nvml()) GTEST_SKIP() << kNvmlLibrary << " is here";
  expect_nothing_known(read_nvml_thermal());
  EXPECT_THAT(read_nvml_thermal().reasons[0], HasSubstr(kNvmlLibrary));
}

TEST(NvmlThermal, a_gpu_tells_a_plausible_state) {
  if (!has_nvml()) GTEST_SKIP() << "no " << kNvmlLibrary;
  const ThermalState state = read_nvml_thermal();
  if (!state.is_telemetry_available) GTEST_SKIP() << "the library is here, but no GPU: " << state.reasons.at(0);
  EXPECT_EQ(state.source, "nvml");
  EXPECT_GT(state.temperature_c, 0);
  EXPECT_LT(state.temperature_c, 130);
  EXPECT_GT(state.clock_mhz, 0);
  EXPECT_GE(state.max_clock_mhz, state.clock_mhz);
  EXPECT_EQ(state.throttled, !state.reasons.empty());
}

TEST(NvmlThermal, a_gpu_that_does_not_exist_is_not_available) {
  expect_nothing_known(read_nvml_thermal(1000));
}

TEST(Thermal, the_default_publisher_answers_many_threads_at_once) {
  const ThermalPublisher publish = default_thermal_publisher();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        const ThermalState state = publish();
        EXPECT_EQ(state.is_telemetry_available, state.source != "none");
        EXPECT_TRUE(state.is_telemetry_available || !state.reasons.empty());
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
}

}  // namespace
}  // namespace tern
