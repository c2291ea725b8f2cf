// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <thread>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/interruptible_sleep.h"
#include "live/sinks.h"
#include "live/sources.h"
#include "options.h"
#include "pipeline_report.h"
#include "result_json.h"
#include "supervisor.h"
#include "tern/pipeline.h"
#include "text_output.h"
#include "web/live_page.h"
#include "web/status_json.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kTraceSpans = 500'000;

volatile std::sig_atomic_t wants_reload = 0;  // set by SIGHUP

/// Reloads the models whose files have changed since the last look.
class FileWatch {
 public:
  FileWatch(const Pipeline& pipeline, const fs::path& folder) {
    for (const PipelineSpec::Model& model : pipeline.spec().models)
      files_[model.name] = {folder / model.file, time_of(folder / model.file)};
  }
  void reload_changed(Pipeline& pipeline, const Console& console) {
    for (auto& [name, file] : files_) {
      const fs::file_time_type time = time_of(file.path);
      if (time == file.time) continue;
      file.time = time;
      const Status status = pipeline.reload(name);
      status.ok() ? console.print(fmt::format("reloaded {} from {}", name, file.path.string())) : console.error(status);
    }
  }

 private:
  struct File {
    fs::path path;
    fs::file_time_type time;
  };
  static fs::file_time_type time_of(const fs::path& path) {
    std::error_code ignored;
    return fs::last_write_time(path, ignored);
  }
  std::map<std::string, File> files_;
};

class PipelineCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("FILE", file_, "Pipeline file (docs/pipelines.md)")->required();
    app.add_flag("--check", is_check_, "Read and check the file, and run nothing");
    app.add_option("--duration", duration_s_, "Stop after this long (default: when all sources have ended)")
        ->check(CLI::Range(0.1, 1e9))
        ->type_name("SECONDS");
    app.add_option("--executors", executors_, "Batches that run at the same time, each on a context of its own")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app.add_option("--batch", batch_, "Frames that a model takes at once, where the file does not say it")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app.add_flag("--restart", is_supervised_,
                 "Run in a process of its own, and in a new one when a model fails for good or the process crashes");
    app.add_option("--give-up-after", give_up_after_s_,
                   "End when a model has only failed for so long (default: never; with --restart 10)")
        ->check(CLI::Range(0.1, 1e9))
        ->type_name("SECONDS");
    app.add_option("--trace", trace_, "Write what worked on which frame as Chrome trace JSON, for Perfetto")
        ->type_name("FILE")
        ->group("Output");
    app.add_option("--json", json_, "Write the final figures as JSON; - is standard output")
        ->type_name("FILE")
        ->group("Output");
    common_.declare_output(app);
    common_.declare_engine(app);
  }

  Status run(const Environment& environment) override {
    const Console console = console_for(environment, common_.quiet(), json_);
    TERN_ASSIGN_OR_RETURN(const PipelineSpec spec, PipelineSpec::read(file_));
    if (is_check_) {
      console.print(fmt::format("{}: {} source(s), {} model(s), {} sink(s)", file_, spec.sources.size(),
                                spec.models.size(), spec.sinks.size()));
      return {};
    }
    if (is_supervised_) return run_supervised(environment, console);
    folder_ = fs::path(file_).parent_path();
    TERN_ASSIGN_OR_RETURN(PipelineOptions options, pipeline_options(environment, console));
    hooks_.logger = options.task.logger;
    hooks_.metrics = [this] { return pipeline_ != nullptr ? &pipeline_->metrics() : nullptr; };
    TERN_ASSIGN_OR_RETURN(std::vector<SourceParts> sources, open_sources(spec));
    TERN_ASSIGN_OR_RETURN(std::vector<SinkParts> sinks, open_sinks(spec));
    TERN_ASSIGN_OR_RETURN(pipeline_, Pipeline::create(spec, std::move(sources), std::move(sinks), options));
    const Status status = serve(environment, console);
    const Status reported = report(console);
    pages_.clear();  // they ask the pipeline
    return status.ok() ? reported : status;
  }

 private:
  Status run_supervised(const Environment& environment, const Console& console) const {
    std::vector<std::string> arguments = own_arguments_without("--restart");
    if (!give_up_after_s_) arguments.insert(arguments.end(), {"--give-up-after", "10"});
    return supervise(arguments, console, environment.stop);
  }

  [[nodiscard]] Result<PipelineOptions> pipeline_options(const Environment& environment, const Console& console) const {
    PipelineOptions options;
    TERN_ASSIGN_OR_RETURN(options.task, common_.task_options());
    options.task.progress = compile_progress(std::make_shared<ProgressBar>(console));
    options.task.stop = environment.stop;
    options.task.max_batch = batch_;
    options.folder = folder_;
    options.executors = executors_;
    if (trace_) options.trace_spans = kTraceSpans;
    if (give_up_after_s_) options.give_up_after = Nanoseconds(static_cast<std::int64_t>(*give_up_after_s_ * 1e9));
    return options;
  }

  [[nodiscard]] Result<std::vector<SourceParts>> open_sources(const PipelineSpec& spec) const {
    std::vector<SourceParts> sources;
    for (const PipelineSpec::Source& source : spec.sources) {
      TERN_ASSIGN_OR_RETURN(SourceParts parts, make_source(source, folder_, hooks_));
      sources.push_back(std::move(parts));
    }
    return sources;
  }

  [[nodiscard]] Result<std::vector<SinkParts>> open_sinks(const PipelineSpec& spec) {
    std::vector<SinkParts> sinks;
    for (const PipelineSpec::Sink& sink : spec.sinks) {
      if (sink.kind == PipelineSpec::SinkKind::kWeb) {
        TERN_ASSIGN_OR_RETURN(LivePage page, LivePage::open(spec, sink, folder_));
        sinks.push_back(page.take_sink());
        pages_.push_back(std::move(page));
      } else {
        TERN_ASSIGN_OR_RETURN(SinkParts parts, make_sink(sink, folder_, hooks_));
        sinks.push_back(std::move(parts));
      }
    }
    return sinks;
  }

  Status serve(const Environment& environment, const Console& console) {
    FileWatch files(*pipeline_, folder_);
    std::signal(SIGHUP, [](int) { wants_reload = 1; });
    for (LivePage& page : pages_) {
      page.start(*pipeline_);
      console.print(fmt::format("live page: {}", page.url()));
    }
    std::stop_source stop;
    const std::stop_callback on_interrupt(environment.stop, [&] { stop.request_stop(); });
    pipeline_->start();
    const std::jthread monitor([&](const std::stop_token& done) { watch(stop, done, files, console); });
    return pipeline_->wait(stop.get_token());
  }

  /// The progress line, the end of --duration, and SIGHUP.
  void watch(std::stop_source& stop, const std::stop_token& done, FileWatch& files, const Console& console) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    ProgressBar bar(console);
    InterruptibleSleep sleep;
    while (sleep.lasting(std::chrono::milliseconds(200), done)) {
      if (console.live) bar.update(-1, pipeline_headline(pipeline_->snapshot()));
      if (duration_s_ && std::chrono::duration<double>(Clock::now() - start).count() >= *duration_s_)
        stop.request_stop();
      if (wants_reload == 0) continue;
      wants_reload = 0;
      bar.clear();
      files.reload_changed(*pipeline_, console);
    }
  }

  Status report(const Console& console) const {
    const PipelineSnapshot snapshot = pipeline_->snapshot();
    console.print("\n" + pipeline_report(snapshot));
    if (trace_) {
      TERN_ASSIGN_OR_RETURN(const std::string trace, pipeline_->trace_json());
      TERN_RETURN_IF_ERROR(TextOutput::write(*trace_, trace));
      console.print(fmt::format("wrote the trace to {}; open it in Perfetto", *trace_));
    }
    return json_ ? TextOutput::write(*json_, to_document(status_json(snapshot))) : Status();
  }

  std::string file_;
  bool is_check_ = false, is_supervised_ = false;
  std::optional<double> duration_s_, give_up_after_s_;
  int executors_ = 1, batch_ = 1;
  std::optional<std::string> trace_, json_;
  CommonOptions common_;
  fs::path folder_;
  LiveHooks hooks_;
  std::unique_ptr<Pipeline> pipeline_;
  std::vector<LivePage> pages_;  // die before the pipeline that they show
};

}  // namespace

const CommandInfo kPipelineCommand{
    "pipeline", "Run sources, models and sinks together in real time, as a file says",
    "  tern pipeline cameras.yaml                     # until Ctrl-C, or its sources have ended\n"
    "  tern pipeline cameras.yaml --check             # is the file right?\n"
    "  tern pipeline cameras.yaml --duration 60 --trace trace.json --json figures.json\n"
    "  kill -HUP PID                                  # reload the models whose files have changed",
    make_command<PipelineCommand>};

}  // namespace tern
