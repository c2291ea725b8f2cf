// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// A pipeline on frames of one's own: pipeline MODEL.onnx. Here the frames are grey pictures, 30 a second for a second.
#include "tern/pipeline.h"

#include <cstdio>
#include <thread>

namespace {

using namespace std::chrono;

class Camera final : public tern::FrameSource {
 public:
  tern::Result<bool> next(tern::SourceFrame& frame, std::stop_token stop) override {
    if (stop.stop_requested() || frame_ == 30) return false;
    std::this_thread::sleep_for(milliseconds(33));
    frame.view = tern::ImageView::packed(pixels_.data(), 640, 480, tern::PixelFormat::kBgr);
    frame.captured = steady_clock::now().time_since_epoch();
    frame.index = frame_++;
    return true;
  }

 private:
  std::vector<std::uint8_t> pixels_ = std::vector<std::uint8_t>(3 * 640 * 480, 127);
  int frame_ = 0;
};

class Printer final : public tern::ResultSink {
 public:
  tern::Status begin(const tern::PipelineSpec& /*spec*/,
                     const std::vector<tern::PipelineModelInfo>& /*models*/) override {
    return {};
  }
  tern::Status write(const tern::FrameResult& result) override {
    std::printf("frame %lld: %zu objects, %.1f ms old\n", static_cast<long long>(result.frame.index),
                result.models[0].detections.size(),
                duration<double, std::milli>(result.ended - result.captured).count());
    return {};
  }
  tern::Status finish() override { return {}; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  tern::PipelineSpec spec;
  spec.models.push_back({.name = "detect", .file = argv[1]});
  spec.sources.push_back({.name = "camera", .deadline = milliseconds(500), .models = {"detect"}});
  std::vector<tern::SourceParts> sources{
      {[](const std::stop_token&) -> tern::Result<std::unique_ptr<tern::FrameSource>> {
        return std::unique_ptr<tern::FrameSource>(std::make_unique<Camera>());
      }}};
  std::vector<tern::SinkParts> sinks;
  sinks.push_back({"printer", std::make_unique<Printer>()});
  auto pipeline = tern::Pipeline::create(spec, std::move(sources), std::move(sinks));
  if (!pipeline.ok()) return std::fprintf(stderr, "%s\n", pipeline.status().to_string().c_str()), 1;
  (*pipeline)->start();
  const tern::Status status = (*pipeline)->wait();
  const auto ends = (*pipeline)->snapshot().sources[0].ends;
  std::printf("%.0f %% of the frames in time\n", 100 * tern::deadline_hit_rate(ends));
  return status.ok() ? 0 : 1;
}
