// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline/yaml_tree.h"

#include <algorithm>
#include <exception>
#include <istream>
#include <streambuf>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <fmt/format.h>

#include "base/error.h"
#include "model/text.h"

namespace tern {
namespace {

using Kind = YamlNode::Kind;

/// Ends the parsing from inside its callbacks; never leaves parse_yaml().
struct Refusal : std::exception {
  Refusal(YamlPosition where, std::string text) : at(where), message(std::move(text)) {}
  YamlPosition at;
  std::string message;
};

YamlPosition position(const YAML::Mark& mark) {
  return {std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

std::string_view without_sign(std::string_view text) noexcept {
  return text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
}

bool is_integer(std::string_view text) noexcept {
  const std::string_view digits = without_sign(text);
  return !digits.empty() && std::ranges::all_of(digits, is_digit);
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_float(std::string_view text) noexcept {
  std::string_view rest = without_sign(text);
  const auto take_digits = [&] {
    const auto end = std::ranges::find_if_not(rest, is_digit);
    const auto count = static_cast<std::size_t>(end - rest.begin());
    rest.remove_prefix(count);
    return count;
  };
  std::size_t digits = take_digits();
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    const std::size_t behind = take_digits();
    if (digits == 0 && behind == 0) return false;
    digits += behind;
  }
  if (digits == 0) return false;
  if (rest.empty()) return true;
  if (rest.front() != 'e' && rest.front() != 'E') return false;
  return is_integer(rest.substr(1));
}

Kind kind_of_plain(std::string_view text) noexcept {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return Kind::kNull;
  if (text == "true" || text == "false") return Kind::kBool;
  if (is_integer(text)) return Kind::kInteger;
  if (is_float(text)) return Kind::kFloat;
  return Kind::kString;
}

/// Builds the tree from the parser's events, refusing what is beyond the bounds as soon as it comes.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view text) : text_(text) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    scalar(mark, Kind::kNull, {});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal(position(mark), "aliases (*name) are not allowed here: write the value again");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    // The parser calls a plain scalar's tag "?" and a quoted one's "!".
    if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(mark);
    if (value.size() > kMaxYamlScalar)
      throw Refusal(position(mark), fmt::format("a text of {} bytes; {} are allowed", value.size(), kMaxYamlScalar));
    if (tag == "!" && is_unclosed(position(mark))) throw Refusal(position(mark), "a text in quotes does not end");
    scalar(mark, tag == "!" ? Kind::kString : kind_of_plain(value), value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::kSequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::kMap);
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] YamlNode take() { return std::move(root_); }

 private:
  struct Open {
    YamlNode node{};
    bool has_key = false;  // a map's key waits for its value
  };

  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) throw Refusal(position(mark), "anchors (&name) are not allowed here");
  }
  [[noreturn]] static void refuse_tag(const YAML::Mark& mark) {
    throw Refusal(position(mark), "tags (!name) are not allowed here");
  }
  /// The parser takes a quoted text that the end of the file cuts off; this does not. False for block texts, which have that tag too.
  [[nodiscard]] bool is_unclosed(YamlPosition at) {
    for (; line_ < at.line; ++line_)
      line_start_ = text_.find('\n', line_start_) + 1;
    const std::size_t begin = line_start_ + static_cast<std::size_t>(at.column) - 1;
    if (begin >= text_.size() || (text_[begin] != '\'' && text_[begin] != '"')) return false;
    const char quote = text_[begin];
    for (std::size_t i = begin + 1; i < text_.size(); ++i) {
      if (quote == '"' && text_[i] == '\\') {
        ++i;
      } else if (text_[i] == quote) {
        const bool is_doubled = quote == '\'' && i + 1 < text_.size() && text_[i + 1] == quote;
        if (!is_doubled) return false;
        ++i;
      }
    }
    return true;
  }
  void count(const YAML::Mark& mark) {
    if (++nodes_ > kMaxYamlNodes) throw Refusal(position(mark), fmt::format("more than {} values", kMaxYamlNodes));
  }
  [[nodiscard]] bool is_key_expected() const {
    return !open_.empty() && open_.back().node.kind == Kind::kMap && !open_.back().has_key;
  }
  void scalar(const YAML::Mark& mark, Kind kind, const std::string& text) {
    count(mark);
    if (!is_key_expected()) {
      add({.kind = kind, .at = position(mark), .text = text});
      return;
    }
    if (kind != Kind::kString) throw Refusal(position(mark), "a key must be a text");
    Open& map = open_.back();
    for (const auto& [key, at] : map.node.keys) {
      if (key == text)
        throw Refusal(position(mark), fmt::format("{} stands twice, first in line {}", in_quotes(text), at.line));
    }
    map.node.keys.emplace_back(text, position(mark));
    map.has_key = true;
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind) {
    count(mark);
    refuse_anchor(mark, anchor);
    if (tag != "?" && !tag.empty()) refuse_tag(mark);
    if (is_key_expected()) throw Refusal(position(mark), "a key must be a text");
    if (open_.size() >= static_cast<std::size_t>(kMaxYamlDepth))
      throw Refusal(position(mark), fmt::format("nested more than {} deep", kMaxYamlDepth));
    open_.push_back({{.kind = kind, .at = position(mark)}});
  }
  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }
  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    open_.back().node.items.push_back(std::move(node));
    open_.back().has_key = false;
  }

  std::string_view text_;
  int line_ = 1;                // the last one looked at; events come in the order of the text
  std::size_t line_start_ = 0;  // where it begins
  YamlNode root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
};

/// Lets a stream read a text where it lies.
struct TextBuffer : std::streambuf {
  explicit TextBuffer(std::string_view text) {
    // Only read from; the interface wants it writable.
    char* begin = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    setg(begin, begin, begin + text.size());
  }
};

Status check_text(std::string_view text, std::string_view name) {
  if (!is_utf8(text)) return Status(StatusCode::kConfigError, "is not UTF-8").at(name);
  YamlPosition at;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f)
      return make_error(StatusCode::kConfigError, "holds the control character 0x{:02x}", byte).at(to_string(name, at));
    at = c == '\n' ? YamlPosition{at.line + 1, 1} : YamlPosition{at.line, at.column + 1};
  }
  return {};
}

}  // namespace

std::string_view describe(YamlNode::Kind kind) noexcept {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kBool:
      return "true or false";
    case Kind::kInteger:
      return "a whole number";
    case Kind::kFloat:
      return "a number";
    case Kind::kString:
      return "a text";
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a map";
  }
  return "";
}

std::string to_string(std::string_view name, YamlPosition at) {
  return fmt::format("{}:{}:{}", name, at.line, at.column);
}

Result<YamlNode> parse_yaml(std::string_view text, std::string_view name) {
  TERN_RETURN_IF_ERROR(check_text(text, name));
  try {
    TextBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    Builder builder(text);
    if (!parser.HandleNextDocument(builder)) return Status(StatusCode::kConfigError, "is empty").at(name);
    YamlNode root = builder.take();
    Builder second(text);
    if (parser.HandleNextDocument(second))
      return Status(StatusCode::kConfigError, "holds more than one document").at(to_string(name, second.take().at));
    return root;
  } catch (const Refusal& refusal) {
    return Status(StatusCode::kConfigError, refusal.message).at(to_string(name, refusal.at));
  } catch (const YAML::Exception& error) {
    return make_error(StatusCode::kConfigError, "no valid YAML: {}", error.msg)
        .at(to_string(name, position(error.mark)));
  }
}

}  // namespace tern
