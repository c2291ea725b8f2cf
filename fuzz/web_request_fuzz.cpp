// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What the live page's server itself reads of a request: header lines, Host, Cookie, Authorization.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "web/request_head.h"
#include "web/web_access.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  static const std::string token = "0123456789abcdef";
  static const WebAccess access = WebAccess::from_token(token).value();
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  std::string head(text);
  for (const std::string_view name : {"range", "content-length", "transfer-encoding"})
    remove_header(head, name);
  if (has_body(head) || head.size() > text.size()) std::abort();
  if (!has_stray_controls(text) && has_stray_controls(head)) std::abort();
  std::string again = head;
  remove_header(again, "range");
  if (again != head) std::abort();

  // Nothing passes that does not hold the secret.
  if (access.is_authorization(text) && text.find(token) == std::string_view::npos) std::abort();
  const std::string set = access.set_cookie(8080);
  if (access.is_cookie(text, 8080) && text.find(set.substr(0, set.find(';'))) == std::string_view::npos) std::abort();
  if (access.is_token(text) != (text == token)) std::abort();
  if (is_loopback_host(text) && (text.size() > 21 || text.find_first_of("/@ \t") != std::string_view::npos))
    std::abort();
  return 0;
}
