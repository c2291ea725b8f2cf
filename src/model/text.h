// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tern {

/// 'text' in single quotes for a message: control characters and bytes that are not UTF-8 are escaped, long texts are
/// cut. Names in files are not to be trusted with the user's terminal.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// Well-formed UTF-8 (no overlong forms, no surrogates).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Holds a control character (C0 or DEL).
[[nodiscard]] bool has_control_character(std::string_view text) noexcept;

/// The candidate that `word` is probably a misspelling of; empty when none is near.
[[nodiscard]] std::string_view closest(std::string_view word, std::span<const std::string_view> candidates);

/// A hint on an unknown word: "did you mean 'x'?" when something is near, else "known: a, b, c".
[[nodiscard]] std::string suggest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace tern
