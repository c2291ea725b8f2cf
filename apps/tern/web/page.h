// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace tern {

/// A file of the live page: web/page/, built into the program.
struct PageFile {
  std::string_view path;  ///< "/": the page itself
  std::string_view type;
  std::string_view content;
};

/// Null: there is none of this path.
[[nodiscard]] const PageFile* page_file(std::string_view path) noexcept;

}  // namespace tern
