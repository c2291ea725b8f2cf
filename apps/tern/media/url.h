// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tern {

/// What of a URL may be shown: "rtsp://192.168.1.20:554". Cameras and services are given their passwords before the host, in the path and
/// in the query.
[[nodiscard]] std::string shown_url(std::string_view url);

/// `text` with every URL in it cut down like that.
[[nodiscard]] std::string with_shown_urls(std::string_view text);

/// The parts of http://[USER:PASSWORD@]HOST[:PORT][/PATH][?QUERY] or of the same with https.
struct HttpUrl {
  std::string host;            ///< "http://host:port": shown_url()
  std::string path;            ///< "/path?query"
  std::string user, password;  ///< without their escapes (%40)
};
/// Nothing where it is not such a URL, or holds spaces or control characters.
[[nodiscard]] std::optional<HttpUrl> parse_http_url(std::string_view url);

}  // namespace tern
