// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quantizer.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "evaluation.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

/// Pictures that models are compared and layers are judged on: more change little.
constexpr std::size_t kSomePictures = 16;
constexpr std::size_t kWorstPictures = 6;

/// A folder of its own for models that are tried.
class ScratchFolder {
 public:
  static Result<ScratchFolder> create() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "tern-quantize-XXXXXX").string();
    if (error || ::mkdtemp(name.data()) == nullptr)
      return make_error(StatusCode::kIoError, "cannot make a temporary folder").at(name);
    return ScratchFolder(name);
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] Result<fs::path> write(const Model& model) const {
    const fs::path path = path_ / (model.stem() + ".onnx");
    TERN_ASSIGN_OR_RETURN(const auto bytes, model.self_contained_bytes());
    TERN_RETURN_IF_ERROR(write_file(path, bytes));
    return path;
  }

 private:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

/// Some of the pictures of another source, spread evenly.
class SomePictures final : public CalibrationSource {
 public:
  explicit SomePictures(CalibrationSource& all) : all_(all) {}
  [[nodiscard]] std::size_t size() const override { return std::min(all_.size(), kSomePictures); }
  [[nodiscard]] Result<CalibrationFrame> read(std::size_t index) override {
    return all_.read(index * all_.size() / size());
  }
  [[nodiscard]] Result<std::string> hash() override { return all_.hash(); }

 private:
  CalibrationSource& all_;
};

/// Ranges by one method, and the model that they give.
struct Candidate {
  std::string method;
  TensorRanges ranges;
  std::optional<CalibrationPassport> passport;
};

class Quantiser {
 public:
  Quantiser(const CalibrationRequest& calibration, const QuantizeRequest& request, const TaskOptions& task,
            const Environment& environment, const Console& console, ScratchFolder scratch)
      : calibration_(calibration),
        request_(request),
        task_(task),
        environment_(environment),
        console_(console),
        scratch_(std::move(scratch)) {
    float_task_ = task;
    float_task_.precision = Precision::kF32;
  }

  Result<Quantised> run() {
    // A model that cannot be quantised is refused before anything is run.
    TERN_RETURN_IF_ERROR(plan_quantization(calibration_.model(), request_.options).status());
    TERN_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates, make_candidates());
    double float_score = 0;
    if (request_.data) {
      TERN_ASSIGN_OR_RETURN(const EvalReport before, score_of(calibration_.model_file(), float_task_));
      if (!before.score)
        return Status(StatusCode::kInputError, "the labelled data have nothing to score").at(request_.data->string());
      report_.metric = before.metric;
      float_score = *before.score;
      note("f32", before);
    }
    TERN_ASSIGN_OR_RETURN(const std::size_t best, choose(candidates));
    const Candidate& chosen = candidates[best];
    TERN_ASSIGN_OR_RETURN(Model model,
                          quantize(calibration_.model(), chosen.ranges, request_.options, &report_.summary));
    if (request_.wants_report || request_.floor) TERN_RETURN_IF_ERROR(judge_layers(chosen));
    Quantised result{std::move(model), chosen.passport};
    report_.method = chosen.method;
    if (request_.floor) TERN_RETURN_IF_ERROR(keep_floor(chosen, request_.floor->of(float_score), result));
    if (request_.wants_report) TERN_RETURN_IF_ERROR(compare(result.model));
    report_.statistics = std::move(statistics_);
    result.report = std::move(report_);
    return result;
  }

 private:
  Result<std::vector<Candidate>> make_candidates() {
    std::vector<Candidate> candidates;
    if (request_.calibration) {
      TERN_ASSIGN_OR_RETURN(const CalibrationFiles files, CalibrationFiles::named_by(*request_.calibration));
      TERN_ASSIGN_OR_RETURN(
          const CalibrationPassport passport,
          trusted_passport(files, CalibrationSubject::of(calibration_.model(), &calibration_.contract())));
      candidates.push_back({passport.method, passport.ranges, {}});
      return candidates;
    }
    std::vector<CalibrationMethod> methods{CalibrationMethod::kMse, CalibrationMethod::kMax,
                                           CalibrationMethod::kPercentile, CalibrationMethod::kEntropy};
    if (request_.method != "auto") {
      const auto method = parse_calibration_method(request_.method);
      if (!method.ok()) return method.status().at("--method");
      methods = {*method};
    }
    TERN_ASSIGN_OR_RETURN(statistics_, calibration_.collect(environment_, console_));
    for (const CalibrationMethod method : methods) {
      TERN_ASSIGN_OR_RETURN(CalibrationPassport passport,
                            calibration_.passport(statistics_, {.method = method, .percentile = request_.percentile}));
      candidates.push_back({std::string(to_string(method)), passport.ranges, passport});
    }
    return candidates;
  }

  /// The score of a model file on the labelled data.
  Result<EvalReport> score_of(const fs::path& model, const TaskOptions& task) {
    return evaluate({model, *request_.data, task}, calibration_.contract(), environment_, console_);
  }
  Result<EvalReport> score_of(const Model& model) {
    TERN_ASSIGN_OR_RETURN(const fs::path path, scratch_.write(model));
    return score_of(path, task_);
  }

  void note(const std::string& what, const EvalReport& measured) {
    report_.accuracy.push_back({what, measured.score, measured.headline});
    console_.print(fmt::format("{:<24} {}", what, measured.headline));
  }

  /// The candidate of the best score, else of the least difference; the first of equals.
  Result<std::size_t> choose(const std::vector<Candidate>& candidates) {
    if (candidates.size() == 1 && !request_.data) return std::size_t{0};
    std::size_t best = 0;
    double best_value = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      auto model = quantize(calibration_.model(), candidates[i].ranges, request_.options);
      if (!model.ok()) return model.status().at(candidates[i].method);
      double value = 0;
      if (request_.data) {
        TERN_ASSIGN_OR_RETURN(const EvalReport measured, score_of(*model));
        note(candidates[i].method, measured);
        value = measured.score.value_or(0);
      } else {
        SomePictures some(calibration_.pictures());
        TERN_ASSIGN_OR_RETURN(const fs::path path, scratch_.write(*model));
        TERN_ASSIGN_OR_RETURN(const Comparison compared,
                              compare_models(calibration_.model_file(), path, calibration_.contract(), float_task_,
                                             task_, some, 0, environment_, console_));
        console_.print(fmt::format("{:<24} results differ by {:.4f}", candidates[i].method, compared.mean_difference));
        value = -compared.mean_difference;
      }
      if (i > 0 && value <= best_value) continue;
      best = i;
      best_value = value;
    }
    if (request_.data) report_.chosen = best + 1;  // behind f32
    return best;
  }

  Status judge_layers(const Candidate& candidate) {
    if (request_.calibration) return {};  // there are no pictures
    TERN_ASSIGN_OR_RETURN(SensitivityMeter meter,
                          SensitivityMeter::create(calibration_.model(), candidate.ranges, request_.options));
    SomePictures some(calibration_.pictures());
    TERN_RETURN_IF_ERROR(observe_tensors(
        calibration_.model(), calibration_.contract(), meter.tensors(), some, calibration_.backend(),
        calibration_.collect_options(environment_, console_),
        [&](std::string_view tensor, std::span<const float> values) { return meter.observe(tensor, values); }));
    TERN_ASSIGN_OR_RETURN(report_.layers, meter.layers());
    return {};
  }

  /// Leaves layers float until the floor holds.
  Status keep_floor(const Candidate& candidate, double floor, Quantised& result) {
    const std::optional<double> score = report_.accuracy[*report_.chosen].score;
    report_.floor = fmt::format("{} of at least {:.2f}%", report_.metric, 100 * floor);
    if (score.value_or(0) >= floor) {
      report_.floor += ": holds with all layers in int8";
      return {};
    }
    SearchOptions search{.floor = floor, .max_evaluations = request_.max_evaluations, .stop = environment_.stop};
    const auto score_model = [&](const Model& model) -> Result<double> {
      TERN_ASSIGN_OR_RETURN(const EvalReport measured, score_of(model));
      note(fmt::format("{}, try {}", candidate.method, ++tries_), measured);
      return measured.score.value_or(0);
    };
    TERN_ASSIGN_OR_RETURN(SearchResult found,
                          search_float_layers(calibration_.model(), candidate.ranges, request_.options, report_.layers,
                                              score_model, search));
    result.holds_floor = found.holds;
    report_.floor +=
        found.holds ? fmt::format(": holds with {} layers float", found.float_layers.size()) : ": does not hold";
    for (const std::string& layer : found.float_layers)
      console_.print("stays float             " + printable(layer));
    QuantizeOptions options = request_.options;
    options.exclude_nodes.insert(options.exclude_nodes.end(), found.float_layers.begin(), found.float_layers.end());
    report_.accuracy.push_back(
        {fmt::format("{}, {} layers float", candidate.method, found.float_layers.size()), found.score, {}});
    report_.chosen = report_.accuracy.size() - 1;
    result.model = std::move(found.model);
    // The summary of what is kept.
    const auto again = quantize(calibration_.model(), candidate.ranges, options, &report_.summary);
    return again.status();
  }

  Status compare(const Model& model) {
    if (request_.calibration) return {};  // there are no pictures
    TERN_ASSIGN_OR_RETURN(const fs::path path, scratch_.write(model));
    SomePictures some(calibration_.pictures());
    TERN_ASSIGN_OR_RETURN(report_.comparison,
                          compare_models(calibration_.model_file(), path, calibration_.contract(), float_task_, task_,
                                         some, kWorstPictures, environment_, console_));
    return {};
  }

  const CalibrationRequest& calibration_;
  const QuantizeRequest& request_;
  TaskOptions task_, float_task_;
  const Environment& environment_;
  const Console& console_;
  ScratchFolder scratch_;
  ActivationStatistics statistics_;
  QuantizeReport report_;
  int tries_ = 0;
};

}  // namespace

Result<Floor> Floor::parse(std::string_view text) {
  const bool is_relative = text.starts_with('-') && text.ends_with("pt");
  const std::string_view digits = is_relative           ? text.substr(0, text.size() - 2)
                                  : text.ends_with('%') ? text.substr(0, text.size() - 1)
                                                        : std::string_view();
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool in_range = is_relative ? value <= 0 && value >= -100 : value >= 0 && value <= 100;
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || !in_range) {
    return make_error(StatusCode::kConfigError, "'{}' is not a floor", printable(text))
        .with_hint("-0.5pt: half a percentage point below the float model; or 91.5%");
  }
  return Floor{value / 100, is_relative};
}

Result<Quantised> quantise(const CalibrationRequest& calibration, const QuantizeRequest& request,
                           const TaskOptions& task, const Environment& environment, const Console& console) {
  TERN_ASSIGN_OR_RETURN(ScratchFolder scratch, ScratchFolder::create());
  return Quantiser(calibration, request, task, environment, console, std::move(scratch)).run();
}

}  // namespace tern
