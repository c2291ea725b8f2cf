// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess/cuda/segment_kernels.h"
#include "postprocess/cuda/segment_pixels.h"

namespace tern::cuda {
namespace {

constexpr int kMostImages = 65535;
constexpr unsigned kThreads = 256;
/// Of the resampling, whose pixels are counted when it runs: enough for any GPU, and each thread goes on by the size of the grid.
constexpr unsigned kResampleBlocks = 2048;
constexpr std::uint32_t kPixelsAStore = 4;

template <typename Element>
__device__ const Element* logits_of(const SegmentPlan& plan, const Element* output, std::size_t image) {
  return output + image * static_cast<std::size_t>(plan.classes) * plan.pixels();
}

template <typename Element>
__global__ void __launch_bounds__(kThreads)
    label_kernel(SegmentPlan plan, const Element* output, const SegmentImage* params, std::uint8_t* labels,
                 SegmentHeader* headers) {
  const std::size_t image = blockIdx.y, pixels = plan.pixels();
  const std::size_t pixel = std::size_t{blockIdx.x} * kThreads + threadIdx.x;
  if (pixel >= pixels) return;
  std::uint8_t* const out = plan.resamples != 0 ? labels + image * pixels : params[image].mask;
  out[pixel] = label_output_pixel(plan, params[image], logits_of(plan, output, image), pixel, headers[image]);
}

/// A thread writes 4 pixels, which may go on in the next row.
template <typename Element>
__global__ void __launch_bounds__(kThreads, 2)
    resample_kernel(SegmentPlan plan, const Element* output, const SegmentImage* params, const std::uint8_t* labels) {
  const std::size_t image = blockIdx.y;
  const SegmentImage& p = params[image];
  const Element* const logits = logits_of(plan, output, image);
  const std::uint8_t* const image_labels = labels + image * plan.pixels();
  const auto width = static_cast<std::uint32_t>(p.x.source);
  const std::uint64_t pixels = std::uint64_t{width} * static_cast<std::uint32_t>(p.y.source);  // up to 2^32
  const auto words = static_cast<std::uint32_t>((pixels + kPixelsAStore - 1) / kPixelsAStore);
  for (std::uint32_t word = blockIdx.x * kThreads + threadIdx.x; word < words; word += gridDim.x * kThreads) {
    const std::uint64_t first = std::uint64_t{word} * kPixelsAStore;
    auto y = static_cast<std::uint32_t>(first / width), x = static_cast<std::uint32_t>(first % width);
    const auto count = static_cast<std::uint32_t>(min(std::uint64_t{kPixelsAStore}, pixels - first));
    SegmentPoint row = point_of(p.y, static_cast<std::int32_t>(y));
    std::uint32_t packed = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const SegmentPoint column = point_of(p.x, static_cast<std::int32_t>(x));
      packed |= std::uint32_t{label_source_pixel(plan, p, logits, image_labels, column, row)} << (8U * i);
      if (++x == width) {
        x = 0;
        row = point_of(p.y, static_cast<std::int32_t>(++y));
      }
    }
    if (count == kPixelsAStore) {
      reinterpret_cast<std::uint32_t*>(p.mask)[word] = packed;
    } else {
      for (std::uint32_t i = 0; i < count; ++i)
        p.mask[first + i] = static_cast<std::uint8_t>(packed >> (8U * i));
    }
  }
}

template <typename Element>
cudaError_t enqueue(const SegmentPlan& plan, const void* output, int images, const SegmentImage* params,
                    std::uint8_t* labels, SegmentHeader* headers, cudaStream_t stream) {
  const auto* const logits = static_cast<const Element*>(output);
  const dim3 grid(static_cast<unsigned>((plan.pixels() + kThreads - 1) / kThreads), static_cast<unsigned>(images));
  label_kernel<<<grid, kThreads, 0, stream>>>(plan, logits, params, labels, headers);
  if (plan.resamples != 0) {
    resample_kernel<<<dim3(kResampleBlocks, static_cast<unsigned>(images)), kThreads, 0, stream>>>(plan, logits, params,
                                                                                                   labels);
  }
  return cudaGetLastError();
}

}  // namespace

cudaError_t enqueue_segment(const SegmentPlan& plan, const void* output, int images, const SegmentImage* params,
                            std::uint8_t* labels, SegmentHeader* headers, cudaStream_t stream) {
  if (images < 1 || images > kMostImages) return cudaErrorInvalidValue;
  const cudaError_t cleared = cudaMemsetAsync(headers, 0, static_cast<std::size_t>(images) * sizeof(*headers), stream);
  if (cleared != cudaSuccess) return cleared;
  return plan.is_half != 0 ? enqueue<std::uint16_t>(plan, output, images, params, labels, headers, stream)
                           : enqueue<float>(plan, output, images, params, labels, headers, stream);
}

}  // namespace tern::cuda
