// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// tern_preprocess_gpu_bench [ROUNDS]: how near the CUDA preprocessing is to what moving its bytes takes. It needs no peers
// (bench/compare/preprocess_gpu.py has those).
//
// A case is a frame size, a format, an interpolation and a batch. Its launches rotate over as many sets of frames and
// outputs as exceed the L2 cache four times, all in one CUDA graph; the contenders of a case are replayed in turns, and
// medians are printed as a table and as JSON lines. "floor" is bytes touched / the bandwidth of a copy of 1 GiB, bytes read
// and written counted, in the same run. Bytes touched: the 32-byte sectors that the filter needs, and the output.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cuda/handles.h"
#include "preprocess/cuda/preprocess_kernel.h"
#include "preprocess_plan.h"
#include "tern/status.h"
#include "variants.h"

namespace {

using namespace tern;        // NOLINT(google-build-using-namespace): a program of one file
using namespace tern::cuda;  // NOLINT(google-build-using-namespace)
using bench::Enqueue;
using bench::PreprocessPlan;

constexpr int kSide = 640;
constexpr int kLaunches = 40;  // of a graph, at least
constexpr double kRotation = 256e6;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Bytes read and written a second by a copy within the GPU's memory.
double copy_bandwidth(const Stream& stream) {
  const std::size_t bytes = std::size_t{1} << 30U;
  const DeviceBuffer from(bytes);
  const DeviceBuffer to(bytes);
  check(cudaMemset(from.data(), 0x5A, bytes), "cudaMemset");
  const Event begin;
  const Event end;
  std::vector<double> seconds;
  for (int i = 0; i < 25; ++i) {
    begin.record(stream);
    check(cudaMemcpyAsync(to.data(), from.data(), bytes, cudaMemcpyDeviceToDevice, stream.get()), "cudaMemcpyAsync");
    end.record(stream);
    stream.synchronize();
    if (i >= 5) seconds.push_back(begin.milliseconds_until(end) / 1e3);
  }
  return 2 * static_cast<double>(bytes) / median(seconds);
}

struct Case {
  const char* name;
  PixelFormat format;
  int width, height, batch;
  Interpolation interpolation = Interpolation::kBilinear;
  DType dtype = DType::kF32;
};

/// Random frames in GPU memory and outputs, enough sets of them to defeat the L2 cache.
class Frames {
 public:
  explicit Frames(const Case& c) {
    const bool is_nv12 = c.format == PixelFormat::kNv12;
    const std::size_t pixels = static_cast<std::size_t>(c.width) * static_cast<std::size_t>(c.height);
    const std::size_t frame_bytes = is_nv12 ? pixels * 3 / 2 : 3 * pixels;
    const std::size_t out_bytes = size_of(c.dtype) * 3 * kSide * kSide;
    InputContract contract;
    contract.interpolation = c.interpolation;
    contract.dtype = c.dtype;
    std::vector<std::uint8_t> random(frame_bytes);
    std::mt19937 source(7);
    std::generate(random.begin(), random.end(), [&source] { return static_cast<std::uint8_t>(source()); });

    double bytes = 0;
    while (plans_.size() < 2 || bytes < kRotation) {
      std::vector<ImageView> views;
      for (int i = 0; i < c.batch; ++i) {
        buffers_.push_back(std::make_unique<DeviceBuffer>(frame_bytes));
        check(cudaMemcpy(buffers_.back()->data(), random.data(), frame_bytes, cudaMemcpyHostToDevice), "cudaMemcpy");
        check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        const auto* data = static_cast<const std::uint8_t*>(buffers_.back()->data());
        ImageView view = ImageView::packed(data, c.width, c.height, c.format);
        if (is_nv12) {
          view.planes[0] = {data, c.width};
          view.planes[1] = {data + pixels, c.width};
        }
        view.device = Device{DeviceKind::kCuda, 0};
        views.push_back(view);
      }
      buffers_.push_back(std::make_unique<DeviceBuffer>(out_bytes * static_cast<std::size_t>(c.batch)));
      plans_.push_back(std::make_unique<PreprocessPlan>(contract, views, kSide, kSide, buffers_.back()->data()));
      bytes += plans_.back()->bytes_touched();
    }
  }
  [[nodiscard]] const std::vector<std::unique_ptr<PreprocessPlan>>& plans() const noexcept { return plans_; }

 private:
  std::vector<std::unique_ptr<DeviceBuffer>> buffers_;
  std::vector<std::unique_ptr<PreprocessPlan>> plans_;
};

/// One kernel on all sets in turn, as a graph.
class Contender {
 public:
  Contender(std::string name, Enqueue kernel, const Frames& frames, const Stream& stream)
      : name_(std::move(name)), graph_(capture(kernel, frames, stream)), exec_(graph_) {}

  void run(const Stream& stream, bool is_counted) {
    begin_.record(stream);
    exec_.launch(stream.get());
    end_.record(stream);
    stream.synchronize();
    if (is_counted) microseconds_.push_back(begin_.milliseconds_until(end_) * 1e3 / launches_);
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] double microseconds() const { return median(microseconds_); }

 private:
  Graph capture(Enqueue kernel, const Frames& frames, const Stream& stream) {
    const auto& plans = frames.plans();
    check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    while (launches_ < kLaunches) {
      for (const auto& plan : plans)
        plan->enqueue(kernel, stream.get());
      launches_ += static_cast<int>(plans.size());
    }
    cudaGraph_t captured = nullptr;
    check(cudaStreamEndCapture(stream.get(), &captured), "cudaStreamEndCapture");
    return Graph(captured);
  }

  std::string name_;
  int launches_ = 0;
  Graph graph_;
  GraphExec exec_;
  Event begin_, end_;
  std::vector<double> microseconds_;
};

void race(const Case& c, double bandwidth, int rounds, const Stream& stream) {
  const Frames frames(c);
  std::vector<std::unique_ptr<Contender>> contenders;
  const auto add = [&](const char* name, Enqueue kernel) {
    contenders.push_back(std::make_unique<Contender>(name, kernel, frames, stream));
  };
  add("tern", enqueue_preprocess);
  for (const bench::Variant& variant : bench::variants())
    add(variant.name, variant.enqueue);
  if (c.format == PixelFormat::kBgr && c.interpolation == Interpolation::kBilinear && c.dtype == DType::kF32) {
    add("simple kernel", bench::enqueue_simple);
  }
  add("empty kernel", bench::enqueue_nothing);
  for (int round = -3; round < rounds; ++round) {
    for (const auto& contender : contenders)
      contender->run(stream, round >= 0);
  }
  const double bytes = frames.plans()[0]->bytes_touched();
  const double floor = bytes / bandwidth * 1e6;
  fmt::print("{} x{}: {:.1f} MB touched, floor {:.2f} us, {} sets\n", c.name, c.batch, bytes / 1e6, floor,
             frames.plans().size());
  for (const auto& contender : contenders) {
    const double us = contender->microseconds();
    fmt::print("  {:<28} {:9.2f} us {:8.0f} GB/s  {:5.2f} x floor\n", contender->name(), us, bytes / us / 1e3,
               us / floor);
  }
  std::string times;
  for (const auto& contender : contenders)
    times += fmt::format("{}\"{}\":{:.3f}", times.empty() ? "" : ",", contender->name(), contender->microseconds());
  fmt::print(stderr, "{{\"case\":\"{}\",\"batch\":{},\"bytes\":{:.0f},\"floor_us\":{:.3f},\"us\":{{{}}}}}\n", c.name,
             c.batch, bytes, floor, times);
}

/// A frame in pinned memory: copied to the GPU and then read there, against read where it is.
void race_pinned(int width, int height, int rounds, const Stream& stream) {
  const std::size_t bytes = std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  const PinnedBuffer pinned(bytes);
  std::mt19937 source(7);
  std::generate_n(static_cast<std::uint8_t*>(pinned.data()), bytes,
                  [&source] { return static_cast<std::uint8_t>(source()); });
  const DeviceBuffer frame(bytes);
  const DeviceBuffer out(std::size_t{12} * kSide * kSide);
  ImageView on_host =
      ImageView::packed(static_cast<const std::uint8_t*>(pinned.data()), width, height, PixelFormat::kBgr);
  ImageView on_gpu =
      ImageView::packed(static_cast<const std::uint8_t*>(frame.data()), width, height, PixelFormat::kBgr);
  on_gpu.device = Device{DeviceKind::kCuda, 0};
  const InputContract contract;
  const PreprocessPlan from_host(contract, {&on_host, 1}, kSide, kSide, out.data());
  const PreprocessPlan from_gpu(contract, {&on_gpu, 1}, kSide, kSide, out.data());
  const std::array<Event, 4> marks;
  std::vector<double> copied;
  std::vector<double> direct;
  for (int round = -3; round < rounds; ++round) {
    marks[0].record(stream);
    check(cudaMemcpyAsync(frame.data(), pinned.data(), bytes, cudaMemcpyHostToDevice, stream.get()), "cudaMemcpyAsync");
    from_gpu.enqueue(enqueue_preprocess, stream.get());
    marks[1].record(stream);
    marks[2].record(stream);
    from_host.enqueue(enqueue_preprocess, stream.get());
    marks[3].record(stream);
    stream.synchronize();
    if (round < 0) continue;
    copied.push_back(marks[0].milliseconds_until(marks[1]) * 1e3);
    direct.push_back(marks[2].milliseconds_until(marks[3]) * 1e3);
  }
  fmt::print("BGR {}x{} in pinned host memory x1\n  {:<28} {:9.2f} us\n  {:<28} {:9.2f} us\n", width, height,
             "copied, then tern", median(copied), "tern reads it there", median(direct));
  fmt::print(stderr, "{{\"case\":\"pinned {}x{}\",\"us\":{{\"copied\":{:.3f},\"direct\":{:.3f}}}}}\n", width, height,
             median(copied), median(direct));
}

int run(int rounds) {
  const Stream stream;
  cudaDeviceProp device{};
  check(cudaGetDeviceProperties(&device, 0), "cudaGetDeviceProperties");
  const double bandwidth = copy_bandwidth(stream);
  fmt::print("{}, {} multiprocessors; a copy of 1 GiB moves {:.0f} GB/s (read + written)\n", device.name,
             device.multiProcessorCount, bandwidth / 1e9);
  fmt::print(stderr, "{{\"gpu\":\"{}\",\"copy_gb_s\":{:.1f},\"rounds\":{}}}\n", device.name, bandwidth / 1e9, rounds);
  std::vector<Case> cases;
  for (const int batch : {1, 4, 16}) {
    cases.push_back({"BGR 3840x2160 bilinear", PixelFormat::kBgr, 3840, 2160, batch});
    cases.push_back({"BGR 1920x1080 bilinear", PixelFormat::kBgr, 1920, 1080, batch});
    cases.push_back({"BGR 1280x720 bilinear", PixelFormat::kBgr, 1280, 720, batch});
  }
  for (const int batch : {1, 16}) {
    cases.push_back({"BGR 3840x2160 area", PixelFormat::kBgr, 3840, 2160, batch, Interpolation::kArea});
    cases.push_back({"NV12 3840x2160 bilinear", PixelFormat::kNv12, 3840, 2160, batch});
    cases.push_back(
        {"BGR 3840x2160 bilinear f16", PixelFormat::kBgr, 3840, 2160, batch, Interpolation::kBilinear, DType::kF16});
  }
  for (const Case& c : cases)
    race(c, bandwidth, rounds, stream);
  race_pinned(3840, 2160, rounds, stream);
  race_pinned(1920, 1080, rounds, stream);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 30;
  if (argc > 2 || rounds < 1) {
    std::fputs("usage: tern_preprocess_gpu_bench [ROUNDS]; JSON lines go to the standard error\n", stderr);
    return 2;
  }
  int gpus = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&gpus); error != cudaSuccess || gpus == 0) {
    fmt::print(stderr, "SKIPPED, no GPU: {}\n", error != cudaSuccess ? cudaGetErrorString(error) : "none is visible");
    return 77;
  }
  try {
    return run(rounds);
  } catch (const std::exception& error) {
    fmt::print(stderr, "FAILED: {}\n", error.what());
    return 1;
  }
}
