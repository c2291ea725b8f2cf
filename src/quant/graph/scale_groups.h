// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "quant/graph/graph_edit.h"

namespace tern {

/// Those of `tensors` (in their order) between which values only move, through Concat, MaxPool, Slice and the like, among the
/// tensors of `within`: with one scale they need no requantisation on the way. Groups of one are left out.
[[nodiscard]] std::vector<std::vector<std::string>> scale_groups(const GraphEdit& edit,
                                                                 const std::vector<std::string>& tensors,
                                                                 const std::set<std::string_view>& within);

}  // namespace tern
