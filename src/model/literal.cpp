// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/literal.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "model/text.h"

namespace tern {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = 1U << 20;
constexpr int kMaxDepth = 8;

void append_utf8(std::uint32_t code, std::string& text) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<json> run() {
    json result;
    TERN_RETURN_IF_ERROR(value(result, 0));
    skip_space();
    if (at_ != text_.size()) return fail("the value ends here");
    return result;
  }

 private:
  Status value(json& out, int depth);
  Status sequence(json& out, char close, int depth);
  Status dictionary(json& out, int depth);
  Status key(std::string& out);
  Status string(std::string& out);
  Status escape(std::string& out);
  Status hex(int digits, std::uint32_t& out);
  Status number(json& out);
  Status word(json& out);

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  // After white space: the next character, or 0 at the end.
  [[nodiscard]] char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  [[nodiscard]] bool take(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] Status fail(std::string_view why) const {
    return make_error(StatusCode::kContractError, "not a literal: {} (at character {} of {})", why, at_ + 1,
                      in_quotes(text_));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Status Parser::value(json& out, int depth) {
  if (depth > kMaxDepth) return fail("it is nested too deep");
  const char c = peek();
  if (c == '{') return dictionary(out, depth);
  if (c == '[') return sequence(out, ']', depth);
  if (c == '(') return sequence(out, ')', depth);
  if (c == '"' || c == '\'') {
    std::string text;
    TERN_RETURN_IF_ERROR(string(text));
    out = std::move(text);
    return {};
  }
  if (c == '-' || c == '+' || c == '.' || (c >= '0' && c <= '9')) return number(out);
  return word(out);
}

Status Parser::sequence(json& out, char close, int depth) {
  ++at_;
  out = json::array();
  while (!take(close)) {
    TERN_RETURN_IF_ERROR(value(out.emplace_back(), depth + 1));
    if (take(',')) continue;
    if (peek() != close) return fail("a comma or the closing bracket is missing");
  }
  return {};
}

Status Parser::dictionary(json& out, int depth) {
  ++at_;
  out = json::object();
  while (!take('}')) {
    std::string name;
    TERN_RETURN_IF_ERROR(key(name));
    if (!take(':')) return fail("a colon is missing");
    if (out.contains(name)) return fail("the key " + in_quotes(name) + " stands twice");
    TERN_RETURN_IF_ERROR(value(out[name], depth + 1));
    if (take(',')) continue;
    if (peek() != '}') return fail("a comma or the closing brace is missing");
  }
  return {};
}

Status Parser::key(std::string& out) {
  const char c = peek();
  if (c == '"' || c == '\'') return string(out);
  json whole;
  TERN_RETURN_IF_ERROR(number(whole));
  if (!whole.is_number_integer()) return fail("a key must be a string or a whole number");
  out = std::to_string(whole.get<std::int64_t>());
  return {};
}

Status Parser::string(std::string& out) {
  const char quote = text_[at_++];
  for (;;) {
    if (at_ == text_.size()) return fail("a string does not end");
    const char c = text_[at_++];
    if (c == quote) break;
    if (static_cast<unsigned char>(c) < 0x20) return fail("a string has a control character in it");
    if (c == '\\') {
      TERN_RETURN_IF_ERROR(escape(out));
    } else {
      out += c;
    }
  }
  return is_utf8(out) ? Status() : fail("a string is not UTF-8");
}

Status Parser::escape(std::string& out) {
  if (at_ == text_.size()) return fail("a string does not end");
  const char c = text_[at_++];
  constexpr std::string_view kPlain = "\\'\"/";
  constexpr std::string_view kFrom = "bfnrt", kTo = "\b\f\n\r\t";
  if (kPlain.find(c) != std::string_view::npos) {
    out += c;
    return {};
  }
  if (const std::size_t i = kFrom.find(c); i != std::string_view::npos) {
    out += kTo[i];
    return {};
  }
  std::uint32_t code = 0;
  if (c != 'x' && c != 'u' && c != 'U') return fail("an unknown escape");
  TERN_RETURN_IF_ERROR(hex(c == 'x' ? 2 : c == 'u' ? 4 : 8, code));
  if (code >= 0xD800 && code < 0xDC00 && c == 'u' && text_.substr(at_).starts_with("\\u")) {
    at_ += 2;  // JSON writes characters beyond U+FFFF as two surrogates
    std::uint32_t low = 0;
    TERN_RETURN_IF_ERROR(hex(4, low));
    if (low < 0xDC00 || low > 0xDFFF) return fail("half a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return fail("an escape that is no character");
  append_utf8(code, out);
  return {};
}

Status Parser::hex(int digits, std::uint32_t& out) {
  const auto count = static_cast<std::size_t>(digits);
  if (text_.size() - at_ < count) return fail("an escape is cut off");
  const char* const begin = text_.data() + at_;
  const auto [end, error] = std::from_chars(begin, begin + count, out, 16);
  if (error != std::errc() || end != begin + count) return fail("an escape needs hex digits");
  at_ += count;
  return {};
}

Status Parser::number(json& out) {
  const char* begin = text_.data() + at_;
  const char* const limit = text_.data() + text_.size();
  if (begin != limit && *begin == '+') ++begin;
  if (begin == limit || (*begin != '-' && *begin != '.' && (*begin < '0' || *begin > '9')))
    return fail("a number is expected");
  std::int64_t whole = 0;
  double real = 0;
  const auto as_whole = std::from_chars(begin, limit, whole);
  const auto as_real = std::from_chars(begin, limit, real);
  if (as_real.ec != std::errc() || !std::isfinite(real)) return fail("not a finite number");
  if (as_whole.ec == std::errc() && as_whole.ptr == as_real.ptr) {
    out = whole;
  } else {
    out = real;
  }
  at_ = static_cast<std::size_t>(as_real.ptr - text_.data());
  return {};
}

Status Parser::word(json& out) {
  const std::string_view rest = text_.substr(at_);
  const auto is = [&](std::string_view name, json meaning) {
    if (!rest.starts_with(name)) return false;
    out = std::move(meaning);
    at_ += name.size();
    return true;
  };
  if (is("True", true) || is("true", true) || is("False", false) || is("false", false) || is("None", nullptr) ||
      is("null", nullptr)) {
    return {};
  }
  return fail(rest.empty() ? "it ends too early" : "a value is expected");
}

}  // namespace

Result<json> parse_literal(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return make_error(StatusCode::kContractError, "a literal of {} bytes; the limit is {}", text.size(), kMaxBytes);
  }
  return Parser(text).run();
}

}  // namespace tern
