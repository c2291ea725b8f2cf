// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/status.h"

namespace tern {

/// Lines and columns count from 1.
struct YamlPosition {
  int line = 1, column = 1;
};

/// A value of a YAML document and where it stands. What a plain scalar is follows YAML 1.2's core schema, but that only `true` and
/// `false` are booleans; quoted scalars are strings.
struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kBool, kInteger, kFloat, kString, kSequence, kMap };
  Kind kind = Kind::kNull;
  YamlPosition at{};
  std::string text{};                                        // of a scalar, as it is written
  std::vector<YamlNode> items{};                             // of a sequence; of a map its values
  std::vector<std::pair<std::string, YamlPosition>> keys{};  // of a map: items[i] belongs to keys[i]
};
/// "a number", "a text", "a list" and so on.
[[nodiscard]] std::string_view describe(YamlNode::Kind kind) noexcept;

inline constexpr int kMaxYamlDepth = 16;
inline constexpr std::size_t kMaxYamlNodes = 20'000;
inline constexpr std::size_t kMaxYamlScalar = 4096;  // bytes

/// Reads one document within the bounds above. ConfigError at "name:line:column". Refused as well: anchors, aliases, tags, a second
/// document, keys that are no texts or stand twice in one map, what is no UTF-8, control characters.
[[nodiscard]] Result<YamlNode> parse_yaml(std::string_view text, std::string_view name);

/// "name:line:column".
[[nodiscard]] std::string to_string(std::string_view name, YamlPosition at);

}  // namespace tern
