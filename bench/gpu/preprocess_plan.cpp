// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "preprocess_plan.h"

#include <cstdint>
#include <optional>
#include <set>

#include "preprocess/taps.h"
#include "tern/geometry.h"
#include "tern/status.h"

namespace tern::bench {
namespace {

constexpr std::int64_t kSector = 32;

/// The source pixels of an axis that have a weight.
std::set<int> pixels_of(const cuda::AxisParams& axis, cuda::SampleKind sample) {
  std::set<int> pixels;
  for (int i = axis.inner; i < axis.inner + axis.inner_size; ++i) {
    const double position = (i + 0.5 - axis.offset) / axis.scale;
    Taps taps = point_taps(position, axis.source);
    if (sample == cuda::SampleKind::kArea && axis.scale < 1) {
      taps = box_taps((i - axis.offset) / axis.scale, (i + 1 - axis.offset) / axis.scale, axis.source);
    } else if (sample != cuda::SampleKind::kPoint) {
      taps = linear_taps(position, axis.source);
    }
    for (int pixel = taps.first; pixel <= taps.last; ++pixel) {
      if ((pixel == taps.first && taps.first_weight == 0) ||
          (pixel == taps.last && pixel != taps.first && taps.last_weight == 0))
        continue;
      pixels.insert(pixel);
    }
  }
  return pixels;
}

/// Sectors of a plane that hold the pixels, taking all rows for aligned like the first.
double plane_bytes(const cuda::PlaneParams& plane, const std::set<int>& columns, const std::set<int>& rows, int step,
                   int shift) {
  const auto base = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(plane.data) % kSector);
  std::set<std::int64_t> sectors;
  for (const int column : columns) {
    for (int b = 0; b < step; ++b)
      sectors.insert((base + std::int64_t{column >> shift} * step + b) / kSector);
  }
  std::set<int> shifted;
  for (const int row : rows)
    shifted.insert(row >> shift);
  return static_cast<double>(static_cast<std::int64_t>(sectors.size() * shifted.size()) * kSector);
}

double bytes_read(const cuda::ImageParams& image, cuda::SampleKind sample) {
  const std::set<int> columns = pixels_of(image.x, sample);
  const std::set<int> rows = pixels_of(image.y, sample);
  switch (image.source) {
    case cuda::SourceKind::kGray:
      return plane_bytes(image.planes[0], columns, rows, 1, 0);
    case cuda::SourceKind::kPacked3:
      return plane_bytes(image.planes[0], columns, rows, 3, 0);
    case cuda::SourceKind::kPacked4:
      return plane_bytes(image.planes[0], columns, rows, 4, 0);
    case cuda::SourceKind::kNv12:
      return plane_bytes(image.planes[0], columns, rows, 1, 0) + plane_bytes(image.planes[1], columns, rows, 2, 1);
    case cuda::SourceKind::kI420:
      return plane_bytes(image.planes[0], columns, rows, 1, 0) + plane_bytes(image.planes[1], columns, rows, 1, 1) +
             plane_bytes(image.planes[2], columns, rows, 1, 1);
  }
  return 0;
}

void must(const Status& status) {
  if (!status.ok()) throw Error(status);
}

}  // namespace

PreprocessPlan::PreprocessPlan(const InputContract& contract, std::span<const ImageView> frames, int width, int height,
                               void* out)
    : params_(frames.size()), on_gpu_(frames.size() * sizeof(cuda::ImageParams)) {
  must(cuda::make_output_params(contract, width, height, out, out_));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    Geometry geometry;
    must(cuda::make_image_params(contract, frames[i], nullptr, std::nullopt, out_, params_[i], geometry));
    bytes_touched_ += bytes_read(params_[i], out_.sample) +
                      static_cast<double>(size_of(contract.dtype)) * contract.channels() * width * height;
  }
  cuda::check(cudaMemcpy(on_gpu_.data(), params_.data(), on_gpu_.bytes(), cudaMemcpyHostToDevice), "cudaMemcpy");
  cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
}

void PreprocessPlan::enqueue(Enqueue kernel, cudaStream_t stream) const {
  cuda::check(
      kernel(static_cast<const cuda::ImageParams*>(on_gpu_.data()), static_cast<int>(params_.size()), out_, stream),
      "starting a kernel");
}

}  // namespace tern::bench
