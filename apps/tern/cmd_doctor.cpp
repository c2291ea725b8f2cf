// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sched.h>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "media/av.h"
#include "options.h"
#include "result_json.h"
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

Json thermal_json() {
  const ThermalState state = default_thermal_publisher()();
  const bool is_known = state.is_telemetry_available;
  const auto number = [](bool is_there, double value) { return is_there ? Json(value) : Json(nullptr); };
  return {{"source", state.source},
          {"available", is_known},
          {"temperature_c", number(is_known, state.temperature_c)},
          {"throttled", is_known ? Json(state.throttled) : Json(nullptr)},
          {"reasons", state.reasons},
          {"clock_mhz", number(state.clock_mhz > 0, state.clock_mhz)},
          {"max_clock_mhz", number(state.max_clock_mhz > 0, state.max_clock_mhz)}};
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
    app.add_option("--json", json_, "Write it as JSON; - is standard output")->type_name("FILE")->group("Output");
    common_.declare_output(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Logger> logger, common_.logger());
    const BackendRegistry registry = BackendRegistry::load(logger);
    const Json report = examine(registry);
    print(console, report);
    if (json_) {
      TERN_ASSIGN_OR_RETURN(TextOutput output, TextOutput::open(*json_));
      TERN_RETURN_IF_ERROR(output.write_line(to_document(report)));
      TERN_RETURN_IF_ERROR(output.commit());
    }
    return registry.find("auto").status();
  }

 private:
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
    report["thermal"] = thermal_json();
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

  std::optional<std::string> json_;
  CommonOptions common_;
};

}  // namespace

const CommandInfo kDoctorCommand{"doctor", "Show this machine, the backends found, and why one cannot run",
                                 "  tern doctor\n  tern doctor --json -",
                                 [] { return std::unique_ptr<Command>(std::make_unique<DoctorCommand>()); }};

}  // namespace tern
