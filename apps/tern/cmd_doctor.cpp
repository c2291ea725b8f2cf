// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sched.h>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/byte_size.h"
#include "base/error.h"
#include "media/av.h"
#include "options.h"
#include "result_json.h"
#include "tern/device.h"
#include "tern/engine.h"
#include "tern/thermal.h"
#include "tern/version.h"
#include "text_output.h"

namespace tern {
namespace {

// The value of the first "key : value" line of a file of /proc.
std::string proc_field(const char* file, std::string_view key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || !line.starts_with(key)) continue;
    const std::size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? std::string() : line.substr(start);
  }
  return {};
}

std::string instruction_sets() {
#if defined(__x86_64__)
  std::string text = "SSE2";
  if (__builtin_cpu_supports("avx2")) text += " AVX2";
  if (__builtin_cpu_supports("fma")) text += " FMA";
  if (__builtin_cpu_supports("avx512f")) text += " AVX-512";
  if (__builtin_cpu_supports("avx512vnni")) text += " AVX-512-VNNI";
  return text;
#elif defined(__aarch64__)
  return "NEON";
#else
  return "unknown";
#endif
}

int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
}

std::string thermal_text(const Json& thermal) {
  std::string reasons;
  for (const Json& reason : thermal["reasons"])
    reasons += (reasons.empty() ? "" : "; ") + reason.get<std::string>();
  if (!thermal["available"].get<bool>()) return "not known: " + reasons;
  std::string text = fmt::format("{:.0f} C", thermal["temperature_c"].get<double>());
  if (!thermal["clock_mhz"].is_null()) text += fmt::format(", {:.0f} MHz", thermal["clock_mhz"].get<double>());
  if (!thermal["max_clock_mhz"].is_null()) text += fmt::format(" of {:.0f}", thermal["max_clock_mhz"].get<double>());
  text += thermal["throttled"].get<bool>() ? ", throttled: " + reasons : ", not throttled";
  return fmt::format("{} ({})", text, thermal["source"].get<std::string>());
}

class DoctorCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_flag("--gpu-test", gpu_test_, "Send data through every GPU, compare every bit, and measure the bandwidth");
    app.add_option("--json", json_, "Write it as JSON; - is standard output")->type_name("FILE")->group("Output");
    common_.declare_output(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Logger> logger, common_.logger());
    const BackendRegistry registry = BackendRegistry::load(logger);
    Json report = examine(registry);
    const Status gpus = examine_gpus(report);
    print(console, report);
    if (json_) {
      TERN_RETURN_IF_ERROR(TextOutput::write(*json_, to_document(report)));
    }
    if (gpu_test_) TERN_RETURN_IF_ERROR(gpus);
    return registry.find("auto").status();
  }

 private:
  /// Adds what there is of GPUs to the report; the first failure, of the tests too where they were asked for.
  Status examine_gpus(Json& report) const {
    report["gpus"] = Json::array();
    report["cuda"] = nullptr;
    report["gpu_problem"] = nullptr;
    report["gpu_hint"] = nullptr;
    const Status status = list_gpus(report);
    if (!status.ok()) {
      report["gpu_problem"] = status.message();
      report["gpu_hint"] = status.hint();
    }
    return status;
  }

  Status list_gpus(Json& report) const {
    TERN_ASSIGN_OR_RETURN(const Cuda cuda, Cuda::load());
    TERN_ASSIGN_OR_RETURN(const CudaVersions versions, cuda.versions());
    report["cuda"] = {{"library", cuda.library().string()}, {"driver", versions.driver}, {"runtime", versions.runtime}};
    TERN_ASSIGN_OR_RETURN(const std::vector<DeviceTraits> devices, cuda.devices());
    Status first;
    for (const DeviceTraits& device : devices) {
      Json gpu{{"index", device.index},
               {"name", device.name},
               {"target", device.target()},
               {"memory_bytes", device.memory_bytes},
               {"integrated", device.is_integrated},
               {"pci_bus_id", device.pci_bus_id},
               {"copy_engines", device.copy_engines},
               {"l2_bytes", device.l2_bytes},
               {"shared_memory_bytes", device.shared_memory_bytes}};
      const auto memory = cuda.memory(device.index);
      gpu["free_bytes"] = memory.ok() ? Json(memory->free_bytes) : Json(nullptr);
      if (!memory.ok() && first.ok()) first = memory.status();
      if (gpu_test_) {
        const auto test = cuda.self_test(device.index);
        gpu["self_test"] = test.ok() ? Json{{"passed", true},
                                            {"bytes", test->bytes},
                                            {"to_device_gb_s", test->to_device_gb_s},
                                            {"to_host_gb_s", test->to_host_gb_s},
                                            {"on_device_gb_s", test->on_device_gb_s}}
                                     : Json{{"passed", false}, {"reason", test.status().to_string()}};
        if (!test.ok() && first.ok()) first = test.status().at(fmt::format("cuda:{}", device.index));
      }
      report["gpus"].push_back(std::move(gpu));
    }
    return first;
  }

  static void print_gpus(const Console& console, const Json& report) {
    const auto size = [](const Json& bytes) { return format_byte_size(bytes.get<std::uint64_t>()); };
    for (const Json& gpu : report["gpus"]) {
      console.print(fmt::format("gpu {:<5} {}, {}, {}{}", gpu["index"].get<int>(), gpu["name"].get<std::string>(),
                                gpu["target"].get<std::string>(), size(gpu["memory_bytes"]),
                                gpu["free_bytes"].is_null() ? "" : fmt::format(" ({} free)", size(gpu["free_bytes"]))));
      if (!gpu.contains("self_test")) continue;
      const Json& test = gpu["self_test"];
      console.print(
          test["passed"].get<bool>()
              ? fmt::format(
                    "          test passed: to the GPU {:.1f} GB/s, back {:.1f} GB/s, through a kernel {:.0f} GB/s",
                    test["to_device_gb_s"].get<double>(), test["to_host_gb_s"].get<double>(),
                    test["on_device_gb_s"].get<double>())
              : fmt::format("          test FAILED: {}", test["reason"].get<std::string>()));
    }
    if (!report["cuda"].is_null()) {
      console.print(fmt::format("cuda      driver for CUDA {}, tern's CUDA {}",
                                report["cuda"]["driver"].get<std::string>(),
                                report["cuda"]["runtime"].get<std::string>()));
    }
    if (report["gpus"].empty() && !report["gpu_problem"].is_null()) {
      console.print(fmt::format("gpu       none: {}", report["gpu_problem"].get<std::string>()));
      console.print(fmt::format("          {}", report["gpu_hint"].get<std::string>()));
    }
  }

  static Json examine(const BackendRegistry& registry) {
    Json report;
    report["tern"] = version();
    report["compiler"] = compiler_tag();
    const std::string cpu = proc_field("/proc/cpuinfo", "model name");
    report["cpu"] = cpu.empty() ? "unknown" : cpu;
    report["isa"] = instruction_sets();
    report["processors"] = std::thread::hardware_concurrency();
    report["usable_processors"] = usable_processors();
    report["memory"] = proc_field("/proc/meminfo", "MemTotal");
    report["memory_available"] = proc_field("/proc/meminfo", "MemAvailable");
    report["thermal"] = thermal_json(default_thermal_publisher()());
    report["video_decoding"] = av_version_info();
    report["video_encoder"] = avcodec_find_encoder_by_name("libx264") != nullptr   ? "libx264"
                              : avcodec_find_encoder(AV_CODEC_ID_MPEG4) != nullptr ? "mpeg4"
                                                                                   : "none";
    const char* path = std::getenv("TERN_PLUGIN_PATH");
    report["plugin_path"] = path == nullptr ? Json(nullptr) : Json(path);
    Json folders = Json::array();
    Json backends = Json::array();
    for (const BackendRegistry::Entry& entry : registry.entries()) {
      const std::string folder = entry.plugin.parent_path().string();
      if (std::find(folders.begin(), folders.end(), Json(folder)) == folders.end()) folders.push_back(folder);
      Json facts = Json::object();
      if (entry.backend) {
        const HostFacts host = entry.backend->host_facts();
        facts["version"] = host.version;
        facts["target"] = host.target;
        for (const auto* list : {&host.fit, &host.info})
          for (const auto& [key, value] : *list)
            facts[key] = value;
      }
      backends.push_back({{"plugin", entry.plugin.string()},
                          {"name", entry.name},
                          {"version", entry.version},
                          {"loaded", entry.backend != nullptr},
                          {"score", entry.score.score},
                          {"reason", entry.status.ok() ? entry.score.reason : entry.status.to_string()},
                          {"facts", facts}});
    }
    report["plugin_folders"] = folders;
    report["backends"] = backends;
    return report;
  }

  static void print(const Console& console, const Json& report) {
    const auto text = [&](const char* key) { return report[key].get<std::string>(); };
    console.print(fmt::format("tern      {} ({})", text("tern"), text("compiler")));
    console.print(fmt::format("cpu       {}, {} of {} processors usable", text("cpu"),
                              report["usable_processors"].get<int>(), report["processors"].get<int>()));
    console.print(fmt::format("isa       {}", text("isa")));
    console.print(fmt::format("memory    {}, {} available", text("memory"), text("memory_available")));
    console.print(fmt::format("thermal   {}", thermal_text(report["thermal"])));
    print_gpus(console, report);
    console.print(fmt::format("video     FFmpeg {}, encoder {}", text("video_decoding"), text("video_encoder")));
    console.print(fmt::format("plugins   {}", report["plugin_path"].is_null()
                                                  ? std::string("from the folder beside libtern")
                                                  : "from TERN_PLUGIN_PATH=" + text("plugin_path")));
    for (const Json& backend : report["backends"]) {
      const int score = backend["score"].get<int>();
      const std::string name = backend["name"].get<std::string>();
      console.print(fmt::format("\n{} {}: {}", name.empty() ? "plugin" : "backend",
                                name.empty() ? backend["plugin"].get<std::string>() : name,
                                score > 0 ? fmt::format("ready, score {}", score) : "cannot run here"));
      if (!name.empty()) console.print(fmt::format("  file     {}", backend["plugin"].get<std::string>()));
      if (!backend["reason"].get<std::string>().empty()) {
        console.print(fmt::format("  {}   {}", score > 0 ? "device" : "reason", backend["reason"].get<std::string>()));
      }
      for (const auto& [key, value] : backend["facts"].items())
        console.print(fmt::format("  {:<8} {}", key, value.get<std::string>()));
    }
    if (report["backends"].empty()) console.print("\nno backend plugins found");
  }

  bool gpu_test_ = false;
  std::optional<std::string> json_;
  CommonOptions common_;
};

}  // namespace

const CommandInfo kDoctorCommand{"doctor", "Show this machine, the backends found, and why one cannot run",
                                 "  tern doctor\n  tern doctor --gpu-test\n  tern doctor --json -",
                                 make_command<DoctorCommand>};

}  // namespace tern
