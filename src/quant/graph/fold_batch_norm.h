// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "quant/graph/graph_edit.h"

namespace tern {

/// fold_batch_norm() of tern/quantize.h, in place.
void fold_batch_norm(GraphEdit& edit);

}  // namespace tern
