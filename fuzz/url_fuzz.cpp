// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "media/url.h"

// What may be shown of a URL never holds its user or password, whatever the URL.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string shown = tern::shown_url(text);
  const auto url = tern::parse_http_url(text);
  if (url && !url->user.empty() && shown != url->host) std::abort();
  const std::string all = tern::with_shown_urls(text);
  if (tern::with_shown_urls(all).size() > all.size()) std::abort();
  return 0;
}
