// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The postprocessing kernels on a GPU, against Postprocessor. Needs no TensorRT.
#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cuda/handles.h"
#include "postprocess/cuda/detect_kernels.h"
#include "postprocess/cuda/segment_kernels.h"
#include "support/postprocess_cases.h"
#include "tern/results.h"

namespace tern::cuda {
namespace {

/// Room behind what a kernel may write, to see whether it does.
constexpr std::size_t kGuardBytes = 4096;
constexpr int kPoison = 0xA7;

bool has_gpu() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

class GpuPostprocess : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_gpu()) GTEST_SKIP() << "there is no GPU here";
  }
};

/// Device memory that begins with poison and has poison behind it.
class Guarded {
 public:
  explicit Guarded(std::size_t bytes) : bytes_(bytes), buffer_(bytes + kGuardBytes) {
    check(cudaMemset(buffer_.data(), kPoison, bytes + kGuardBytes), "cudaMemset");
    check(cudaDeviceSynchronize(),
          "cudaDeviceSynchronize");  // the default stream is not one that the tests' streams wait for
  }
  [[nodiscard]] void* data() const { return buffer_.data(); }
  [[nodiscard]] bool is_intact() const {
    std::vector<unsigned char> behind(kGuardBytes);
    check(cudaMemcpy(behind.data(), static_cast<const char*>(buffer_.data()) + bytes_, kGuardBytes, cudaMemcpyDefault),
          "cudaMemcpy");
    return std::ranges::all_of(behind, [](unsigned char byte) { return byte == kPoison; });
  }

 private:
  std::size_t bytes_;
  DeviceBuffer buffer_;
};

template <typename T>
Guarded on_device(std::span<const T> values) {
  Guarded memory(values.size_bytes());
  check(cudaMemcpy(memory.data(), values.data(), values.size_bytes(), cudaMemcpyDefault), "cudaMemcpy");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");  // the last bytes may still be on their way
  return memory;
}

std::size_t detector_output_bytes(const DetectPlan& plan, std::size_t images) {
  return images * static_cast<std::size_t>(plan.anchors) *
         static_cast<std::size_t>(plan.is_yolo != 0 ? plan.classes + 4 : 6) * (plan.is_half != 0 ? 2 : 4);
}

std::vector<std::byte> decode(const DetectPlan& plan, const void* output, std::span<const DetectImage> images,
                              bool as_graph) {
  const auto values =
      on_device(std::span(static_cast<const std::byte*>(output), detector_output_bytes(plan, images.size())));
  const Guarded params = on_device(images);
  const Guarded scratch(detect_scratch_bytes(plan, images.size()));
  const Guarded results(detect_result_bytes(plan, images.size()));
  const Stream stream;
  const auto enqueue = [&] {
    check(enqueue_detect(plan, values.data(), static_cast<int>(images.size()),
                         static_cast<const DetectImage*>(params.data()), scratch.data(), results.data(), stream.get()),
          "enqueue_detect");
  };
  if (as_graph) {
    check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    enqueue();
    cudaGraph_t captured = nullptr;
    check(cudaStreamEndCapture(stream.get(), &captured), "cudaStreamEndCapture");
    const Graph graph(captured);
    const GraphExec exec(graph);
    for (int repeat = 0; repeat < 3; ++repeat)  // a frame must not see what the one before left
      exec.launch(stream.get());
    stream.synchronize();
  } else {
    enqueue();
    stream.synchronize();
  }
  EXPECT_TRUE(scratch.is_intact() && results.is_intact() && params.is_intact() && values.is_intact());
  std::vector<std::byte> bytes(detect_result_bytes(plan, images.size()));
  check(cudaMemcpy(bytes.data(), results.data(), bytes.size(), cudaMemcpyDefault), "cudaMemcpy");
  return bytes;
}

TEST_F(GpuPostprocess, detections_have_the_bits_and_errors_of_the_cpu) {
  for (const test::OutputCase& c : test::detect_cases()) {
    for (const bool as_graph : {false, true}) {
      EXPECT_EQ(test::compare_detections(
                    c, [&](const DetectPlan& plan, const void* output,
                           std::span<const DetectImage> images) { return decode(plan, output, images, as_graph); }),
                "")
          << c.name << (as_graph ? ", as a graph" : "");
    }
  }
}

TEST_F(GpuPostprocess, detections_are_the_same_each_time) {
  for (const test::OutputCase& c : test::detect_cases()) {
    const DetectPlan plan = make_detect_plan(c.contract, c.shape, c.dtype).value();
    std::vector<DetectImage> images;
    for (const Geometry& map : c.geometry)
      images.push_back(make_detect_image(c.contract, map));
    const auto rows_of = [&] {
      auto bytes = decode(plan, c.values.data(), images, false);
      const auto* const headers = reinterpret_cast<const DetectHeader*>(bytes.data());
      std::vector<std::byte> rows;
      for (std::size_t i = 0; i < images.size(); ++i) {
        const auto* const first = bytes.data() + images.size() * sizeof(DetectHeader) +
                                  i * static_cast<std::size_t>(plan.limit) * sizeof(DetectRow);
        rows.insert(rows.end(), first, first + headers[i].rows * sizeof(DetectRow));
      }
      return rows;
    };
    const auto first = rows_of();
    for (int repeat = 0; repeat < 5; ++repeat)
      EXPECT_EQ(rows_of(), first) << c.name;
  }
}

void label(const SegmentPlan& plan, const void* output, std::span<const SegmentImage> images,
           std::span<SegmentHeader> headers, std::span<std::vector<std::uint8_t>> masks) {
  const std::size_t bytes =
      images.size() * static_cast<std::size_t>(plan.classes) * plan.pixels() * (plan.is_half != 0 ? 2 : 4);
  const auto values = on_device(std::span(static_cast<const std::byte*>(output), bytes));
  std::vector<SegmentImage> with_masks(images.begin(), images.end());
  std::vector<Guarded> mask_memory;
  for (std::size_t i = 0; i < images.size(); ++i) {
    mask_memory.emplace_back(masks[i].size());
    with_masks[i].mask = static_cast<std::uint8_t*>(mask_memory[i].data());
  }
  const Guarded params = on_device(std::span<const SegmentImage>(with_masks));
  const Guarded labels(images.size() * plan.pixels());
  const Guarded device_headers(headers.size_bytes());
  const Stream stream;
  check(enqueue_segment(plan, values.data(), static_cast<int>(images.size()),
                        static_cast<const SegmentImage*>(params.data()), static_cast<std::uint8_t*>(labels.data()),
                        static_cast<SegmentHeader*>(device_headers.data()), stream.get()),
        "enqueue_segment");
  stream.synchronize();
  EXPECT_TRUE(labels.is_intact() && device_headers.is_intact());
  check(cudaMemcpy(headers.data(), device_headers.data(), headers.size_bytes(), cudaMemcpyDefault), "cudaMemcpy");
  for (std::size_t i = 0; i < images.size(); ++i) {
    EXPECT_TRUE(mask_memory[i].is_intact());
    check(cudaMemcpy(masks[i].data(), mask_memory[i].data(), masks[i].size(), cudaMemcpyDefault), "cudaMemcpy");
  }
}

TEST_F(GpuPostprocess, masks_are_those_of_the_cpu) {
  for (const test::OutputCase& c : test::segment_cases())
    EXPECT_EQ(test::compare_masks(c, label), "") << c.name;
}

TEST_F(GpuPostprocess, a_number_of_images_that_no_launch_can_have_is_refused) {
  const DetectPlan plan{.is_yolo = 1, .is_half = 0, .classes = 1, .anchors = 1, .limit = 1, .class_aware = 0};
  for (const int images : {-1, 0, 65536})
    EXPECT_EQ(enqueue_detect(plan, nullptr, images, nullptr, nullptr, nullptr, nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(enqueue_segment({}, nullptr, 0, nullptr, nullptr, nullptr, nullptr), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace tern::cuda
