// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "preprocess/cuda/image_params.h"

namespace tern::cuda {

/// What enqueue_preprocess() does, on host memory: every output pixel by the functions that the kernels call. What is the
/// kernels' own (tiles, shuffles, vector stores) only a GPU can show.
void preprocess_on_host(const ImageParams* params, int images, const OutputParams& out);

}  // namespace tern::cuda
