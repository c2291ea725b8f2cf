// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "postprocess/cuda/detect_blocks.h"
#include "postprocess/cuda/detect_kernels.h"
#include "postprocess/cuda/select_block.h"

namespace tern::cuda {
namespace {

constexpr int kMostImages = 65535;

[[nodiscard]] unsigned blocks_for(std::int32_t items, std::uint32_t a_block) {
  return (static_cast<std::uint32_t>(items) + a_block - 1) / a_block;
}

/// Elements of one image.
__device__ std::size_t output_stride(const DetectPlan& plan) {
  return static_cast<std::size_t>(plan.anchors) * static_cast<std::size_t>(plan.is_yolo != 0 ? plan.classes + 4 : 6);
}

template <typename Scan, typename Element>
__global__ void __launch_bounds__(Scan::kThreads)
    scan_kernel(DetectPlan plan, const Element* output, const DetectImage* params, void* scratch,
                DetectHeader* headers) {
  __shared__ typename Scan::Shared shared;
  DeviceBlock<typename Scan::Thread> block;
  const std::size_t image = blockIdx.y;
  Scan::run(block, shared, plan, output + image * output_stride(plan), params[image].score_threshold,
            blockIdx.x * Scan::kAnchors, Candidates::of(scratch, plan.anchors, image), headers[image]);
}

__global__ void __launch_bounds__(Ranking::kThreads)
    rank_kernel(DetectPlan plan, void* scratch, const DetectHeader* headers) {
  __shared__ Ranking::Shared shared;
  DeviceBlock<Ranking::Thread> block;
  const std::size_t image = blockIdx.y;
  const std::uint32_t first = blockIdx.x * Ranking::kItems, count = headers[image].candidates;
  if (first < count) Ranking::run(block, shared, count, first, Candidates::of(scratch, plan.anchors, image));
}

__global__ void __launch_bounds__(Selection::kThreads, 1)
    select_kernel(DetectPlan plan, const DetectImage* params, void* scratch, DetectHeader* headers, DetectRow* rows) {
  __shared__ Selection::Shared shared;
  DeviceBlock<Selection::Thread> block;
  const std::size_t image = blockIdx.x;
  Selection::run(block, shared, plan, params[image], Candidates::of(scratch, plan.anchors, image), headers[image],
                 rows + image * static_cast<std::size_t>(plan.limit));
}

template <typename Scan, typename Element>
void launch_scan(const DetectPlan& plan, const void* output, int images, const DetectImage* params, void* scratch,
                 DetectHeader* headers, cudaStream_t stream) {
  const dim3 grid(blocks_for(plan.anchors, Scan::kAnchors), static_cast<unsigned>(images));
  scan_kernel<Scan>
      <<<grid, Scan::kThreads, 0, stream>>>(plan, static_cast<const Element*>(output), params, scratch, headers);
}

}  // namespace

cudaError_t enqueue_detect(const DetectPlan& plan, const void* output, int images, const DetectImage* params,
                           void* scratch, void* results, cudaStream_t stream) {
  if (images < 1 || images > kMostImages) return cudaErrorInvalidValue;
  auto* const headers = static_cast<DetectHeader*>(results);
  auto* const rows = reinterpret_cast<DetectRow*>(headers + images);
  const cudaError_t cleared = cudaMemsetAsync(headers, 0, static_cast<std::size_t>(images) * sizeof(*headers), stream);
  if (cleared != cudaSuccess || plan.anchors == 0) return cleared;

  const auto scan = plan.is_yolo != 0
                        ? plan.is_half != 0 ? launch_scan<YoloScan, std::uint16_t> : launch_scan<YoloScan, float>
                    : plan.is_half != 0 ? launch_scan<End2EndScan, std::uint16_t>
                                        : launch_scan<End2EndScan, float>;
  scan(plan, output, images, params, scratch, headers, stream);
  const dim3 rank_grid(blocks_for(plan.anchors, Ranking::kItems), static_cast<unsigned>(images));
  rank_kernel<<<rank_grid, Ranking::kThreads, 0, stream>>>(plan, scratch, headers);
  select_kernel<<<static_cast<unsigned>(images), Selection::kThreads, 0, stream>>>(plan, params, scratch, headers,
                                                                                   rows);
  return cudaGetLastError();
}

}  // namespace tern::cuda
