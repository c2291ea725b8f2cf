// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "command.h"
#include "options.h"
#include "result_json.h"
#include "runtime_flags.h"
#include "text_output.h"

namespace tern {
namespace {

class ConfigCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("--json", json_, "Write it as JSON; - is standard output")->type_name("FILE")->group("Output");
    common_.declare_output(app);
    flags_.declare(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    TERN_ASSIGN_OR_RETURN(const RuntimeConfig config, flags_.resolve());
    std::vector<std::vector<std::string>> rows{{"key", "value", "from"}};
    Json report = Json::object();
    for (const RuntimeConfig::Row& row : config.rows()) {
      rows.push_back({row.key, row.value.empty() ? "(none)" : row.value, row.origin});
      report[row.key] = {{"value", row.value}, {"from", row.origin}};
    }
    console.print(format_table(rows));
    if (!json_) return {};
    return TextOutput::write(*json_, to_document(report));
  }

 private:
  std::optional<std::string> json_;
  CommonOptions common_;
  RuntimeFlags flags_;
};

}  // namespace

const CommandInfo kConfigCommand{"config", "Show the settings in force, and where each came from",
                                 "  tern config\n  TERN_GOLDEN_POLICY=always tern config --json -",
                                 make_command<ConfigCommand>};

}  // namespace tern
