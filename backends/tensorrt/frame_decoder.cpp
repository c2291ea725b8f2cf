// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "frame_decoder.h"

#include <cstring>
#include <vector>

#include "allocator.h"
#include "base/error.h"
#include "postprocess/cuda/detect_kernels.h"
#include "postprocess/cuda/segment_kernels.h"
#include "tern/postprocess.h"

namespace tern::trt_backend {
namespace {

using cuda::check;
using cuda::DeviceBuffer;
using cuda::PinnedBuffer;

/// The same bytes on both sides.
class Mirrored {
 public:
  explicit Mirrored(std::size_t bytes) : host_(bytes), device_(bytes) {
    std::memset(host_.data(), 0, bytes);
    // Copies to the host bring rows that no kernel wrote. Not in the default stream, which captures of other threads may forbid.
    const cuda::Stream stream;
    check(cudaMemsetAsync(device_.data(), 0, bytes, stream.get()), "cudaMemsetAsync");
    stream.synchronize();
  }
  [[nodiscard]] void* host() const noexcept { return host_.data(); }
  [[nodiscard]] void* device() const noexcept { return device_.data(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return host_.bytes(); }
  void to_device(std::size_t bytes, cudaStream_t stream) const {
    check(cudaMemcpyAsync(device(), host(), bytes, cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync of parameters");
  }
  void to_host(std::size_t bytes, cudaStream_t stream) const {
    check(cudaMemcpyAsync(host(), device(), bytes, cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync of results");
  }

 private:
  PinnedBuffer host_;
  DeviceBuffer device_;
};

std::span<const std::byte> bytes_of(const Mirrored& memory) noexcept {
  return {static_cast<const std::byte*>(memory.host()), memory.bytes()};
}

class Boxes final : public FrameDecoder {
 public:
  Boxes(const OutputContract& contract, const Shape& shape, const cuda::DetectPlan& plan)
      : contract_(contract),
        shape_(shape),
        plan_(plan),
        params_(rows() * sizeof(cuda::DetectImage)),
        results_(cuda::detect_result_bytes(plan, rows())),
        scratch_(cuda::detect_scratch_bytes(plan, rows()) + 1) {}

  void set_image(std::size_t index, const Geometry& geometry) override {
    static_cast<cuda::DetectImage*>(params_.host())[index] = cuda::make_detect_image(contract_, geometry);
  }
  void enqueue(const void* output, std::size_t images, cudaStream_t stream) override {
    params_.to_device(images * sizeof(cuda::DetectImage), stream);
    check(cuda::enqueue_detect(plan_, output, static_cast<int>(images),
                               static_cast<const cuda::DetectImage*>(params_.device()), scratch_.data(),
                               results_.device(), stream),
          "decoding boxes");
    results_.to_host(cuda::detect_result_bytes(plan_, images), stream);
  }
  [[nodiscard]] Status read(const FrameResults& results, std::size_t images) override {
    if (results.detections.size() != images) {
      return make_error(StatusCode::kInputError, "{} places for the boxes of {} images", results.detections.size(),
                        images);
    }
    return cuda::read_detections(contract_, shape_, plan_, results_.host(), images, results.detections);
  }
  [[nodiscard]] std::span<const std::byte> raw_results() const noexcept override { return bytes_of(results_); }

 private:
  [[nodiscard]] std::size_t rows() const noexcept { return static_cast<std::size_t>(shape_[0]); }

  OutputContract contract_;
  Shape shape_;
  cuda::DetectPlan plan_;
  Mirrored params_, results_;
  DeviceBuffer scratch_;
};

class Masks final : public FrameDecoder {
 public:
  Masks(const OutputContract& contract, const Shape& shape, const cuda::SegmentPlan& plan)
      : contract_(contract),
        shape_(shape),
        plan_(plan),
        params_(rows() * sizeof(cuda::SegmentImage)),
        headers_(rows() * sizeof(cuda::SegmentHeader)),
        labels_(plan.resamples != 0 ? rows() * plan.pixels() : 1),
        images_(rows()) {}

  void set_image(std::size_t index, const Geometry& geometry) override {
    Image& image = images_[index];
    image.bytes = cuda::mask_bytes(plan_, geometry);
    image.width = plan_.resamples != 0 ? geometry.src_width : plan_.width;
    image.height = plan_.resamples != 0 ? geometry.src_height : plan_.height;
    // The addresses are in the parameters, so that a graph does not mind.
    if (image.device.reserve(image.bytes)) ++growths_;
    if (image.host.reserve(image.bytes)) ++growths_;
    static_cast<cuda::SegmentImage*>(params_.host())[index] =
        cuda::make_segment_image(contract_, plan_, geometry, static_cast<std::uint8_t*>(image.device.data()));
  }
  void enqueue(const void* output, std::size_t images, cudaStream_t stream) override {
    params_.to_device(images * sizeof(cuda::SegmentImage), stream);
    check(cuda::enqueue_segment(
              plan_, output, static_cast<int>(images), static_cast<const cuda::SegmentImage*>(params_.device()),
              static_cast<std::uint8_t*>(labels_.data()), static_cast<cuda::SegmentHeader*>(headers_.device()), stream),
          "decoding masks");
    headers_.to_host(images * sizeof(cuda::SegmentHeader), stream);
  }
  void enqueue_rest(std::size_t images, cudaStream_t stream) override {
    for (std::size_t i = 0; i < images; ++i) {
      check(cudaMemcpyAsync(images_[i].host.data(), images_[i].device.data(), images_[i].bytes, cudaMemcpyDeviceToHost,
                            stream),
            "cudaMemcpyAsync of a mask");
    }
  }
  [[nodiscard]] Status read(const FrameResults& results, std::size_t images) override {
    if (results.segmentations.size() != images) {
      return make_error(StatusCode::kInputError, "{} places for the masks of {} images", results.segmentations.size(),
                        images);
    }
    for (std::size_t i = 0; i < images; ++i) {
      const auto& header = static_cast<const cuda::SegmentHeader*>(headers_.host())[i];
      TERN_RETURN_IF_ERROR(cuda::check_segmentation(contract_, shape_, header, i));
      Segmentation& result = results.segmentations[i];
      const auto* const mask = static_cast<const std::uint8_t*>(images_[i].host.data());
      result.width = images_[i].width;
      result.height = images_[i].height;
      result.classes.assign(mask, mask + images_[i].bytes);
    }
    return {};
  }
  [[nodiscard]] std::span<const std::byte> raw_results() const noexcept override { return bytes_of(headers_); }
  [[nodiscard]] std::uint64_t growths() const noexcept override { return growths_; }

 private:
  struct Image {
    Growing<DeviceBuffer> device;
    Growing<PinnedBuffer> host;
    std::size_t bytes = 0;
    int width = 0, height = 0;
  };
  [[nodiscard]] std::size_t rows() const noexcept { return static_cast<std::size_t>(shape_[0]); }

  OutputContract contract_;
  Shape shape_;
  cuda::SegmentPlan plan_;
  Mirrored params_, headers_;
  DeviceBuffer labels_;
  std::vector<Image> images_;
  std::uint64_t growths_ = 0;
};

/// Brings the output back as it is.
class OnHost final : public FrameDecoder {
 public:
  OnHost(Postprocessor postprocessor, const Shape& shape, DType dtype)
      : postprocessor_(std::move(postprocessor)),
        shape_(shape),
        dtype_(dtype),
        geometry_(static_cast<std::size_t>(shape[0])),
        output_(static_cast<std::size_t>(shape.elements().value()) * size_of(dtype) + 1) {
    std::memset(output_.data(), 0, output_.bytes());
  }

  void set_image(std::size_t index, const Geometry& geometry) override { geometry_[index] = geometry; }
  void enqueue(const void* output, std::size_t images, cudaStream_t stream) override {
    const TensorView rows = view(images);
    if (rows.bytes() > 0) {
      check(cudaMemcpyAsync(output_.data(), output, rows.bytes(), cudaMemcpyDeviceToHost, stream),
            "cudaMemcpyAsync of the output");
    }
  }
  [[nodiscard]] Status read(const FrameResults& results, std::size_t images) override {
    const std::span<const Geometry> geometry = std::span(geometry_).first(images);
    if (!results.classifications.empty()) return postprocessor_.classify(view(images), results.classifications);
    if (!results.segmentations.empty()) return postprocessor_.segment(view(images), geometry, results.segmentations);
    return postprocessor_.detect(view(images), geometry, results.detections);
  }
  [[nodiscard]] std::span<const std::byte> raw_results() const noexcept override {
    return {static_cast<const std::byte*>(output_.data()), output_.bytes()};
  }

 private:
  [[nodiscard]] TensorView view(std::size_t images) const {
    return TensorView(output_.data(), dtype_, shape_).rows(0, static_cast<std::int64_t>(images));
  }

  Postprocessor postprocessor_;
  Shape shape_;
  DType dtype_;
  std::vector<Geometry> geometry_;
  PinnedBuffer output_;
};

}  // namespace

Result<std::unique_ptr<FrameDecoder>> FrameDecoder::make(const OutputContract& contract, const Shape& shape,
                                                         DType dtype) {
  const bool is_detector = contract.kind == OutputKind::kYolo || contract.kind == OutputKind::kEnd2End;
  if (is_detector && contract.max_detections <= cuda::DetectPlan::kMostDetections) {
    TERN_ASSIGN_OR_RETURN(const cuda::DetectPlan plan, cuda::make_detect_plan(contract, shape, dtype));
    return std::unique_ptr<FrameDecoder>(std::make_unique<Boxes>(contract, shape, plan));
  }
  if (contract.kind == OutputKind::kSegmentation) {
    TERN_ASSIGN_OR_RETURN(const cuda::SegmentPlan plan, cuda::make_segment_plan(contract, shape, dtype));
    return std::unique_ptr<FrameDecoder>(std::make_unique<Masks>(contract, shape, plan));
  }
  TERN_ASSIGN_OR_RETURN(Postprocessor postprocessor, Postprocessor::create(contract));
  return std::unique_ptr<FrameDecoder>(std::make_unique<OnHost>(std::move(postprocessor), shape, dtype));
}

}  // namespace tern::trt_backend
