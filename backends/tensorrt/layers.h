// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tern/engine.h"

namespace tern::trt_backend {

/// What the layers of an engine really got: "f32", "f16", "bf16", "fp8", "i8"; "fused" for a block whose inside TensorRT does not
/// show, "other" for layers on whole numbers and for what TensorRT does not tell.
using LayerPrecisions = std::map<std::string, int>;

/// The class of one layer, from the inspector's JSON for it: the narrowest floating or quantised type it reads, else writes. Nothing for
/// layers that only move data.
[[nodiscard]] std::optional<std::string> layer_precision(std::string_view json);

/// The precision of the whole: i8 when any layer is, else f16, bf16, f32. Nothing when no layer tells, or when "fused"
/// blocks beside f32 layers may hide a lower one.
[[nodiscard]] std::optional<Precision> engine_precision(const LayerPrecisions& layers);

/// The precision of an engine that was built as `asked` (not kAuto): what its layers show. Where they do not tell, what was asked
/// for, but i8 only where a layer shows it: that TensorRT never hides. kMixed where it was asked for and anything narrower than f32 runs.
[[nodiscard]] Precision built_precision(Precision asked, const LayerPrecisions& layers);

/// Whether `got` has more bits than `asked`: f32 where f16 was asked for, f16 where i8 was. Of concrete precisions, not kAuto.
[[nodiscard]] bool is_wider(Precision got, Precision asked) noexcept;

}  // namespace tern::trt_backend
