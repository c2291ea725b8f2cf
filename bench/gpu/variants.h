// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "preprocess_plan.h"

namespace tern::cuda {
cudaError_t enqueue_4_blocks(const ImageParams*, int, const OutputParams&, cudaStream_t);
cudaError_t enqueue_2_rows(const ImageParams*, int, const OutputParams&, cudaStream_t);
cudaError_t enqueue_scalar_stores(const ImageParams*, int, const OutputParams&, cudaStream_t);
cudaError_t enqueue_small_tile(const ImageParams*, int, const OutputParams&, cudaStream_t);
}  // namespace tern::cuda

namespace tern::bench {

struct Variant {
  const char* name;
  Enqueue enqueue;
};

/// The same source as enqueue_preprocess(), compiled with other constants (bench/gpu/CMakeLists.txt).
inline std::span<const Variant> variants() {
  static constexpr Variant kVariants[] = {
      {"4 blocks a multiprocessor", cuda::enqueue_4_blocks},
      {"loads of 2 rows at once", cuda::enqueue_2_rows},
      {"stores of single elements", cuda::enqueue_scalar_stores},
      {"tiles of 64x8", cuda::enqueue_small_tile},
  };
  return kVariants;
}

}  // namespace tern::bench
