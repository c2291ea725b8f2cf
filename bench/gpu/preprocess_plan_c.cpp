// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0

// libtern_preprocess_plan.so: PreprocessPlan for Python's ctypes, so that bench/compare/preprocess_gpu.py times tern and its
// peers with the same events on the same streams.
#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

#include "preprocess/cuda/preprocess_kernel.h"
#include "preprocess_plan.h"
#include "tern/export.h"

using tern::bench::PreprocessPlan;

namespace {

thread_local char last_error[512] = "";

void note(const std::exception& error) noexcept {
  std::snprintf(last_error, sizeof(last_error), "%s", error.what());
}

}  // namespace

extern "C" {

/// Why the last call of this thread failed.
TERN_API const char* tern_plan_error() {
  return last_error;
}

/// `count` BGR frames in GPU memory without row padding to f32 NCHW RGB / 255 at `out`, letterboxed, or stretched. Null when it
/// fails.
TERN_API void* tern_plan_open(const void* const* frames, int count, int width, int height, int out_width,
                              int out_height, int is_letterbox, void* out) {
  try {
    std::vector<tern::ImageView> views;
    for (int i = 0; i < count; ++i) {
      tern::ImageView view =
          tern::ImageView::packed(static_cast<const std::uint8_t*>(frames[i]), width, height, tern::PixelFormat::kBgr);
      view.device = tern::Device{tern::DeviceKind::kCuda, 0};
      views.push_back(view);
    }
    tern::InputContract contract;
    contract.resize = is_letterbox != 0 ? tern::ResizeRule::kLetterbox : tern::ResizeRule::kStretch;
    return new PreprocessPlan(contract, views, out_width, out_height, out);
  } catch (const std::exception& error) {
    note(error);
    return nullptr;
  }
}

/// 0, or 1 when it fails. `stream` is a cudaStream_t.
TERN_API int tern_plan_enqueue(const void* plan, void* stream) {
  try {
    static_cast<const PreprocessPlan*>(plan)->enqueue(tern::cuda::enqueue_preprocess,
                                                      static_cast<cudaStream_t>(stream));
    return 0;
  } catch (const std::exception& error) {
    note(error);
    return 1;
  }
}

TERN_API double tern_plan_bytes_touched(const void* plan) {
  return static_cast<const PreprocessPlan*>(plan)->bytes_touched();
}

TERN_API void tern_plan_close(void* plan) {
  delete static_cast<PreprocessPlan*>(plan);
}

}  // extern "C"
