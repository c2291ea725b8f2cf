// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <span>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "calibration_request.h"
#include "command.h"
#include "tern/calib_cache.h"
#include "tern/quantize.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using Kind = CalibrationVerdict::Kind;

std::string number(double value) {
  return fmt::format("{:.6g}", value);
}

/// The ranges of a calibration as rows of a table.
void add_rows(const TensorRanges& ranges, std::vector<std::vector<std::string>>& rows) {
  for (const auto& [tensor, range] : ranges)
    rows.push_back({printable(tensor), number(range), number(scale_of(range))});
}

class CalibCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.require_subcommand(1);
    declare_run(*app.add_subcommand("run", "Calibrate MODEL: run it on pictures and write its passport beside it"));
    show_ = app.add_subcommand("show", "Print what a passport or a calibration cache of TensorRT holds");
    show_->add_option("FILE", file_, "X.calib.json, or a calibration cache")->required();
    declare_import(*app.add_subcommand("import", "Make a calibration cache of TensorRT the calibration of a model"));
    declare_export(*app.add_subcommand("export", "Write a calibration as a cache for TensorRT up to 10"));
    declare_check(*app.add_subcommand("check", "Say whether the calibration beside MODEL may be used"));
    for (CLI::App* sub : {run_, show_, import_, export_, check_})
      common_[sub].declare_output(*sub);
    for (CLI::App* sub : {run_, import_, check_})
      common_[sub].declare_contract(*sub);
  }

  Status run(const Environment& environment) override {
    const auto used = std::ranges::find_if(common_, [](const auto& item) { return item.first->parsed(); });
    const Console console = console_for(environment, used->second.quiet(), {});
    if (run_->parsed()) return calibrate_model(used->second, environment, console);
    if (show_->parsed()) return show(console);
    if (import_->parsed()) return import(used->second, console);
    if (export_->parsed()) return write_cache(console);
    return check(used->second, console);
  }

 private:
  void declare_run(CLI::App& sub) {
    run_ = &sub;
    request_.declare(sub, true);
    sub.add_option("--method", method_, "max, entropy, percentile or mse")->capture_default_str()->group("Calibration");
    sub.add_option("--percentile", percentile_,
                   "Of the method percentile: part of the values that is not clipped, in percent")
        ->capture_default_str()
        ->check(CLI::Range(50.0, 100.0))
        ->group("Calibration");
    sub.add_option("-o,--output", output_, "Passport to write (default: MODEL.calib.json beside the model)")
        ->type_name("FILE");
    sub.add_option("--tensorrt", version_, "Also write the calibration cache for this TensorRT, e.g. 10.3");
    sub.add_flag("--anew", anew_, "Calibrate even where there is a trusted calibration of these pictures");
  }
  void declare_import(CLI::App& sub) {
    import_ = &sub;
    sub.add_option("FILE", file_, "Calibration cache of TensorRT")->required();
    sub.add_option("--model", model_file_, "The float model that it was made with")->required()->type_name("ONNX");
    declare_pictures(sub, picture_options_, false);
    sub.add_option("-o,--output", output_, "Passport to write (default: MODEL.calib.json beside the model)")
        ->type_name("FILE");
    sub.add_option("--min-coverage", min_coverage_,
                   "Refuse a cache without ranges for this part of the tensors, in percent")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 100.0));
    sub.add_flag("--dry-run", dry_run_, "Print the report, write nothing");
  }
  void declare_export(CLI::App& sub) {
    export_ = &sub;
    sub.add_option("FILE", file_, "Passport: X.calib.json")->required();
    sub.add_option("--tensorrt", version_, "The TensorRT that will read it, e.g. 8.6.1 or 10.3")->required();
    sub.add_option("--algorithm", algorithm_, "Calibrator that will read it: entropy2 or minmax")
        ->capture_default_str()
        ->check(CLI::IsMember({"entropy2", "minmax"}));
    sub.add_option("-o,--output", output_,
                   "Cache to write, without sidecars (default: X.calib_cache beside the passport, with them)")
        ->type_name("FILE");
  }
  void declare_check(CLI::App& sub) {
    check_ = &sub;
    sub.add_option("MODEL", model_file_, "ONNX file")->required();
    declare_pictures(sub, picture_options_, false);
  }

  [[nodiscard]] Result<CalibrationFiles> files_of(const std::string& model_file) const {
    if (output_) return CalibrationFiles::named_by(*output_);
    return CalibrationFiles::beside(model_file);
  }

  [[nodiscard]] Result<std::optional<std::uint32_t>> tensorrt_version() const {
    if (!version_) return std::optional<std::uint32_t>();
    const auto version = parse_tensorrt_version(*version_);
    if (!version.ok()) return version.status().at("--tensorrt");
    return std::optional(*version);
  }

  Status calibrate_model(const CommonOptions& common, const Environment& environment, const Console& console) {
    CalibrationOptions options;
    const auto method = parse_calibration_method(method_);
    if (!method.ok()) return method.status().at("--method");
    options.method = *method;
    options.percentile = percentile_;
    TERN_ASSIGN_OR_RETURN(const auto version, tensorrt_version());
    TERN_RETURN_IF_ERROR(request_.resolve(common, true));
    TERN_ASSIGN_OR_RETURN(const CalibrationFiles files, files_of(request_.model_file()));
    CalibrationSubject subject = CalibrationSubject::of(request_.model(), &request_.contract());
    subject.dataset_hash = request_.dataset_hash();
    TERN_ASSIGN_OR_RETURN(const CalibrationVerdict verdict, judge_calibration(files, subject));
    if (verdict.kind == Kind::kOther)
      console.print(fmt::format("{}: {}; calibrating anew", files.passport.string(), verdict.reason));
    if (verdict.kind == Kind::kTrusted && verdict.passport->method == to_string(options.method) && !anew_) {
      console.print(fmt::format("{}: of this model, contract and data set, and trusted: nothing is to be done",
                                files.passport.string()));
      return {};
    }
    const auto start = std::chrono::steady_clock::now();
    TERN_ASSIGN_OR_RETURN(const ActivationStatistics statistics, request_.collect(environment, console));
    TERN_ASSIGN_OR_RETURN(const CalibrationPassport passport, request_.passport(statistics, options));
    TERN_RETURN_IF_ERROR(store_calibration(files, passport, version));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    console.print(files.passport.string());
    console.print(fmt::format("{} tensors on {} pictures, {}, {} in {:.1f} s", passport.ranges.size(), passport.frames,
                              passport.method, passport.backend, took.count()));
    return {};
  }

  Status show(const Console& console) {
    std::vector<std::vector<std::string>> rows{{"tensor", "range", "scale"}};
    if (fs::path(file_).extension() == ".json") {
      TERN_ASSIGN_OR_RETURN(const CalibrationPassport passport, CalibrationPassport::from_file(file_));
      add_rows(passport.ranges, rows);
      console.print(format_table(rows));
      const auto or_unknown = [](const std::string& text) { return text.empty() ? std::string("not known") : text; };
      console.print("model     " + printable(passport.model_name) + " " + passport.model_hash);
      console.print("contract  " + or_unknown(passport.contract_hash));
      console.print("images    " + or_unknown(passport.dataset_hash));
      console.print(fmt::format("{} tensors; {} of {} wanted ({:.1f}%); {}{}", passport.ranges.size(), passport.covered,
                                passport.wanted, 100 * passport.coverage(), passport.method,
                                passport.frames > 0
                                    ? fmt::format(", {} pictures, {}", passport.frames, printable(passport.backend))
                                    : std::string()));
      return {};
    }
    TERN_ASSIGN_OR_RETURN(const TensorrtCache cache, TensorrtCache::from_file(file_));
    add_rows(cache.ranges(), rows);
    console.print(format_table(rows));
    console.print(fmt::format("{} tensors; TensorRT {}, {}", cache.entries.size(), tensorrt_version_text(cache.version),
                              to_string(cache.algorithm)));
    return {};
  }

  static void print_mapping(const Console& console, const CacheMapping& mapping) {
    for (const auto& [in_cache, in_model] : mapping.renamed)
      console.print(fmt::format("renamed     {} -> {}", printable(in_cache), printable(in_model)));
    for (const std::string& tensor : mapping.unknown)
      console.print("unknown     " + printable(tensor));
    for (const std::string& tensor : mapping.missing)
      console.print("missing     " + printable(tensor));
    for (const auto& [tensor, why] : mapping.suspicious)
      console.print(fmt::format("suspicious  {}{}{}", printable(tensor), tensor.empty() ? "" : ": ", why));
    console.print(fmt::format(
        "{} matched, {} renamed, {} unknown; {} of {} wanted tensors are missing ({:.1f}% covered); {} suspicious",
        mapping.matched.size(), mapping.renamed.size(), mapping.unknown.size(), mapping.missing.size(), mapping.wanted,
        100 * mapping.coverage(), mapping.suspicious.size()));
  }

  Status import(const CommonOptions& common, const Console& console) {
    TERN_ASSIGN_OR_RETURN(const std::string text, read_text_file(file_, TensorrtCache::kMaxBytes));
    TERN_ASSIGN_OR_RETURN(const TensorrtCache cache, TensorrtCache::parse(text, file_));
    TERN_ASSIGN_OR_RETURN(const Model model, Model::from_file(model_file_));
    TERN_ASSIGN_OR_RETURN(const Contract::Overrides overrides, common.overrides());
    TERN_ASSIGN_OR_RETURN(const Contract contract, Contract::resolve(model, common.contract_file(), overrides));
    // What TensorRT itself has scales for: of other targets' tensors a cache knows by chance.
    TERN_ASSIGN_OR_RETURN(const QuantizationPlan plan, plan_quantization(model));
    const CacheMapping mapping = map_cache(cache, model, plan.tensors);
    print_mapping(console, mapping);
    if (100 * mapping.coverage() < min_coverage_) {
      return make_error(StatusCode::kCalibrationCacheError,
                        "covers {:.1f}% of the tensors that quantisation needs; {}% are asked for",
                        100 * mapping.coverage(), number(min_coverage_))
          .at(file_)
          .with_hint("is it of this model? --min-coverage takes less, and what is missing stays float");
    }
    if (mapping.ranges.empty())
      return Status(StatusCode::kCalibrationCacheError, "no tensor of it is of this model").at(file_);
    if (dry_run_) return {};
    CalibrationPassport passport;
    passport.model_name = model.stem();
    passport.model_hash = model.content_hash();
    passport.contract_hash = calibration_contract_hash(contract);
    passport.method = "imported";
    passport.imported_sha256 = to_hex(Sha256::of(std::as_bytes(std::span(text))));
    if (!picture_options_.words.empty()) {
      TERN_ASSIGN_OR_RETURN(const auto pictures, open_pictures(picture_options_, contract));
      TERN_ASSIGN_OR_RETURN(passport.dataset_hash, pictures->hash());
    }
    passport.wanted = mapping.wanted;
    passport.covered = mapping.wanted - mapping.missing.size();
    passport.ranges = mapping.ranges;
    TERN_ASSIGN_OR_RETURN(const CalibrationFiles files, files_of(model_file_));
    TERN_RETURN_IF_ERROR(import_calibration(files, passport, text));
    console.print(files.passport.string());
    return {};
  }

  Status write_cache(const Console& console) {
    TERN_ASSIGN_OR_RETURN(const auto version, tensorrt_version());
    TERN_ASSIGN_OR_RETURN(const CalibrationPassport passport, CalibrationPassport::from_file(file_));
    if (!output_) {
      TERN_ASSIGN_OR_RETURN(const CalibrationFiles files, CalibrationFiles::named_by(file_));
      TERN_RETURN_IF_ERROR(store_calibration(files, passport, version, algorithm()));
      console.print(files.cache.string());
      return {};
    }
    TERN_ASSIGN_OR_RETURN(const std::string text, TensorrtCache::of(passport.ranges, *version, algorithm()).to_text());
    TERN_RETURN_IF_ERROR(write_file(*output_, text));
    console.print(*output_);
    return {};
  }

  [[nodiscard]] TensorrtCache::Algorithm algorithm() const {
    return algorithm_ == "minmax" ? TensorrtCache::Algorithm::kMinMax : TensorrtCache::Algorithm::kEntropy2;
  }

  Status check(const CommonOptions& common, const Console& console) {
    TERN_ASSIGN_OR_RETURN(const Model model, Model::from_file(model_file_));
    TERN_ASSIGN_OR_RETURN(const Contract::Overrides overrides, common.overrides());
    TERN_ASSIGN_OR_RETURN(const Contract contract, Contract::resolve(model, common.contract_file(), overrides));
    CalibrationSubject subject = CalibrationSubject::of(model, &contract);
    if (!picture_options_.words.empty()) {
      TERN_ASSIGN_OR_RETURN(const auto pictures, open_pictures(picture_options_, contract));
      TERN_ASSIGN_OR_RETURN(subject.dataset_hash, pictures->hash());
    }
    const CalibrationFiles files = CalibrationFiles::beside(model_file_);
    TERN_ASSIGN_OR_RETURN(const CalibrationPassport passport, trusted_passport(files, subject));
    console.print(fmt::format("{}: trusted; {} tensors, {}, {:.1f}% of the wanted", files.passport.string(),
                              passport.ranges.size(), passport.method, 100 * passport.coverage()));
    return {};
  }

  CLI::App *run_ = nullptr, *show_ = nullptr, *import_ = nullptr, *export_ = nullptr, *check_ = nullptr;
  std::map<CLI::App*, CommonOptions> common_;
  CalibrationRequest request_;
  PictureOptions picture_options_;
  std::string file_, model_file_, method_ = "mse", algorithm_ = "entropy2";
  double percentile_ = CalibrationOptions{}.percentile, min_coverage_ = 95;
  std::optional<std::string> output_, version_;
  bool anew_ = false, dry_run_ = false;
};

}  // namespace

const CommandInfo kCalibCommand{"calib",
                                "Calibrate a model for int8; read, write and check calibration caches of TensorRT",
                                "  tern calib run overhead-detect.onnx --images data/calibration\n"
                                "  tern calib import old.calib_cache --model overhead-detect.onnx\n"
                                "  tern calib export overhead-detect.calib.json --tensorrt 10.3\n"
                                "  tern calib check overhead-detect.onnx --images data/calibration",
                                make_command<CalibCommand>};

}  // namespace tern
