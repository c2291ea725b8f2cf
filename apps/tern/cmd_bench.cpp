// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>
#include <variant>

#include <CLI/CLI.hpp>
#include <opencv2/core.hpp>

#include "base/error.h"
#include "media/image_file.h"
#include "options.h"
#include "result_json.h"
#include "stage_stats.h"
#include "streams_bench.h"
#include "tern/task.h"
#include "text_output.h"

namespace tern {
namespace {

using Clock = std::chrono::steady_clock;

double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}
double to_ms(StageTimes::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// A detector, segmenter or classifier, whichever the contract asks for, and the memory that its calls reuse.
class Subject {
 public:
  static Result<Subject> open(Task task, const std::string& model, const TaskOptions& options) {
    switch (task) {
      case Task::kDetect: {
        TERN_ASSIGN_OR_RETURN(Detector detector, Detector::open(model, options));
        return Subject(std::move(detector));
      }
      case Task::kSegment: {
        TERN_ASSIGN_OR_RETURN(Segmenter segmenter, Segmenter::open(model, options));
        return Subject(std::move(segmenter));
      }
      case Task::kClassify:
        break;
    }
    TERN_ASSIGN_OR_RETURN(Classifier classifier, Classifier::open(model, options));
    return Subject(std::move(classifier));
  }

  Status call(std::span<const ImageView> images, std::span<const ImageView> regions, const WaitOptions& wait) {
    if (auto* detector = std::get_if<Detector>(&task_)) return detector->detect(images, detections_, wait);
    if (auto* segmenter = std::get_if<Segmenter>(&task_)) return segmenter->segment(images, masks_, wait);
    return std::get<Classifier>(task_).classify(images, regions, classes_, wait);
  }
  [[nodiscard]] const VisionTask& task() const {
    return std::visit([](const auto& task) -> const VisionTask& { return task; }, task_);
  }

 private:
  using AnyTask = std::variant<Detector, Segmenter, Classifier>;
  explicit Subject(AnyTask task) : task_(std::move(task)) {}
  AnyTask task_;
  std::vector<std::vector<Detection>> detections_;
  std::vector<Segmentation> masks_;
  std::vector<Classification> classes_;
};

// What one context measured, milliseconds a call.
struct Samples {
  std::vector<double> warmup, whole, preprocess, infer, postprocess;
  Status status;
  void append(const Samples& other) {
    const auto add = [](std::vector<double>& to, const std::vector<double>& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    add(warmup, other.warmup);
    add(whole, other.whole);
    add(preprocess, other.preprocess);
    add(infer, other.infer);
    add(postprocess, other.postprocess);
    if (status.ok()) status = other.status;
  }
};

Json percentiles(const std::vector<double>& samples) {
  return {{"mean_ms", rounded(mean(samples), 4)},
          {"p50_ms", rounded(percentile(samples, 0.50), 4)},
          {"p90_ms", rounded(percentile(samples, 0.90), 4)},
          {"p95_ms", rounded(percentile(samples, 0.95), 4)},
          {"p99_ms", rounded(percentile(samples, 0.99), 4)},
          {"min_ms", rounded(percentile(samples, 0), 4)},
          {"max_ms", rounded(percentile(samples, 1), 4)}};
}

class BenchCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("MODEL", model_, "ONNX file")->required();
    auto* iterations = app.add_option("--iterations", iterations_, "Measured calls of each context")
                           ->check(CLI::Range(1, 100'000'000))
                           ->group("Measuring");
    app.add_option("--seconds", seconds_, "Measure this long")
        ->capture_default_str()
        ->check(CLI::Range(0.01, 86400.0))
        ->excludes(iterations)
        ->group("Measuring");
    app.add_option("--warmup", warmup_, "Calls before measuring")
        ->capture_default_str()
        ->check(CLI::Range(0, 1'000'000))
        ->group("Measuring");
    app.add_option("--source", source_, "Image file (default: 1920x1080 pixels of noise)")
        ->type_name("IMAGE")
        ->group("Measuring");
    app.add_option("--contexts", contexts_, "Copies of the model that run side by side, each in a thread of its own")
        ->capture_default_str()
        ->check(CLI::Range(1, 256))
        ->group("Measuring");
    app.add_option("--batch", batch_, "Frames that the model takes at once")
        ->capture_default_str()
        ->check(CLI::Range(1, 1024))
        ->group("Measuring");
    app.add_option("--json", json_, "Write the figures as JSON; - is standard output")
        ->type_name("FILE")
        ->group("Output");
    streams_.declare(app);
    common_.declare_output(app);
    common_.declare_engine(app);
    common_.declare_contract(app);
    common_.declare_thresholds(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    TERN_ASSIGN_OR_RETURN(TaskOptions options, common_.task_options());
    options.progress = compile_progress(std::make_shared<ProgressBar>(console));
    options.stop = environment.stop;
    options.max_batch = batch_;
    if (streams_.is_asked_for()) return streams_.run({model_, source_, seconds_, options, json_}, environment, console);
    TERN_RETURN_IF_ERROR(make_picture());
    TERN_ASSIGN_OR_RETURN(const Model model, Model::from_file(model_));
    TERN_ASSIGN_OR_RETURN(const Contract contract, Contract::resolve(model, options.contract_file, options.overrides));
    const Clock::time_point opening = Clock::now();
    std::vector<Subject> subjects;
    for (int i = 0; i < contexts_; ++i) {
      TERN_ASSIGN_OR_RETURN(Subject subject, Subject::open(contract.task, model_, options));
      subjects.push_back(std::move(subject));
    }
    const double open_ms = ms_between(opening, Clock::now());
    const auto [samples, wall_ms] = measure(subjects, contract.input.mask_channel, environment.stop);
    TERN_RETURN_IF_ERROR(samples.status);
    const Json report = make_report(subjects.front().task(), options, samples, open_ms, wall_ms);
    print(console, report);
    if (json_) {
      TERN_RETURN_IF_ERROR(TextOutput::write(*json_, to_document(report)));
    }
    return {};
  }

 private:
  Status make_picture() {
    if (source_) {
      TERN_ASSIGN_OR_RETURN(picture_, read_image(*source_));
    } else {
      picture_ = cv::Mat(1080, 1920, CV_8UC3);
      cv::RNG random(1);
      random.fill(picture_, cv::RNG::UNIFORM, 0, 256);
    }
    region_ = cv::Mat(picture_.size(), CV_8UC1, cv::Scalar(255));
    return {};
  }

  void measure_one(Subject& subject, bool with_region, std::stop_token stop, Samples& samples) const {
    const std::vector<ImageView> images(static_cast<std::size_t>(batch_), view_of(picture_));
    const std::vector<ImageView> regions(with_region ? images.size() : 0, view_of(region_));
    WaitOptions wait;
    wait.stop = stop;
    const auto timed_call = [&](std::vector<double>& times) {
      const Clock::time_point start = Clock::now();
      samples.status = subject.call(images, regions, wait);
      times.push_back(ms_between(start, Clock::now()));
      return samples.status.ok();
    };
    for (int i = 0; i < warmup_; ++i) {
      if (!timed_call(samples.warmup)) return;
    }
    const Clock::time_point start = Clock::now();
    for (int i = 0; iterations_ ? i < *iterations_ : i == 0 || ms_between(start, Clock::now()) < 1000 * seconds_; ++i) {
      if (!timed_call(samples.whole)) return;
      const StageTimes& times = subject.task().last_run().times;
      samples.preprocess.push_back(to_ms(times.preprocess));
      samples.infer.push_back(to_ms(times.infer));
      samples.postprocess.push_back(to_ms(times.postprocess));
    }
  }

  // All contexts at once; the samples together, and the wall time of their measured calls.
  std::pair<Samples, double> measure(std::vector<Subject>& subjects, bool with_region, std::stop_token stop) const {
    std::vector<Samples> parts(subjects.size());
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < subjects.size(); ++i) {
        threads.emplace_back([&, i] { measure_one(subjects[i], with_region, stop, parts[i]); });
      }
    }
    Samples all;
    double wall_ms = 0;
    for (const Samples& part : parts) {
      all.append(part);
      double total = 0;
      for (const double ms : part.whole)
        total += ms;
      wall_ms = std::max(wall_ms, total);
    }
    return {std::move(all), wall_ms};
  }

  [[nodiscard]] Json make_report(const VisionTask& task, const TaskOptions& options, const Samples& samples,
                                 double open_ms, double wall_ms) const {
    const RunInfo& run = task.last_run();
    Json report{{"model", model_},
                {"task", to_string(task.contract().task)},
                {"backend", run.backend},
                {"backend_version", backend_version(std::string(run.backend))},
                {"precision", run.precision},
                {"engine", run.engine_id},
                {"threads", task.engine().threads()},
                {"hint", options.hint == PerformanceHint::kThroughput ? "throughput" : "latency"},
                {"batch", batch_},
                {"contexts", contexts_},
                {"source", source_ ? Json(*source_) : Json(nullptr)},
                {"width", picture_.cols},
                {"height", picture_.rows},
                {"open_ms", rounded(open_ms, 3)},
                {"warmup", {{"calls", samples.warmup.size()}, {"max_ms", rounded(percentile(samples.warmup, 1), 4)}}},
                {"calls", samples.whole.size()}};
    report.update(percentiles(samples.whole));
    const double images = static_cast<double>(samples.whole.size()) * batch_;
    report["throughput"] = rounded(1000 * images / std::max(wall_ms, 1e-6), 3);
    report["stages"] = {{"preprocess", percentiles(samples.preprocess)},
                        {"infer", percentiles(samples.infer)},
                        {"postprocess", percentiles(samples.postprocess)}};
    std::vector<double> ratios;
    for (std::size_t i = 0; i < samples.whole.size(); ++i)
      ratios.push_back(samples.whole[i] / std::max(samples.infer[i], 1e-6));
    report["whole_to_infer"] = rounded(percentile(ratios, 0.5), 4);
    return report;
  }

  static std::string backend_version(const std::string& name) {
    const auto backend = BackendRegistry::load().find(name);
    return backend.ok() ? (*backend)->host_facts().version : std::string();
  }

  static void print(const Console& console, const Json& report) {
    const auto row = [](const std::string& name, const Json& p) {
      std::vector<std::string> cells{name};
      for (const char* key : {"mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"})
        cells.push_back(fmt::format("{:.2f}", p[key].get<double>()));
      return cells;
    };
    const auto text = [&](const char* key) { return report[key].get<std::string>(); };
    console.print(fmt::format("{} on {} {}, {} threads, batch {}, {} context(s), {}x{} pixels", text("engine"),
                              text("backend"), text("precision"), report["threads"].get<int>(),
                              report["batch"].get<int>(), report["contexts"].get<int>(), report["width"].get<int>(),
                              report["height"].get<int>()));
    console.print(fmt::format("opened in {:.0f} ms; {} warm-up calls, the slowest {:.2f} ms; {} calls measured\n",
                              report["open_ms"].get<double>(), report["warmup"]["calls"].get<int>(),
                              report["warmup"]["max_ms"].get<double>(), report["calls"].get<int>()));
    std::vector<std::vector<std::string>> rows{{"ms a call", "mean", "p50", "p90", "p95", "p99", "max"}};
    for (const char* stage : {"preprocess", "infer", "postprocess"})
      rows.push_back(row(stage, report["stages"][stage]));
    rows.push_back(row("whole path", report));
    console.print(format_table(rows));
    console.print(fmt::format("\n{:.1f} frames/s; whole path / infer: {:.3f}", report["throughput"].get<double>(),
                              report["whole_to_infer"].get<double>()));
  }

  std::string model_;
  std::optional<int> iterations_;
  double seconds_ = 5;
  int warmup_ = 10, contexts_ = 1, batch_ = 1;
  std::optional<std::string> source_, json_;
  cv::Mat picture_, region_;
  StreamsBench streams_;
  CommonOptions common_;
};

}  // namespace

const CommandInfo kBenchCommand{
    "bench", "Measure latency and throughput: the whole path, and each stage of it",
    "  tern bench overhead-detect.onnx --source photo.jpg --seconds 10\n"
    "  tern bench overhead-detect.onnx --contexts 2 --threads 1 --hint throughput --json -\n"
    "  tern bench pipeline.yaml --streams auto --rate 30 --deadline-ms 33 --executors 4",
    make_command<BenchCommand>};

}  // namespace tern
