// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "command.h"
#include "evaluation.h"
#include "options.h"
#include "text_output.h"

namespace tern {
namespace {

class EvalCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("MODEL", model_, "ONNX file")->required();
    app.add_option("--data", data_, "Labelled folder: images/ with instances.json or masks/, or labels.json")
        ->required()
        ->type_name("DIR");
    app.add_option("--json", json_, "Write the scores as JSON to FILE, or - for standard output")->type_name("FILE");
    common_.declare_output(app);
    common_.declare_engine(app);
    common_.declare_contract(app);
    common_.declare_thresholds(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    TERN_ASSIGN_OR_RETURN(TaskOptions options, common_.task_options());
    TERN_ASSIGN_OR_RETURN(const Model model, Model::from_file(model_));
    TERN_ASSIGN_OR_RETURN(const Contract contract, Contract::resolve(model, options.contract_file, options.overrides));
    options.progress = compile_progress(std::make_shared<ProgressBar>(console));
    options.stop = environment.stop;
    const auto start = std::chrono::steady_clock::now();
    const EvalRequest request{model_, data_, options, common_.has_score(), common_.has_iou()};
    TERN_ASSIGN_OR_RETURN(const EvalReport report, evaluate(request, contract, environment, console));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return show(console, report, seconds.count());
  }

 private:
  Status show(const Console& console, const EvalReport& report, double seconds) {
    console.print(format_table(report.per_class));
    console.print(fmt::format("{} on {} images ({} in {}, {:.1f} s)", report.headline, report.images, report.backend,
                              report.precision, seconds));
    if (!json_) return {};
    nlohmann::ordered_json line = nlohmann::ordered_json::parse(report.json);
    line["model"] = model_;
    line["data"] = data_;
    line["backend"] = report.backend;
    line["engine"] = report.engine;
    line["precision"] = report.precision;
    return TextOutput::write(*json_, line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }

  std::string model_, data_;
  std::optional<std::string> json_;
  CommonOptions common_;
};

}  // namespace

const CommandInfo kEvalCommand{"eval", "Score a model on labelled data: AP, mIoU or top-1",
                               "  tern eval overhead-detect.onnx --data data/validation\n"
                               "  tern eval overhead-obstruction.onnx --data data/crops --json scores.json",
                               make_command<EvalCommand>};

}  // namespace tern
