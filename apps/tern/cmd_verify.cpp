// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "command.h"
#include "options.h"
#include "result_json.h"
#include "text_output.h"

namespace tern {
namespace {

class VerifyCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("ENGINE", engine_, "An engine file (X.engine), with its files beside it")
        ->required()
        ->type_name("FILE");
    app.add_option("--json", json_, "Write the report as JSON to FILE, or - for standard output")->type_name("FILE");
    common_.declare_output(app);
    runtime_flags_.declare(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    TERN_ASSIGN_OR_RETURN(const RuntimeConfig config, runtime_flags_.resolve());
    TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Logger> logger, common_.logger());
    std::optional<TrustStore> trust;
    if (!config.trust_keys.empty()) {
      TERN_ASSIGN_OR_RETURN(trust, TrustStore::from_path(config.trust_keys));
    }
    TERN_ASSIGN_OR_RETURN(const GatedEngine gated, gate_files({engine_}, {.trust = trust ? &*trust : nullptr}));
    console.print(fmt::format("gate A    passed: {} bytes in {} chunks, {}", gated.manifest.size,
                              gated.manifest.chunks.size(), gated.is_signed ? "signed" : "not signed"));
    TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Backend> backend,
                          BackendRegistry::load(logger).find(gated.manifest.backend, gated.manifest.backend_version));
    TERN_RETURN_IF_ERROR(gate_fit(gated.manifest, backend->name(), backend->host_facts()));
    console.print(fmt::format("gate B    passed: {} {} on {}", gated.manifest.backend, gated.manifest.backend_version,
                              backend->host_facts().target));
    TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Engine> engine, backend->load(gated.blob(), {.logger = logger}));
    if (gated.golden.empty()) {
      console.print("golden    none: the engine was stored without golden frames");
      return write_json(gated, {});
    }
    TERN_ASSIGN_OR_RETURN(const GoldenSet golden, GoldenSet::from_bytes(gated.golden, engine_ + ".golden"));
    std::optional<Contract> contract;
    if (!gated.manifest.contract.empty()) {
      TERN_ASSIGN_OR_RETURN(contract, Contract::from_json(gated.manifest.contract, engine_ + ".json"));
    }
    GoldenReport report;
    const Status status = check_golden(*engine, golden, contract ? &*contract : nullptr,
                                       GoldenTolerance::of(gated.manifest.precision), &report);
    print(console, golden, report);
    TERN_RETURN_IF_ERROR(write_json(gated, report));
    return status.at(engine_);
  }

 private:
  static void print(const Console& console, const GoldenSet& golden, const GoldenReport& report) {
    std::vector<std::vector<std::string>> rows{{"frame", "what", "measure", "found", "wanted", ""}};
    for (const GoldenReport::Row& row : report.rows) {
      rows.push_back({std::to_string(row.frame), row.what, row.measure, fmt::format("{:.6g}", row.found),
                      fmt::format("{:.6g}", row.wanted), row.ok ? "ok" : "FAILED"});
    }
    console.print("\n" + format_table(rows));
    console.print(fmt::format("golden    {}: {} frames of {}, reference {}{}{}", report.ok() ? "passed" : "FAILED",
                              golden.frames.size(), golden.source, golden.reference,
                              golden.independent ? "" : " (the same backend: integrity only)",
                              report.raw_only ? ", raw outputs only" : ""));
  }

  [[nodiscard]] Status write_json(const GatedEngine& gated, const GoldenReport& report) const {
    if (!json_) return {};
    Json rows = Json::array();
    for (const GoldenReport::Row& row : report.rows) {
      rows.push_back({{"frame", row.frame},
                      {"what", row.what},
                      {"measure", row.measure},
                      {"found", row.found},
                      {"wanted", row.wanted},
                      {"ok", row.ok}});
    }
    Json line;
    line["engine"] = engine_;
    line["backend"] = gated.manifest.backend;
    line["precision"] = to_string(gated.manifest.precision);
    line["signed"] = gated.is_signed;
    line["ok"] = report.ok();
    line["raw_only"] = report.raw_only;
    line["independent"] = gated.manifest.golden.independent;
    line["rows"] = rows;
    return TextOutput::write(*json_, to_line(line));
  }

  std::string engine_;
  std::optional<std::string> json_;
  CommonOptions common_;
  RuntimeFlags runtime_flags_;
};

}  // namespace

const CommandInfo kVerifyCommand{"verify", "Check an engine: both gates, then its golden frames",
                                 "  tern verify engines/overhead-detect.x86_64_avx512_vnni.fp32.engine\n"
                                 "  tern verify X.engine --trust-keys keys --json -",
                                 [] { return std::unique_ptr<Command>(std::make_unique<VerifyCommand>()); }};

}  // namespace tern
