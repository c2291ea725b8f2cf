// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/error.h"
#include "model/text.h"
#include "runtime/golden_compare.h"
#include "runtime/golden_labels.h"
#include "runtime/golden_measure.h"
#include "runtime/golden_run.h"
#include "tern/golden.h"

namespace tern {
namespace {

constexpr std::string_view kHint =
    "the engine does not compute what its model does: build it anew; if that fails too, take a higher precision";
constexpr std::string_view kForeignHint = "the golden frames were made for another model or contract: make them anew";
/// Rows of the run that shows whether the rows of an open batch agree.
constexpr std::int64_t kBatchRows = 2;

std::string frame_name(int frame) {
  return frame == GoldenReport::kAllFrames ? std::string("all frames") : fmt::format("frame {}", frame);
}

Status failure(const GoldenReport& report) {
  const auto is_failed = [](const GoldenReport::Row& row) { return !row.ok; };
  const auto row = std::ranges::find_if(report.rows, is_failed);
  if (row == report.rows.end()) return {};
  const auto more = std::ranges::count_if(report.rows, is_failed) - 1;
  const std::string_view limit = row->measure == "top-1" ? "" : row->found > row->wanted ? "at most " : "at least ";
  return make_error(StatusCode::kGoldenCheckError, "{} is {:.6g}, wanted {}{:.6g}{}", row->measure, row->found, limit,
                    row->wanted, more > 0 ? fmt::format(" ({} more measures failed)", more) : "")
      .at(row->what)
      .at(frame_name(row->frame))
      .with_hint(kHint);
}

/// `whose`: the engine's output or the reference.
Status decode(GoldenDecoder& decoder, const GoldenFrame& frame, const TensorView& output, std::string_view whose,
              DecodedFrame& decoded) {
  const Status status = decoder.decode(frame, output, decoded);
  if (status.ok()) return {};
  return make_error(StatusCode::kGoldenCheckError, "{} cannot be decoded: {}", whose, status.message())
      .at(status.where())
      .with_hint(kHint);
}

/// One check of one engine. Rows are collected to the end, so that the report is whole; what cannot be measured at all ends it.
class GoldenChecker {
 public:
  GoldenChecker(GoldenRunner runner, std::optional<GoldenDecoder> decoder, const GoldenTolerance& tolerance,
                GoldenReport& report)
      : runner_(std::move(runner)),
        decoder_(std::move(decoder)),
        tolerance_(tolerance),
        measure_(tolerance, report),
        report_(report) {}

  Status run(const GoldenSet& golden);

 private:
  using Outputs = std::vector<GoldenRunner::Output>;

  Status check_frame(const GoldenFrame& frame, bool is_first);
  Result<Outputs> run_frame(const GoldenFrame& frame, std::int64_t rows);
  /// The first row against the reference, and the others against the first. Labels count in the first run of a frame only.
  Status check_outputs(const GoldenFrame& frame, const Outputs& outputs, bool is_first_run);
  /// `suffix` stands behind the output's name in the report.
  Status check_output(const GoldenFrame& frame, const std::string& name, const std::string& suffix,
                      const TensorView& found, const TensorView& reference, bool is_first_run);
  /// For an end2end output whose reference has no score above the threshold: its best rows are compared all the same. Nothing
  /// else would look at their boxes.
  Status check_weak_rows(const GoldenFrame& frame, const std::string& suffix, const TensorView& found,
                         const TensorView& reference);
  Status check_labels();
  [[nodiscard]] std::string class_name(int id) const;

  GoldenRunner runner_;
  std::optional<GoldenDecoder> decoder_;
  const GoldenTolerance& tolerance_;
  GoldenMeasure measure_;
  GoldenReport& report_;
  LabelScore labels_;
  int frame_ = 0;
};

Status GoldenChecker::run(const GoldenSet& golden) {
  report_.independent = golden.independent;
  if (golden.frames.empty())
    return Status(StatusCode::kGoldenCheckError, "there are no golden frames").with_hint(kForeignHint);
  if (decoder_) {
    const std::string& name = decoder_->contract().output.tensor;
    if (std::ranges::find(golden.frames.front().outputs, name, &GoldenTensor::name) ==
        golden.frames.front().outputs.end())
      return make_error(StatusCode::kGoldenCheckError, "the reference has no output {}, which the contract names",
                        in_quotes(name))
          .with_hint(kForeignHint);
  }
  for (std::size_t i = 0; i < golden.frames.size(); ++i) {
    frame_ = static_cast<int>(i);
    measure_.start_frame(frame_);
    const Status status = check_frame(golden.frames[i], i == 0);
    if (!status.ok()) return status.at(frame_name(frame_));
  }
  const Status against_reference = failure(report_);
  const Status swapped = check_labels();
  if (!against_reference.ok()) return against_reference;
  return swapped.ok() ? failure(report_) : swapped;
}

Status GoldenChecker::check_frame(const GoldenFrame& frame, bool is_first) {
  TERN_ASSIGN_OR_RETURN(Outputs outputs, run_frame(frame, 1));
  TERN_RETURN_IF_ERROR(check_outputs(frame, outputs, true));
  if (!is_first || !runner_.is_batch_open(frame)) return {};
  Result<Outputs> batch = run_frame(frame, kBatchRows);
  // An engine that refuses the binding has no room for more than one row after all.
  if (batch.status().code() == StatusCode::kInputError) return {};
  TERN_RETURN_IF_ERROR(batch.status());
  return check_outputs(frame, *batch, false);
}

Result<GoldenChecker::Outputs> GoldenChecker::run_frame(const GoldenFrame& frame, std::int64_t rows) {
  Result<Outputs> outputs = runner_.run(frame, rows);
  if (outputs.status().code() != StatusCode::kInferenceError) return outputs;
  const Status status = outputs.status();
  return make_error(StatusCode::kGoldenCheckError, "the engine failed: {}", status.message())
      .at(status.where())
      .with_hint(status.hint().empty() ? kHint : status.hint())
      .with_cause(status.cause());
}

Status GoldenChecker::check_outputs(const GoldenFrame& frame, const Outputs& outputs, bool is_first_run) {
  if (outputs.size() != frame.outputs.size()) {
    return make_error(StatusCode::kGoldenCheckError, "the engine has {} outputs, the reference {}", outputs.size(),
                      frame.outputs.size())
        .with_hint(kForeignHint);
  }
  for (const GoldenTensor& reference : frame.outputs) {
    const auto output = std::ranges::find(outputs, reference.name, &GoldenRunner::Output::name);
    if (output == outputs.end()) {
      return Status(StatusCode::kGoldenCheckError, "the engine has no such output, but the reference does")
          .at(reference.name)
          .with_hint(kHint);
    }
    const TensorView first = output->first_row();
    TERN_RETURN_IF_ERROR(check_output(frame, reference.name, "", first, reference.tensor.view(), is_first_run));
    for (std::int64_t row = 1; row < output->rows(); ++row) {
      const std::string suffix = fmt::format(" (batch row {} against row 0)", row);
      TERN_RETURN_IF_ERROR(check_output(frame, reference.name, suffix, output->row(row), first, false));
    }
  }
  return {};
}

Status GoldenChecker::check_output(const GoldenFrame& frame, const std::string& name, const std::string& suffix,
                                   const TensorView& found, const TensorView& reference, bool is_first_run) {
  const bool is_decoded = decoder_ && decoder_->contract().output.tensor == name;
  const OutputContract* contract = is_decoded ? &decoder_->contract().output : nullptr;
  Result<bool> is_finite = measure_.tensor(name + suffix, found, reference, contract);
  if (!is_finite.ok()) return is_finite.status().with_hint(kHint);
  if (!is_decoded || !*is_finite) return {};
  DecodedFrame found_results, reference_results;
  TERN_RETURN_IF_ERROR(decode(*decoder_, frame, found, "the engine's output", found_results));
  TERN_RETURN_IF_ERROR(decode(*decoder_, frame, reference, "the reference", reference_results));
  measure_.decoded(suffix, found_results, reference_results, *contract);
  if (contract->kind == OutputKind::kEnd2End && reference_results.boxes.empty())
    TERN_RETURN_IF_ERROR(check_weak_rows(frame, suffix, found, reference));
  if (is_first_run) {
    report_.raw_only = report_.raw_only && !decoder_->finds_something(reference_results);
    labels_.add(frame, found_results, contract->kind);
  }
  return {};
}

Status GoldenChecker::check_weak_rows(const GoldenFrame& frame, const std::string& suffix, const TensorView& found,
                                      const TensorView& reference) {
  const double top = best_score(reference);
  if (top <= 0) return {};
  const double threshold = top / 2;
  TERN_ASSIGN_OR_RETURN(GoldenDecoder decoder, decoder_->with_threshold(static_cast<float>(threshold)));
  DecodedFrame found_results, reference_results;
  TERN_RETURN_IF_ERROR(decode(decoder, frame, found, "the engine's output", found_results));
  TERN_RETURN_IF_ERROR(decode(decoder, frame, reference, "the reference", reference_results));
  // Weak scores are held to the relative error that raw outputs may have.
  GoldenTolerance weak = tolerance_;
  weak.max_score_difference = top * std::min(1.0, tolerance_.max_relative);
  GoldenMeasure measure(weak, report_);
  measure.start_frame(frame_);
  measure.decoded(" below the threshold" + suffix, found_results, reference_results, decoder.contract().output);
  return {};
}

Status GoldenChecker::check_labels() {
  std::ranges::move(labels_.rows(), std::back_inserter(report_.rows));
  const std::vector<std::pair<int, int>> swapped = labels_.swapped_classes();
  if (swapped.empty()) return {};
  const auto count = static_cast<double>(swapped.size());
  report_.rows.push_back({GoldenReport::kAllFrames, "labels", count, 0, "classes in each other's place", false});
  std::string text;
  for (const auto& [label, taken_for] : swapped)
    text += fmt::format("{}what is labelled {} is taken for {}", text.empty() ? "" : ", ", class_name(label),
                        class_name(taken_for));
  return Status(StatusCode::kGoldenCheckError, "classes stand in each other's place: " + text)
      .at("labels")
      .at(frame_name(GoldenReport::kAllFrames))
      .with_hint("compare the order of the class names in the contract with the one the model was trained with");
}

std::string GoldenChecker::class_name(int id) const {
  const std::vector<std::string>& names = decoder_->contract().output.names;
  const auto index = static_cast<std::size_t>(id);
  return index < names.size() ? in_quotes(names[index]) : fmt::format("class {}", id);
}

}  // namespace

GoldenTolerance GoldenTolerance::of(Precision precision) noexcept {
  // docs/golden.md says what was measured and how much room these leave.
  switch (precision) {
    case Precision::kAuto:
    case Precision::kF32:
      return {0.99999, 1e-3, 0.98, 1e-3, 0.999, 0};
    case Precision::kF16:
      return {0.999, 0.1, 0.88, 0.05, 0.998, 0.05};
    case Precision::kBF16:
      return {0.98, 0.5, 0.85, 0.25, 0.98, 0.2};
    case Precision::kI8:
    case Precision::kMixed:
      return {0.6, 2.0, 0.7, 0.6, 0.93, 0.34};
  }
  return {};
}

bool GoldenReport::ok() const noexcept {
  return std::ranges::all_of(rows, &Row::ok);
}

Status check_golden(Engine& engine, const GoldenSet& golden, const Contract* contract, const GoldenTolerance& tolerance,
                    GoldenReport* report) {
  GoldenReport own;
  GoldenReport& out = report == nullptr ? own : *report;
  out = {};
  std::optional<GoldenDecoder> decoder;
  if (contract != nullptr) {
    TERN_ASSIGN_OR_RETURN(decoder, GoldenDecoder::create(*contract));
  }
  TERN_ASSIGN_OR_RETURN(GoldenRunner runner, GoldenRunner::create(engine));
  const Status status = GoldenChecker(std::move(runner), std::move(decoder), tolerance, out).run(golden);
  return status.ok() ? status : status.at(engine.id());
}

}  // namespace tern
