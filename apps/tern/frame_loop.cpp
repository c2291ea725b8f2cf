// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "frame_loop.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "media/convert.h"
#include "media/image_file.h"
#include "media/sources.h"
#include "media/video_reader.h"
#include "media/video_writer.h"
#include "save_plan.h"
#include "stage_stats.h"
#include "text_output.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}
double to_ms(StageTimes::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// A decoded frame that waits for its batch to fill.
struct Pending {
  Frame frame;
  std::size_t source = 0;
  double decode_ms = 0;
  AVRational frame_rate{25, 1};  // of its video
};

class FrameLoop {
 public:
  FrameLoop(FrameTask& task, std::vector<Source> sources, std::vector<fs::path> saved, const FrameLoopOptions& options,
            const Environment& environment, const Console& console)
      : task_(task),
        sources_(std::move(sources)),
        saved_(std::move(saved)),
        options_(options),
        environment_(environment),
        console_(console),
        bar_(console) {}

  Status run() {
    if (options_.json) {
      TERN_ASSIGN_OR_RETURN(TextOutput json, TextOutput::open(*options_.json));
      json_.emplace(std::move(json));
    }
    start_ = Clock::now();
    Status status = process_sources();
    bar_.clear();
    // Frames that were done stay done, unless it was the writing that failed.
    const bool keep = frames_ > 0 && status.code() != StatusCode::kIoError;
    if (keep || status.ok()) {
      const Status finished = finish_outputs();
      if (!status.ok() && !finished.ok()) console_.error(finished);  // the first failure decides the exit code
      if (status.ok()) status = finished;
    }
    if (frames_ > 0) report();
    return status;
  }

 private:
  Status process_sources() {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const Status status = sources_[i].kind == Source::Kind::kImage ? process_image(i) : process_video(i);
      if (!status.ok()) {
        // The frames read before the bad one are still due.
        if (status.code() == StatusCode::kInputError) TERN_RETURN_IF_ERROR(flush());
        return status;
      }
    }
    return flush();
  }

  Status check_stop() const {
    if (!environment_.stop.stop_requested()) return {};
    return make_error(StatusCode::kCancelled, "stopped after {} frames", frames_);
  }

  Status process_image(std::size_t index) {
    TERN_RETURN_IF_ERROR(check_stop());
    const Clock::time_point start = Clock::now();
    std::vector<std::string> warnings;
    TERN_ASSIGN_OR_RETURN(Frame frame, read_image_frame(sources_[index].path, &warnings));
    for (const std::string& warning : warnings)
      console_.warn(fmt::format("{}: {}", sources_[index].path.string(), warning));
    bar_.update(static_cast<double>(index) / static_cast<double>(sources_.size()),
                fmt::format("{} of {} images", index + 1, sources_.size()));
    return add({std::move(frame), index, ms_since(start)});
  }

  Status process_video(std::size_t index) {
    TERN_ASSIGN_OR_RETURN(VideoReader reader, VideoReader::open(sources_[index].path));
    for (const std::string& note : reader.notes())
      console_.warn(fmt::format("{}: {}", sources_[index].path.string(), note));
    for (;;) {
      TERN_RETURN_IF_ERROR(check_stop());
      const Clock::time_point start = Clock::now();
      Frame frame;
      TERN_ASSIGN_OR_RETURN(const bool more, reader.next(frame));
      if (!more) return {};
      const double total = static_cast<double>(reader.frame_count());
      const double rate = 1000 * static_cast<double>(frames_) / std::max(ms_since(start_), 1.0);
      bar_.update(
          total > 0 ? static_cast<double>(frame.index) / total : -1,
          fmt::format("{} frame {}, {:.1f} frames/s", sources_[index].path.filename().string(), frame.index + 1, rate));
      TERN_RETURN_IF_ERROR(add({std::move(frame), index, ms_since(start), reader.frame_rate()}));
    }
  }

  Status add(Pending pending) {
    pending_.push_back(std::move(pending));
    return pending_.size() == static_cast<std::size_t>(options_.batch) ? flush() : Status();
  }

  Status flush() {
    if (pending_.empty()) return {};
    const Status status = process_pending();
    pending_.clear();
    return status;
  }

  // Runs the waiting frames and saves their results.
  Status process_pending() {
    std::vector<Frame> frames;
    for (const Pending& pending : pending_)
      frames.push_back(pending.frame);
    WaitOptions wait;
    wait.stop = environment_.stop;
    if (const Status status = task_.run(frames, wait); !status.ok()) {
      const Frame& first = frames.front();
      const bool video = first.time_s.has_value();
      return status.at(video ? fmt::format("{}: frame {}", first.source.string(), first.index) : first.source.string());
    }
    const StageTimes& times = task_.task().last_run().times;
    const double count = static_cast<double>(frames.size());
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      const FrameTimes frame_times{pending_[i].decode_ms, to_ms(times.preprocess) / count, to_ms(times.infer) / count,
                                   to_ms(times.postprocess) / count, 0};
      TERN_RETURN_IF_ERROR(save_result(i, frame_times));
    }
    return {};
  }

  Status save_result(std::size_t i, FrameTimes times) {
    const Pending& pending = pending_[i];
    Json result;
    task_.add_json(i, result);
    if (!saved_.empty()) {
      const Clock::time_point start = Clock::now();
      TERN_RETURN_IF_ERROR(save_picture(i, result));
      times.draw = ms_since(start);
    }
    count(times);
    ++frames_;
    if (json_) {
      Json line = frame_json(pending.frame, task_.task().last_run(), times);
      line.update(result);
      TERN_RETURN_IF_ERROR(json_->write_line(to_line(line)));
    }
    if (sources_[pending.source].kind == Source::Kind::kImage) {
      bar_.clear();
      console_.print(fmt::format("{}: {}", pending.frame.source.string(), task_.summary(i)));
    }
    return {};
  }

  Status save_picture(std::size_t i, Json& line) {
    const Pending& pending = pending_[i];
    TERN_ASSIGN_OR_RETURN(cv::Mat bgr, converter_.convert(pending.frame.view));
    task_.draw(i, bgr);
    const fs::path& path = saved_[pending.source];
    if (sources_[pending.source].kind == Source::Kind::kImage) {
      TERN_RETURN_IF_ERROR(write_image(path, bgr));
      saved_files_.push_back(path);
      return task_.save_more(i, path, line);
    }
    if (writer_ && writer_source_ != pending.source) TERN_RETURN_IF_ERROR(finish_video());
    if (!writer_) {
      TERN_ASSIGN_OR_RETURN(VideoWriter writer, VideoWriter::create(path, bgr.cols, bgr.rows, pending.frame_rate));
      writer_.emplace(std::move(writer));
      writer_source_ = pending.source;
    }
    const Status status = writer_->write(bgr, pending.frame.time_s.value_or(0));
    if (!status.ok()) writer_.reset();
    return status;
  }

  Status finish_video() {
    if (!writer_) return {};
    const Status status = writer_->finish();
    writer_.reset();
    if (status.ok()) saved_files_.push_back(saved_[writer_source_]);
    return status;
  }

  Status finish_outputs() {
    TERN_RETURN_IF_ERROR(finish_video());
    return json_ ? json_->commit() : Status();
  }

  void count(const FrameTimes& times) {
    stats_.add("decode", times.decode);
    stats_.add("preprocess", times.preprocess);
    stats_.add("infer", times.infer);
    stats_.add("postprocess", times.postprocess);
    if (!saved_.empty()) stats_.add("draw + write", times.draw);
    stats_.add("total", times.decode + times.preprocess + times.infer + times.postprocess + times.draw);
  }

  void report() const {
    const RunInfo& run = task_.task().last_run();
    const double seconds = ms_since(start_) / 1000;
    console_.print(fmt::format("\n{}\n", stats_.table()));
    console_.print(fmt::format("{} frame{} in {:.2f} s: {:.1f} frames/s on {} {} ({} thread{}, batch {}), engine {}",
                               frames_, frames_ == 1 ? "" : "s", seconds, static_cast<double>(frames_) / seconds,
                               run.backend, run.precision, task_.task().engine().threads(),
                               task_.task().engine().threads() == 1 ? "" : "s", options_.batch, run.engine_id));
    if (saved_files_.size() == 1) console_.print(fmt::format("saved {}", saved_files_[0].string()));
    if (saved_files_.size() > 1) {
      console_.print(fmt::format("saved {} files in {}", saved_files_.size(), saved_files_[0].parent_path().string()));
    }
    if (options_.json && !TextOutput::is_stdout(*options_.json)) {
      console_.print(fmt::format("wrote {} line{} to {}", frames_, frames_ == 1 ? "" : "s", *options_.json));
    }
  }

  FrameTask& task_;
  std::vector<Source> sources_;
  std::vector<fs::path> saved_;        // where each source's result goes; empty when nothing is to be saved
  std::vector<fs::path> saved_files_;  // those that are written
  const FrameLoopOptions& options_;
  const Environment& environment_;
  const Console& console_;
  ProgressBar bar_;
  std::optional<TextOutput> json_;
  std::optional<VideoWriter> writer_;
  std::size_t writer_source_ = 0;
  BgrConverter converter_;
  std::vector<Pending> pending_;
  StageStats stats_;
  std::int64_t frames_ = 0;
  Clock::time_point start_;
};

}  // namespace

void declare_frame_loop(CLI::App& app, FrameLoopOptions& options) {
  app.add_option("SOURCE", options.sources,
                 "Image or video files, folders (their images; folders within are not entered) or 'patterns*.jpg'")
      ->required();
  app.add_option("--save", options.save,
                 "Save annotated pictures: a folder, or a file name for one source (.jpg, .png; .mp4 for a video)")
      ->type_name("PATH")
      ->group("Output");
  app.add_option("--json", options.json, "Write one JSON line for each frame; - is standard output")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--batch", options.batch, "Frames that the model takes at once")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->group("Engine");
}

Status run_frame_loop(const MakeFrameTask& make_task, const FrameLoopOptions& options, const Environment& environment,
                      const Console& console) {
  TERN_ASSIGN_OR_RETURN(std::vector<Source> sources, find_sources(options.sources, options.skip_regions));
  TERN_ASSIGN_OR_RETURN(const std::unique_ptr<FrameTask> task, make_task());
  std::vector<fs::path> saved;
  if (options.save) {
    TERN_ASSIGN_OR_RETURN(saved, plan_saving(sources, *options.save, task->saved_suffix()));
  }
  return FrameLoop(*task, std::move(sources), std::move(saved), options, environment, console).run();
}

}  // namespace tern
