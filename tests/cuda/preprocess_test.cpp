// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// The CUDA preprocessing kernels against the scalar reference, on a GPU: for every combination of rules, with batches of
// images of different formats and sizes, random strides, alignments and contents. Every plane is an allocation of its own
// that ends with the last pixel, and the bytes between rows are never written, so that compute-sanitizer sees a read
// outside the pixels (memcheck) or between the rows (initcheck). Outputs are poisoned, and stand between guards.
#include "tern/preprocess.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/handles.h"
#include "preprocess/cuda/preprocess_kernel.h"
#include "unit/preprocess/crops.h"
#include "unit/preprocess/images.h"
#include "unit/preprocess/tolerance.h"

namespace tern::cuda {
namespace {

constexpr PixelFormat kFormats[] = {PixelFormat::kBgr,  PixelFormat::kRgb,  PixelFormat::kBgra,
                                    PixelFormat::kGray, PixelFormat::kNv12, PixelFormat::kI420};
constexpr std::uint8_t kPoison = 0xFF;  // NaN in f32 and f16, 255 in u8
constexpr std::size_t kGuard = 256;

/// The planes of an image on the GPU, or in pinned host memory.
class DeviceImage {
 public:
  DeviceImage(const TestImage& image, unsigned misalignment, bool is_pinned = false) : view_(image.view()) {
    for (int p = 0; p < plane_count(view_.format); ++p) {
      const auto i = static_cast<std::size_t>(p);
      const ImageView::Plane& from = image.view().planes[i];
      const std::size_t row = image.row_bytes(p);
      const std::size_t rows = image.rows(p);
      const std::size_t bytes = misalignment + static_cast<std::size_t>(from.stride) * (rows - 1) + row;
      std::uint8_t* to = nullptr;
      if (is_pinned) {
        pinned_.push_back(std::make_unique<PinnedBuffer>(bytes));
        to = static_cast<std::uint8_t*>(pinned_.back()->data()) + misalignment;
        for (std::size_t y = 0; y < rows; ++y)
          std::memcpy(to + y * static_cast<std::size_t>(from.stride),
                      from.data + y * static_cast<std::size_t>(from.stride), row);
      } else {
        device_.push_back(std::make_unique<DeviceBuffer>(bytes));
        to = static_cast<std::uint8_t*>(device_.back()->data()) + misalignment;
        const auto stride = static_cast<std::size_t>(from.stride);
        check(cudaMemcpy2D(to, stride, from.data, stride, row, rows, cudaMemcpyHostToDevice), "cudaMemcpy2D");
        check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");  // the last bytes may still be on their way
      }
      view_.planes[i].data = to;
    }
    if (!is_pinned) view_.device = Device{DeviceKind::kCuda, 0};
  }
  [[nodiscard]] const ImageView& view() const noexcept { return view_; }

 private:
  ImageView view_;
  std::vector<std::unique_ptr<DeviceBuffer>> device_;
  std::vector<std::unique_ptr<PinnedBuffer>> pinned_;
};

/// An output tensor on the GPU between two guards, poisoned before each use.
class DeviceOutput {
 public:
  explicit DeviceOutput(std::size_t bytes, std::size_t misalignment = 0)
      : bytes_(bytes), misalignment_(misalignment), buffer_(bytes + misalignment + 2 * kGuard) {
    poison();
  }
  void poison() {
    check(cudaMemset(buffer_.data(), kPoison, buffer_.bytes()), "cudaMemset");
    check(cudaDeviceSynchronize(),
          "cudaDeviceSynchronize");  // the default stream is not one that the tests' streams wait for
  }
  [[nodiscard]] void* data() const noexcept {
    return static_cast<std::uint8_t*>(buffer_.data()) + kGuard + misalignment_;
  }
  /// What was written; a guard that was touched fails the test.
  [[nodiscard]] std::vector<std::uint8_t> read() const {
    std::vector<std::uint8_t> all(buffer_.bytes());
    check(cudaMemcpy(all.data(), buffer_.data(), all.size(), cudaMemcpyDeviceToHost), "cudaMemcpy");
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(kGuard + misalignment_);
    const auto end = begin + static_cast<std::ptrdiff_t>(bytes_);
    const auto is_poison = [](std::uint8_t byte) { return byte == kPoison; };
    EXPECT_TRUE(std::all_of(all.begin(), begin, is_poison)) << "something was written before the output";
    EXPECT_TRUE(std::all_of(end, all.end(), is_poison)) << "something was written behind the output";
    return {begin, end};
  }

 private:
  std::size_t bytes_, misalignment_;
  DeviceBuffer buffer_;
};

/// The parameter blocks of a launch, in device memory.
class DeviceParams {
 public:
  explicit DeviceParams(const std::vector<ImageParams>& params) : buffer_(params.size() * sizeof(ImageParams)) {
    set(params);
  }
  void set(const std::vector<ImageParams>& params) {
    check(cudaMemcpy(buffer_.data(), params.data(), params.size() * sizeof(ImageParams), cudaMemcpyHostToDevice),
          "cudaMemcpy");
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  }
  [[nodiscard]] const ImageParams* data() const noexcept { return static_cast<const ImageParams*>(buffer_.data()); }

 private:
  DeviceBuffer buffer_;
};

/// One image of a test: on the host for the reference, on the GPU for the kernel.
struct Case {
  Case(PixelFormat format, int width, int height, std::mt19937& random, bool is_pinned = false)
      : image(format, width, height, static_cast<std::ptrdiff_t>(random() % 3) * 7),
        mask(PixelFormat::kGray, width, height, static_cast<std::ptrdiff_t>(random() % 5)) {
    image.randomize(random);
    image.view().matrix = YuvMatrix(random() % 2);
    image.view().range = YuvRange(random() % 2);
    randomize_mask(mask, random);
    on_gpu = std::make_unique<DeviceImage>(image, random() % 4, is_pinned);
    mask_on_gpu = std::make_unique<DeviceImage>(mask, random() % 4, is_pinned);
  }
  TestImage image, mask;
  std::unique_ptr<DeviceImage> on_gpu, mask_on_gpu;
  std::optional<Crop> crop;
  Geometry geometry;
};

Shape shape_of(const InputContract& contract, std::size_t images, int width, int height) {
  const auto n = static_cast<std::int64_t>(images);
  return contract.layout == TensorLayout::kNchw ? Shape{n, contract.channels(), height, width}
                                                : Shape{n, height, width, contract.channels()};
}

/// Runs on a GPU only: skipped, and said so, where there is none.
class PreprocessGpu : public testing::Test {
 protected:
  void SetUp() override {
    int count = 0;
    if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess || count == 0) {
      GTEST_SKIP() << "no GPU: " << (error != cudaSuccess ? cudaGetErrorString(error) : "none is visible");
    }
    stream_ = std::make_unique<Stream>();
  }

  int side(int largest) { return std::uniform_int_distribution(1, largest)(random_); }

  std::vector<ImageParams> params_of(const InputContract& contract, std::vector<Case>& cases, const OutputParams& out) {
    std::vector<ImageParams> params(cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const ImageView* mask = contract.mask_channel ? &cases[i].mask_on_gpu->view() : nullptr;
      const Status status =
          make_image_params(contract, cases[i].on_gpu->view(), mask, cases[i].crop, out, params[i], cases[i].geometry);
      EXPECT_TRUE(status.ok()) << status.to_string();
    }
    return params;
  }

  void expect_equal(const InputContract& contract, const std::vector<Case>& cases, const TensorView& out) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Case& c = cases[i];
      const TensorView row = out.rows(static_cast<std::int64_t>(i), 1);
      const std::string found = c.crop ? crop_difference(contract, c.geometry, c.image.view(), *c.crop, row)
                                       : difference(contract, c.geometry, c.image.view(),
                                                    contract.mask_channel ? &c.mask.view() : nullptr, row);
      ASSERT_EQ(found, "") << describe(contract, c.image.view(), c.geometry) << ", image " << i;
    }
  }

  /// One launch for all cases, compared with the reference.
  void compare(const InputContract& contract, std::vector<Case>& cases, int width, int height,
               std::size_t misalignment = 0) {
    const Shape shape = shape_of(contract, cases.size(), width, height);
    DeviceOutput output(size_of(contract.dtype) * static_cast<std::size_t>(*shape.elements()), misalignment);
    OutputParams out;
    ASSERT_TRUE(make_output_params(contract, width, height, output.data(), out).ok());
    const DeviceParams params(params_of(contract, cases, out));
    check(enqueue_preprocess(params.data(), static_cast<int>(cases.size()), out, stream_->get()), "enqueue_preprocess");
    stream_->synchronize();
    std::vector<std::uint8_t> written = output.read();
    expect_equal(contract, cases, TensorView(written.data(), contract.dtype, shape));
  }

  std::mt19937 random_{20261125};
  std::unique_ptr<Stream> stream_;
};

class PreprocessGpuFormats : public PreprocessGpu, public testing::WithParamInterface<PixelFormat> {};

TEST_P(PreprocessGpuFormats, EveryCombinationOfRules) {
  for (int rules = 0; rules < kRuleCombinations; ++rules) {
    const InputContract contract = contract_of_rules(rules, random_);
    // Every other width is a multiple of four, for which stores are vectors.
    const int width = rules % 2 == 0 ? 4 * side(25) : side(100);
    const int height = side(50);
    const bool none = contract.resize == ResizeRule::kNone;
    std::vector<Case> cases;
    for (int i = 0; i < 3; ++i) {
      const PixelFormat format = i == 1 ? kFormats[random_() % 6] : GetParam();
      cases.emplace_back(format, none ? width : side(90), none ? height : side(60), random_);
    }
    compare(contract, cases, width, height);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(All, PreprocessGpuFormats, testing::ValuesIn(kFormats),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST_F(PreprocessGpu, ExtremeSizes) {
  struct Sizes {
    int width, height, dst_width, dst_height;
  };
  constexpr Sizes kSizes[] = {{1, 1, 33, 17},     {1, 1, 1, 1},     {2, 1, 70, 3},    {1, 2, 3, 70},
                              {3, 3, 64, 64},     {5000, 1, 7, 3},  {1, 5000, 3, 7},  {65536, 2, 3, 2},
                              {2, 65536, 2, 3},   {65536, 1, 1, 1}, {1, 65536, 1, 1}, {300, 200, 1, 1},
                              {1, 65536, 100, 9}, {999, 9, 333, 3}, {900, 40, 100, 5}};
  for (const Sizes& s : kSizes) {
    for (int rules = 0; rules < 9; ++rules) {
      InputContract contract;
      contract.resize = ResizeRule(rules % 3);
      contract.interpolation = Interpolation(rules / 3);
      std::vector<Case> cases;
      for (const PixelFormat format : kFormats)
        cases.emplace_back(format, s.width, s.height, random_);
      compare(contract, cases, s.dst_width, s.dst_height);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(PreprocessGpu, RealFrameSizes) {
  for (const Interpolation rule : {Interpolation::kBilinear, Interpolation::kNearest, Interpolation::kArea}) {
    InputContract contract;
    contract.interpolation = rule;
    std::vector<Case> cases;
    cases.emplace_back(PixelFormat::kBgr, 3840, 2160, random_);
    cases.emplace_back(PixelFormat::kNv12, 1920, 1080, random_);
    cases.emplace_back(PixelFormat::kBgra, 1280, 720, random_);
    compare(contract, cases, 640, 640);
    if (HasFatalFailure()) return;
  }
}

TEST_F(PreprocessGpu, OutputsThatAreNotAlignedForVectors) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kU8}) {
    InputContract contract;
    contract.dtype = dtype;
    if (dtype == DType::kU8) contract.scale = 1;
    std::vector<Case> cases;
    cases.emplace_back(PixelFormat::kBgr, 77, 31, random_);
    compare(contract, cases, 64, 48, size_of(dtype));
    if (HasFatalFailure()) return;
  }
}

TEST_F(PreprocessGpu, BatchesOfEverySize) {
  const InputContract contract;
  std::vector<Case> cases;
  for (int images = 1; images <= 17; ++images) {
    cases.emplace_back(kFormats[random_() % 6], side(70), side(70), random_);
    compare(contract, cases, 68, 36);
    if (HasFatalFailure()) return;
  }
}

TEST_F(PreprocessGpu, CropsAreImagesOfTheirOwn) {
  for (int round = 0; round < 60; ++round) {
    InputContract contract;
    contract.resize = ResizeRule(random_() % 3);
    contract.interpolation = Interpolation(random_() % 3);
    std::vector<Case> cases;
    for (const PixelFormat format : kFormats) {
      cases.emplace_back(format, side(90), side(70), random_);
      cases.back().crop = random_crop(cases.back().image.view(), random_);
    }
    compare(contract, cases, side(80), side(40));
    if (HasFatalFailure()) return;
  }
}

TEST_F(PreprocessGpu, PinnedFramesAreReadWhereTheyAre) {
  for (const Interpolation rule : {Interpolation::kBilinear, Interpolation::kNearest, Interpolation::kArea}) {
    InputContract contract;
    contract.interpolation = rule;
    std::vector<Case> cases;
    for (const PixelFormat format : kFormats)
      cases.emplace_back(format, 200 + side(90), 100 + side(70), random_, /* is_pinned = */ true);
    compare(contract, cases, 96, 64);
    if (HasFatalFailure()) return;
  }
}

TEST_F(PreprocessGpu, OneCaptureServesEveryGeometry) {
  constexpr int kWidth = 96, kHeight = 64, kImages = 3;
  InputContract contract;
  const Shape shape = shape_of(contract, kImages, kWidth, kHeight);
  DeviceOutput output(sizeof(float) * static_cast<std::size_t>(*shape.elements()));
  OutputParams out;
  ASSERT_TRUE(make_output_params(contract, kWidth, kHeight, output.data(), out).ok());
  DeviceParams params(std::vector<ImageParams>(kImages, ImageParams{}));
  check(cudaStreamBeginCapture(stream_->get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  check(enqueue_preprocess(params.data(), kImages, out, stream_->get()), "enqueue_preprocess");
  cudaGraph_t captured = nullptr;
  check(cudaStreamEndCapture(stream_->get(), &captured), "cudaStreamEndCapture");
  const Graph graph(captured);
  const GraphExec replay(graph);
  for (int round = 0; round < 20; ++round) {
    std::vector<Case> cases;
    for (int i = 0; i < kImages; ++i) {
      cases.emplace_back(kFormats[random_() % 6], side(300), side(200), random_);
      if (random_() % 2 == 0) cases.back().crop = random_crop(cases.back().image.view(), random_);
    }
    output.poison();
    params.set(params_of(contract, cases, out));
    replay.launch(stream_->get());
    stream_->synchronize();
    std::vector<std::uint8_t> written = output.read();
    expect_equal(contract, cases, TensorView(written.data(), DType::kF32, shape));
    if (HasFatalFailure()) return;
  }
}

TEST_F(PreprocessGpu, TheCpuAgrees) {
  // Both implementations on the same frame, through the public interface of the CPU's.
  for (const PixelFormat format : kFormats) {
    InputContract contract;
    std::vector<Case> cases;
    cases.emplace_back(format, 641, 359, random_);
    compare(contract, cases, 320, 320);
    if (HasFatalFailure()) return;
    Preprocessor preprocessor = *Preprocessor::create(contract);
    const Tensor out = *Tensor::create(DType::kF32, {1, 3, 320, 320});
    Geometry geometry;
    ASSERT_TRUE(preprocessor.run({&cases[0].image.view(), 1}, {}, out.view(), {&geometry, 1}).ok());
    EXPECT_EQ(geometry.inner_height, cases[0].geometry.inner_height);
    expect_equal(contract, cases, out.view());
  }
}

TEST_F(PreprocessGpu, NumbersOfImagesOutOfRangeAreRefused) {
  OutputParams out;
  ASSERT_TRUE(make_output_params(InputContract{}, 4, 4, nullptr, out).ok());
  EXPECT_EQ(enqueue_preprocess(nullptr, 0, out, stream_->get()), cudaErrorInvalidValue);
  EXPECT_EQ(enqueue_preprocess(nullptr, 65536, out, stream_->get()), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace tern::cuda
