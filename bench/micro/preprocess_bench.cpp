// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// preprocess_bench [ROUNDS]: the fused CPU preprocessing against the sequential chain of OpenCV and against OpenVINO's
// PrePostProcessor, one thread each, interleaved within one process.
//
// Every round runs each contender once, in turn, so that clock and neighbours are the same for all; ratios are medians
// of the rounds' own ratios. "cold" rotates over frames that together do not fit the last-level cache, as frames from a
// camera or decoder do not; "warm" runs on one frame again and again.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <hwy/highway.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#ifdef TERN_BENCH_OPENVINO
#include <openvino/core/preprocess/pre_post_process.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/result.hpp>
#include <openvino/openvino.hpp>
#endif

#include "preprocess/frame_plan.h"
#include "tern/preprocess.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSide = 640;
constexpr std::size_t kLine = 64;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Contender {
  std::string name;
  std::function<void(std::size_t round)> run;
  std::vector<double> ms = {};
};

/// Times all contenders in turn; prints their medians and how many times longer than the first they take.
void race(const std::string& title, std::vector<Contender> contenders, std::size_t rounds) {
  for (std::size_t round = 0; round < rounds + 3; ++round) {
    for (Contender& contender : contenders) {
      const auto start = Clock::now();
      contender.run(round);
      const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
      if (round >= 3) contender.ms.push_back(ms);
    }
  }
  fmt::print("{}\n", title);
  for (const Contender& contender : contenders) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < rounds; ++i)
      ratios.push_back(contender.ms[i] / contenders[0].ms[i]);
    fmt::print("  {:<44} {:8.3f} ms   x{:.2f}\n", contender.name, median(contender.ms), median(ratios));
  }
}

/// Bytes read and written a second by memcpy between buffers far larger than the caches.
double copy_bandwidth() {
  constexpr std::size_t kBytes = std::size_t{256} << 20;
  std::vector<char> from(kBytes, 1);
  std::vector<char> to(kBytes, 2);
  std::vector<double> seconds;
  for (int i = 0; i < 9; ++i) {
    const auto start = Clock::now();
    std::memcpy(to.data(), from.data(), kBytes);
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  return 2 * static_cast<double>(kBytes) / median(seconds);
}

tern::InputContract contract_of(tern::ResizeRule resize) {
  tern::InputContract contract;  // f32 NCHW RGB / 255 with padding 114
  contract.resize = resize;
  return contract;
}

/// The cache lines that the filter needs of a plane, and those of the output, in bytes.
double bytes_touched(const cv::Size& src, int width, int height, int bytes_per_pixel) {
  const tern::InputContract contract = contract_of(tern::ResizeRule::kLetterbox);
  tern::PlanCache plans(contract);
  const tern::FramePlan& plan = plans.find(*tern::Geometry::make(contract, src.width, src.height, width, height));
  std::set<std::size_t> lines;
  std::set<std::int32_t> rows;
  for (std::size_t i = 0; i < plan.x.count; ++i) {
    const auto first = static_cast<std::size_t>(plan.x.first[i] * bytes_per_pixel);
    for (std::size_t b = first; b < first + 2 * static_cast<std::size_t>(bytes_per_pixel); ++b)
      lines.insert(b / kLine);
  }
  for (std::size_t i = 0; i < plan.y.count; ++i) {
    if (plan.y.last_weight[i] != 1) rows.insert(plan.y.first[i]);
    if (plan.y.last_weight[i] != 0) rows.insert(plan.y.last[i]);
  }
  return static_cast<double>(lines.size() * kLine * rows.size()) + 3.0 * 4.0 * width * height;
}

/// tern on one of several frames.
class Fused {
 public:
  Fused(tern::ResizeRule resize, int width, int height, std::vector<tern::ImageView> frames)
      : preprocessor_(tern::Preprocessor::create(contract_of(resize)).value()),
        out_(tern::Tensor::create(tern::DType::kF32, {1, 3, height, width}).value()),
        frames_(std::move(frames)) {}
  void operator()(std::size_t round) {
    tern::Geometry geometry;
    const tern::Status status =
        preprocessor_.run({&frames_[round % frames_.size()], 1}, {}, out_.view(), {&geometry, 1});
    if (!status.ok()) throw tern::Error(status);
  }
  [[nodiscard]] const float* values() const { return out_.as<float>().data(); }

 private:
  tern::Preprocessor preprocessor_;
  tern::Tensor out_;
  std::vector<tern::ImageView> frames_;
};

/// The chain that a YOLO application writes with OpenCV: every step into a buffer that is kept.
class OpenCvChain {
 public:
  /// `conversion` is the cvtColor code from the frame to RGB; YUV frames are converted whole, BGR ones after the
  /// resize.
  OpenCvChain(std::vector<cv::Mat> frames, cv::Size size, int conversion)
      : frames_(std::move(frames)), size_(size), conversion_(conversion), out_(3 * kSide * kSide) {}
  void operator()(std::size_t round) {
    const cv::Mat& frame = frames_[round % frames_.size()];
    const bool yuv = conversion_ != cv::COLOR_BGR2RGB;
    if (yuv) cv::cvtColor(frame, converted_, conversion_);
    const double r = std::min(static_cast<double>(kSide) / size_.height, static_cast<double>(kSide) / size_.width);
    const cv::Size inner(static_cast<int>(std::nearbyint(size_.width * r)),
                         static_cast<int>(std::nearbyint(size_.height * r)));
    cv::resize(yuv ? converted_ : frame, resized_, inner, 0, 0, cv::INTER_LINEAR);
    const double dw = (kSide - inner.width) / 2.0;
    const double dh = (kSide - inner.height) / 2.0;
    cv::copyMakeBorder(resized_, padded_, static_cast<int>(std::nearbyint(dh - 0.1)),
                       static_cast<int>(std::nearbyint(dh + 0.1)), static_cast<int>(std::nearbyint(dw - 0.1)),
                       static_cast<int>(std::nearbyint(dw + 0.1)), cv::BORDER_CONSTANT, cv::Scalar::all(114));
    if (!yuv) cv::cvtColor(padded_, rgb_, cv::COLOR_BGR2RGB);
    (yuv ? padded_ : rgb_).convertTo(float_, CV_32FC3, 1.0 / 255);
    std::array<cv::Mat, 3> planes;
    for (std::size_t c = 0; c < 3; ++c)
      planes[c] = cv::Mat(kSide, kSide, CV_32F, out_.data() + c * kSide * kSide);
    cv::split(float_, planes.data());
  }
  [[nodiscard]] const std::vector<float>& values() const { return out_; }

 private:
  std::vector<cv::Mat> frames_;
  cv::Size size_;
  int conversion_;
  cv::Mat converted_, resized_, padded_, rgb_, float_;
  std::vector<float> out_;
};

#ifdef TERN_BENCH_OPENVINO
/// OpenVINO's own preprocessing in front of a model of one ReLU, which the plugin runs in place: u8 NHWC, resized, BGR
/// to RGB, to f32, / 255, to NCHW. It has no padding.
class OpenVinoSteps {
 public:
  OpenVinoSteps(std::vector<cv::Mat> frames, int width, int height) : frames_(std::move(frames)) {
    const auto rows = static_cast<std::size_t>(frames_[0].rows);
    const auto columns = static_cast<std::size_t>(frames_[0].cols);
    const auto parameter =
        std::make_shared<ov::op::v0::Parameter>(ov::element::f32, ov::PartialShape{1, 3, height, width});
    const auto relu = std::make_shared<ov::op::v0::Relu>(parameter);
    const auto result = std::make_shared<ov::op::v0::Result>(relu);
    ov::preprocess::PrePostProcessor steps(
        std::make_shared<ov::Model>(ov::ResultVector{result}, ov::ParameterVector{parameter}));
    steps.input()
        .tensor()
        .set_element_type(ov::element::u8)
        .set_shape({1, frames_[0].rows, frames_[0].cols, 3})
        .set_layout("NHWC")
        .set_color_format(ov::preprocess::ColorFormat::BGR);
    steps.input().model().set_layout("NCHW");
    steps.input()
        .preprocess()
        .resize(ov::preprocess::ResizeAlgorithm::RESIZE_LINEAR)
        .convert_color(ov::preprocess::ColorFormat::RGB)
        .convert_element_type(ov::element::f32)
        .scale(255.0F);
    compiled_ = core_.compile_model(steps.build(), "CPU", ov::inference_num_threads(1), ov::num_streams(1),
                                    ov::hint::inference_precision(ov::element::f32));
    request_ = compiled_.create_infer_request();
    for (const cv::Mat& frame : frames_)
      inputs_.emplace_back(ov::element::u8, ov::Shape{1, rows, columns, 3}, frame.data);
  }
  void operator()(std::size_t round) {
    request_.set_input_tensor(inputs_[round % inputs_.size()]);
    request_.infer();
  }
  [[nodiscard]] const float* values() { return request_.get_output_tensor().data<float>(); }

 private:
  std::vector<cv::Mat> frames_;
  ov::Core core_;
  ov::CompiledModel compiled_;
  ov::InferRequest request_;
  std::vector<ov::Tensor> inputs_;
};
#endif

void print_difference(const char* peer, const float* a, const float* b, std::size_t count) {
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i)
    largest = std::max(largest, 255.0 * std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  fmt::print("  largest difference from {}: {:.2f} / 255\n", peer, largest);
}

std::vector<tern::ImageView> bgr_views(const std::vector<cv::Mat>& frames) {
  std::vector<tern::ImageView> views;
  for (const cv::Mat& m : frames)
    views.push_back(tern::ImageView::packed(m.data, m.cols, m.rows, tern::PixelFormat::kBgr));
  return views;
}

std::vector<cv::Mat> copies(const cv::Mat& frame, std::size_t count) {
  std::vector<cv::Mat> frames(count);
  for (cv::Mat& copy : frames)
    copy = frame.clone();
  return frames;
}

void race_bgr(const std::string& name, const cv::Mat& frame, std::size_t rotation, double bandwidth,
              std::size_t rounds) {
  const std::vector<cv::Mat> frames = copies(frame, rotation);
  Fused fused(tern::ResizeRule::kLetterbox, kSide, kSide, bgr_views(frames));
  OpenCvChain chain(frames, frame.size(), cv::COLOR_BGR2RGB);
  std::vector<Contender> contenders{{"tern, letterbox 640x640", std::ref(fused)},
                                    {"OpenCV's chain, letterbox 640x640", std::ref(chain)}};
  race(name, contenders, rounds);
  const double floor_ms = bytes_touched(frame.size(), kSide, kSide, 3) / bandwidth * 1e3;
  fmt::print("  {:<44} {:8.3f} ms\n", "bytes touched / copy bandwidth", floor_ms);
  print_difference("OpenCV", fused.values(), chain.values().data(), 3 * kSide * kSide);

#ifdef TERN_BENCH_OPENVINO
  const int height = frame.rows * kSide / frame.cols;
  Fused stretched(tern::ResizeRule::kStretch, kSide, height, bgr_views(frames));
  OpenVinoSteps steps(frames, kSide, height);
  race(name + ", without padding",
       {{fmt::format("tern, {}x{}", kSide, height), std::ref(stretched)},
        {fmt::format("OpenVINO PrePostProcessor, {}x{}", kSide, height), std::ref(steps)}},
       rounds);
  print_difference("OpenVINO", stretched.values(), steps.values(),
                   static_cast<std::size_t>(3 * kSide) * static_cast<std::size_t>(height));
#endif
}

/// The frame as I420 in one Mat (OpenCV's layout), or as NV12.
cv::Mat yuv_of(const cv::Mat& bgr, bool nv12) {
  cv::Mat i420;
  cv::cvtColor(bgr, i420, cv::COLOR_BGR2YUV_I420);
  if (!nv12) return i420;
  cv::Mat result = i420.clone();
  const std::size_t quarter = bgr.total() / 4;
  const std::uint8_t* u = i420.data + bgr.total();
  for (std::size_t i = 0; i < quarter; ++i) {
    result.data[bgr.total() + 2 * i] = u[i];
    result.data[bgr.total() + 2 * i + 1] = u[quarter + i];
  }
  return result;
}

void race_yuv(const std::string& name, const cv::Mat& bgr, bool nv12, std::size_t rotation, std::size_t rounds) {
  const std::vector<cv::Mat> frames = copies(yuv_of(bgr, nv12), rotation);
  std::vector<tern::ImageView> views;
  for (const cv::Mat& m : frames) {
    tern::ImageView view;
    view.width = bgr.cols;
    view.height = bgr.rows;
    view.format = nv12 ? tern::PixelFormat::kNv12 : tern::PixelFormat::kI420;
    view.planes[0] = {m.data, bgr.cols};
    view.planes[1] = {m.data + bgr.total(), nv12 ? bgr.cols : bgr.cols / 2};
    if (!nv12) view.planes[2] = {m.data + bgr.total() + bgr.total() / 4, bgr.cols / 2};
    views.push_back(view);
  }
  Fused fused(tern::ResizeRule::kLetterbox, kSide, kSide, views);
  OpenCvChain chain(frames, bgr.size(), nv12 ? cv::COLOR_YUV2RGB_NV12 : cv::COLOR_YUV2RGB_I420);
  race(name, {{"tern, letterbox 640x640", std::ref(fused)}, {"OpenCV's chain, letterbox 640x640", std::ref(chain)}},
       rounds);
  print_difference("OpenCV", fused.values(), chain.values().data(), 3 * kSide * kSide);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 200;
  cv::setNumThreads(1);
  const cv::Mat uhd = cv::imread(TERN_SOURCE_DIR "/data/frame-4k.jpg");
  if (uhd.empty() || rounds == 0) {
    fmt::print(stderr, "usage: preprocess_bench [ROUNDS]; needs {}/data/frame-4k.jpg\n", TERN_SOURCE_DIR);
    return 2;
  }
  cv::Mat full_hd;
  cv::Mat hd;
  cv::resize(uhd, full_hd, {1920, 1080}, 0, 0, cv::INTER_AREA);
  cv::resize(uhd, hd, {1280, 720}, 0, 0, cv::INTER_AREA);
  const double bandwidth = copy_bandwidth();
  fmt::print("OpenCV {}, best instruction set {}, {} rounds\n", CV_VERSION,
             hwy::TargetName(hwy::SupportedAndGeneratedTargets().front()), rounds);
  fmt::print("memcpy, one thread: {:.1f} GB/s (read + written)\n\n", bandwidth / 1e9);
  race_bgr("BGR 3840x2160, warm", uhd, 1, bandwidth, rounds);
  race_bgr("BGR 3840x2160, cold", uhd, 6, bandwidth, rounds);
  race_bgr("BGR 1920x1080, cold", full_hd, 24, bandwidth, rounds);
  race_bgr("BGR 1280x720, cold", hd, 50, bandwidth, rounds);
  race_yuv("NV12 3840x2160, cold", uhd, true, 12, rounds);
  race_yuv("I420 3840x2160, cold", uhd, false, 12, rounds);
  return 0;
}
