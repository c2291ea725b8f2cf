// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>

#include "base/byte_size.h"
#include "base/error.h"
#include "base/file.h"
#include "command.h"
#include "quantizer.h"
#include "result_json.h"
#include "tern/dev/int8_build.h"
#include "text_output.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

class QuantizeCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    calibration_.declare(app, false);
    app.add_option("-o,--output", output_, "Model to write")->required()->type_name("ONNX");
    app.add_option("--ranges", passport_, "Take the ranges of this passport (X.calib.json) instead of --images")
        ->type_name("FILE")
        ->group("Calibration");
    app.add_option("--method", request_.method,
                   "max, entropy, percentile, mse, or auto: the one that serves this model best")
        ->capture_default_str()
        ->group("Calibration");
    app.add_option("--percentile", request_.percentile,
                   "Of the method percentile: part of the values that is not clipped")
        ->capture_default_str()
        ->check(CLI::Range(50.0, 100.0))
        ->group("Calibration");
    app.add_option("--target", target_,
                   "Whose rules are followed: tensorrt, openvino, onnxruntime, or auto: the backend's")
        ->capture_default_str()
        ->group("Quantisation");
    app.add_option("--exclude", request_.options.exclude_nodes, "Node that stays float, or a pattern (repeatable)")
        ->type_name("NODE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->group("Quantisation");
    app.add_option("--exclude-op", request_.options.exclude_ops, "Operator that stays float (repeatable)")
        ->type_name("OP")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->group("Quantisation");
    app.add_flag("--quantize-head", quantize_head_, "The last layers before the outputs become int8, too")
        ->group("Quantisation");
    app.add_option(
           "--reduce-range", reduce_range_,
           "Weights of 7 bits, for x86 CPUs without VNNI: on, off, or auto: where this CPU needs them for the target")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "on", "off"}))
        ->group("Quantisation");
    app.add_option("--data", data_,
                   "Labelled folder, as tern eval takes it: methods are measured, and the best is taken")
        ->type_name("DIR")
        ->group("Accuracy");
    app.add_option(
           "--floor", floor_,
           "Leave as few layers float as keep this score: -0.5pt (below the float model) or 91.5%; needs --data")
        ->group("Accuracy");
    app.add_option("--max-evaluations", request_.max_evaluations, "Models measured at most in search of the floor")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000))
        ->group("Accuracy");
    app.add_option("--report", report_, "Write what was found as one HTML page")->type_name("FILE")->group("Accuracy");
    app.add_option("--json", json_, "Write what was measured and kept as JSON to FILE, or - for standard output")
        ->type_name("FILE");
    common_.declare_output(app);
    common_.declare_engine(app);
    common_.declare_contract(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    TERN_RETURN_IF_ERROR(check_options());
    TERN_RETURN_IF_ERROR(calibration_.resolve(common_, !passport_));
    TERN_ASSIGN_OR_RETURN(const TaskOptions task, measuring_options(environment, console));
    TERN_ASSIGN_OR_RETURN(request_.options.target, target());
    request_.options.reduce_range =
        reduce_range_ == "on" || (reduce_range_ == "auto" && dev::needs_reduced_range(request_.options.target));
    auto quantised = quantise(calibration_, request_, task, environment, console);
    if (!quantised.ok()) return quantised.status();
    TERN_RETURN_IF_ERROR(write(*quantised, console));
    if (quantised->holds_floor) return {};
    return make_error(StatusCode::kInputError, "{}", quantised->report.floor)
        .at(calibration_.model_file())
        .with_hint(
            "the best model that was found is written all the same; more --max-evaluations, or more and better "
            "--images, may help");
  }

 private:
  Status check_options() {
    request_.wants_report = report_.has_value();
    request_.options.keep_head_float = !quantize_head_;
    if (passport_) request_.calibration = *passport_;
    if (data_) request_.data = *data_;
    if (calibration_.has_pictures() == passport_.has_value())
      return Status(StatusCode::kConfigError, "give either --images or --ranges");
    if (passport_ && floor_) {
      return Status(StatusCode::kConfigError, "needs pictures to judge the layers on, not an older calibration")
          .at("--floor")
          .with_hint("--images DIR");
    }
    if (floor_) {
      const auto floor = Floor::parse(*floor_);
      if (!floor.ok()) return floor.status().at("--floor");
      request_.floor = *floor;
      if (!data_)
        return Status(StatusCode::kConfigError, "needs labelled data to measure on")
            .at("--floor")
            .with_hint("--data DIR");
    }
    std::error_code ignored;
    if (fs::equivalent(calibration_.model_file(), output_, ignored))
      return Status(StatusCode::kConfigError, "is the float model itself")
          .at(output_)
          .with_hint("write to another file");
    return {};
  }

  /// How models are measured: without the store, which would keep an engine of each one that is tried.
  Result<TaskOptions> measuring_options(const Environment& environment, const Console& console) {
    TERN_ASSIGN_OR_RETURN(TaskOptions options, common_.task_options());
    RuntimeOptions runtime;
    TERN_ASSIGN_OR_RETURN(runtime.config, common_.runtime_flags().resolve());
    runtime.logger = options.logger;
    runtime.use_store = false;
    TERN_ASSIGN_OR_RETURN(InferenceRuntime made, InferenceRuntime::create(std::move(runtime)));
    options.runtime = std::make_shared<InferenceRuntime>(std::move(made));
    options.isolation = BuildConfig::Isolation::kInProcess;
    options.progress = compile_progress(std::make_shared<ProgressBar>(console));
    options.stop = environment.stop;
    // A copy of the model in another folder has the same contract.
    std::error_code ignored;
    const fs::path model = calibration_.model_file();
    const fs::path beside = (model.parent_path() / model.stem()).string() + ".tern.json";
    if (!options.contract_file && fs::exists(beside, ignored)) options.contract_file = beside;
    return options;
  }

  Result<QuantTarget> target() const {
    if (target_ != "auto") {
      const auto given = parse_quant_target(target_);
      if (!given.ok()) return given.status().at("--target");
      return given;
    }
    TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Logger> logger, common_.logger());
    TERN_ASSIGN_OR_RETURN(const std::shared_ptr<Backend> backend,
                          BackendRegistry::load(logger).find(common_.backend()));
    const auto own = parse_quant_target(backend->name());
    return own.ok() ? *own : QuantTarget::kTensorRt;
  }

  Status write(Quantised& quantised, const Console& console) {
    TERN_ASSIGN_OR_RETURN(const auto bytes, quantised.model.self_contained_bytes());
    TERN_RETURN_IF_ERROR(write_file(output_, bytes));
    const QuantizationSummary& summary = quantised.report.summary;
    console.print(fmt::format("{}: {} of {} layers with weights in int8, {}, for {}{}", output_,
                              summary.plan.layers.size(), summary.plan.layers.size() + summary.plan.float_layers.size(),
                              quantised.report.method, to_string(request_.options.target),
                              request_.options.reduce_range ? ", weights of 7 bits" : ""));
    if (!quantised.report.floor.empty()) console.print(quantised.report.floor);
    if (json_) TERN_RETURN_IF_ERROR(write_json(quantised));
    if (!report_) return {};
    QuantizeReport& report = quantised.report;
    report.model = calibration_.model().stem();
    report.output = output_;
    report.target = to_string(request_.options.target);
    report.data = data_.value_or("");
    report.images = calibration_.pictures_text();
    report.backend = calibration_.has_pictures() ? calibration_backend_text(calibration_.backend()) : std::string();
    TERN_ASSIGN_OR_RETURN(const std::string html, to_html(report));
    TERN_RETURN_IF_ERROR(write_file(*report_, html));
    console.print(*report_);
    return {};
  }

  Status write_json(const Quantised& quantised) const {
    const QuantizeReport& report = quantised.report;
    Json line;
    line["model"] = calibration_.model_file();
    line["output"] = output_;
    line["target"] = to_string(request_.options.target);
    line["reduce_range"] = request_.options.reduce_range;
    line["method"] = report.method;
    line["metric"] = report.metric.empty() ? Json(nullptr) : Json(report.metric);
    line["measured"] = Json::array();
    for (const auto& [what, score, headline] : report.accuracy)
      line["measured"].push_back({{"what", what}, {"score", score ? Json(*score) : Json(nullptr)}});
    line["holds_floor"] = request_.floor ? Json(quantised.holds_floor) : Json(nullptr);
    line["int8_layers"] = report.summary.plan.layers.size();
    line["float_layers"] = Json::array();
    for (const auto& layer : report.summary.plan.float_layers)
      line["float_layers"].push_back({{"node", layer.node}, {"reason", layer.reason}});
    return TextOutput::write(*json_, to_line(line));
  }

  CalibrationRequest calibration_;
  QuantizeRequest request_;
  std::string output_, target_ = "auto", reduce_range_ = "auto";
  std::optional<std::string> passport_, data_, floor_, report_, json_;
  bool quantize_head_ = false;
  CommonOptions common_;
};

}  // namespace

const CommandInfo kQuantizeCommand{
    "quantize", "Make int8 of a float model, for any runtime, and say what it cost",
    "  tern quantize overhead-detect.onnx --images data/calibration -o overhead-detect.int8.onnx\n"
    "  tern quantize overhead-detect.onnx --images data/calibration --data data/validation --floor -0.5pt --report "
    "r.html -o q.onnx\n"
    "  tern quantize overhead-detect.onnx --ranges overhead-detect.calib.json --target tensorrt -o q.onnx",
    make_command<QuantizeCommand>};

}  // namespace tern
