// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/text.h"
#include "pipeline/yaml_tree.h"
#include "tern/pipeline_latency.h"

namespace tern {

/// The first failure of a document; what comes after it is not reported.
class YamlErrors {
 public:
  explicit YamlErrors(std::string_view name) : name_(name) {}
  void fail(YamlPosition at, std::string_view path, std::string_view message, std::string_view hint = {});
  [[nodiscard]] bool ok() const noexcept { return status_.ok(); }
  [[nodiscard]] const Status& status() const noexcept { return status_; }

 private:
  std::string name_;
  Status status_;
};

/// A text and where it stands, for references that are looked up later.
struct YamlName {
  std::string text{};
  YamlPosition at{};
};

/// Reads a map key by key. Each reader leaves `out` as it is where the key is missing, and returns whether it was there and right;
/// finish() refuses keys that nobody read.
class YamlMap {
 public:
  /// `path`: what messages call it, "sources[0]"; "" for the document. A node that is no map fails.
  YamlMap(const YamlNode& node, std::string path, YamlErrors& errors);

  bool text(std::string_view key, std::string& out);
  bool name(std::string_view key, YamlName& out);
  bool flag(std::string_view key, bool& out);
  bool number(std::string_view key, int& out, int min, int max);
  bool number(std::string_view key, double& out, double min, double max);
  /// "250us", "33.3ms", "5s", "2min".
  bool duration(std::string_view key, Nanoseconds& out, Nanoseconds min, Nanoseconds max);
  /// A list of different texts.
  bool names(std::string_view key, std::vector<YamlName>& out);
  /// One of `words`; `out` is the word's place among them.
  bool word(std::string_view key, std::size_t& out, std::span<const std::string_view> words);
  template <typename Enum>
  bool word(std::string_view key, Enum& out, std::span<const std::pair<std::string_view, Enum>> words) {
    std::vector<std::string_view> list;
    for (const auto& [text, value] : words)
      list.push_back(text);
    std::size_t index = 0;
    if (!word(key, index, list)) return false;
    out = words[index].second;
    return true;
  }
  /// The list's entries; empty where it is missing.
  [[nodiscard]] std::span<const YamlNode> list(std::string_view key, std::size_t min, std::size_t max);
  /// The key's value, or null.
  [[nodiscard]] const YamlNode* find(std::string_view key);

  /// Fails where the key is missing.
  void require(std::string_view key);
  /// Fails where the key is there: `why` it has no place.
  void forbid(std::string_view key, std::string_view why);
  void fail(std::string_view key, std::string_view message, std::string_view hint = {});
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] YamlPosition at(std::string_view key) const;
  void finish();

 private:
  const YamlNode* of_kind(std::string_view key, YamlNode::Kind kind, std::string_view wanted);

  const YamlNode& node_;
  std::string path_;
  YamlErrors& errors_;
  std::vector<bool> is_read_;
  std::vector<std::string_view> asked_;  // every key that was asked for, for hints
};

}  // namespace tern
