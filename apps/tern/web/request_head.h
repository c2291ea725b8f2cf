// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tern {

// The head of an HTTP/1 request: its first line, header lines and an empty line, each ended by CR LF.

/// Bare line ends and other control characters make it unclear which line is which; no correct client sends them.
[[nodiscard]] bool has_stray_controls(std::string_view head) noexcept;
/// Whether it announces a body.
[[nodiscard]] bool has_body(std::string_view head) noexcept;
/// Takes every header line of this name out. `name` in any case.
void remove_header(std::string& head, std::string_view name);
/// ASCII letters alone, so that no locale matters.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace tern
