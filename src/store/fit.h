// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace tern {

/// What stands as fit.cc in the key of an engine for HardwareLevel::kAmperePlus, in place of one compute capability. Such an engine
/// has no fit.sm_count.
inline constexpr std::string_view kAmperePlusFit = "8.0+";

/// Whether `found`, a version of a runtime ("10.6.0.26"), can load what `made` made under BuildConfig::version_compatible: the
/// same major version, and no older. False for what is no version.
[[nodiscard]] bool is_forward_compatible(std::string_view made, std::string_view found);

}  // namespace tern
