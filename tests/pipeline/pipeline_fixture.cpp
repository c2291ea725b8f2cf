// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline_fixture.h"

#include <chrono>
#include <cstdlib>
#include <unistd.h>

#include <opencv2/imgcodecs.hpp>

namespace tern::test {
namespace {

class PictureSource final : public FrameSource {
 public:
  PictureSource(Pictures pictures, std::function<Nanoseconds(std::int64_t)> captured)
      : pictures_(std::move(pictures)), captured_(std::move(captured)) {}

  Result<bool> next(SourceFrame& frame, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    auto pixels = std::make_shared<cv::Mat>(pictures_(next_));
    if (pixels->empty()) return false;
    frame.view = ImageView::packed(pixels->data, pixels->cols, pixels->rows, PixelFormat::kBgr,
                                   static_cast<std::ptrdiff_t>(pixels->step));
    frame.pixels = pixels;
    frame.captured = captured_ ? captured_(next_) : Nanoseconds(0);
    frame.index = next_++;
    return true;
  }

 private:
  Pictures pictures_;
  std::function<Nanoseconds(std::int64_t)> captured_;
  std::int64_t next_ = 0;
};

/// Engines of this run, gone with it.
struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / ("tern-live-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

}  // namespace

SourceParts source_of(Pictures pictures, bool is_live, std::function<Nanoseconds(std::int64_t)> captured) {
  return {[pictures = std::move(pictures),
           captured = std::move(captured)](const std::stop_token&) -> Result<std::unique_ptr<FrameSource>> {
            return std::unique_ptr<FrameSource>(std::make_unique<PictureSource>(pictures, captured));
          },
          is_live};
}

Pictures repeat(const std::string& file, std::int64_t count) {
  const cv::Mat picture = cv::imread(std::string(TERN_SOURCE_DIR) + "/" + file);
  return [picture, count](std::int64_t i) { return i < count ? picture : cv::Mat(); };
}

class Collector::Sink final : public ResultSink {
 public:
  explicit Sink(Collector& owner) : owner_(owner) {}
  Status begin(const PipelineSpec&, const std::vector<PipelineModelInfo>&) override { return {}; }
  Status write(const FrameResult& result) override {
    if (owner_.on_write) TERN_RETURN_IF_ERROR(owner_.on_write(result));
    const std::scoped_lock lock(owner_.mutex_);
    owner_.seen_.push_back({result.source, result.sequence, result.frame.index, result.frame.view.width,
                            result.frame.view.height, result.end, result.captured, result.ended, result.models,
                            result.failure});
    owner_.changed_.notify_all();
    return {};
  }
  Status finish() override {
    owner_.finished_ = true;
    return {};
  }

 private:
  Collector& owner_;
};

SinkParts Collector::sink(std::string name, int queue, bool is_lossless) {
  return {std::move(name), std::make_unique<Sink>(*this), queue, is_lossless};
}

std::vector<Seen> Collector::seen() const {
  const std::scoped_lock lock(mutex_);
  return seen_;
}

bool Collector::wait_for(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return seen_.size() >= count; });
}

std::shared_ptr<InferenceRuntime> shared_runtime() {
  static const Folder folder;
  static const std::shared_ptr<InferenceRuntime> runtime = [] {
    RuntimeOptions options;
    options.config = RuntimeConfig::resolve().value();
    options.config.store_path = folder.path / "engines";
    options.config.state_path = folder.path / "state";
    options.config.golden_policy = GoldenPolicy::kNever;
    return std::make_shared<InferenceRuntime>(InferenceRuntime::create(std::move(options)).value());
  }();
  return runtime;
}

PipelineOptions test_options() {
  PipelineOptions options;
  options.task.backend = "openvino";
  options.task.precision = Precision::kF32;
  options.task.threads = 1;
  options.task.runtime = shared_runtime();
  options.measure_width = options.measure_height = 64;
  options.thermal = [] { return ThermalState{.reasons = {"a test"}, .source = "none"}; };
  return options;
}

std::vector<SinkParts> only(SinkParts sink) {
  std::vector<SinkParts> sinks;
  sinks.push_back(std::move(sink));
  return sinks;
}

PipelineSpec spec_of(const std::string& yaml) {
  return PipelineSpec::parse(yaml, "test").value();
}

}  // namespace tern::test
