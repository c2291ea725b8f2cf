// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "web/top_table.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/byte_size.h"
#include "base/error.h"
#include "console.h"

namespace tern {
namespace {

using Json = nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

// at() and get() throw where a key is missing or of another type; top_table() catches it.
std::string text(const Json& object, const char* key) {
  return object.at(key).get<std::string>();
}
double number(const Json& object, const char* key) {
  return object.at(key).get<double>();
}
std::uint64_t whole(const Json& object, const char* key) {
  return object.at(key).get<std::uint64_t>();
}

std::string milliseconds(double value) {
  return fmt::format("{:.{}f}", value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

// Not rounded up to "100.0%" where something was missed.
std::string share(double value) {
  return value >= 1 ? "100%" : fmt::format("{:.2f}%", std::min(100 * value, 99.99));
}

std::string duration(double seconds) {
  const auto s = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e12));
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

// "12 late, 3 hopeless", the most first; "-" where none.
std::string drops(const Json& ends) {
  std::vector<std::pair<std::uint64_t, std::string>> causes;
  for (const auto& [end, count] : ends.items()) {
    if (end != "delivered" && count.get<std::uint64_t>() > 0) causes.emplace_back(count.get<std::uint64_t>(), end);
  }
  std::stable_sort(causes.begin(), causes.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string words;
  for (const auto& [count, end] : causes)
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", count, end);
  return words.empty() ? "-" : words;
}

std::string sources(const Json& status) {
  Rows rows{{"SOURCE", "STATE", "/S", "IN TIME", "AGE P50", "P95", "P99", "DEADLINE", "FRAMES", "NOT IN TIME"}};
  std::string messages;
  for (const Json& source : status.at("sources")) {
    const Json& age = source.at("age_ms");
    rows.push_back({text(source, "name"), text(source, "state"), fmt::format("{:.1f}", number(source, "rate_hz")),
                    share(number(source, "hit_rate")), milliseconds(number(age, "p50")),
                    milliseconds(number(age, "p95")), milliseconds(number(age, "p99")),
                    milliseconds(number(source, "deadline_ms")), std::to_string(whole(source, "frames")),
                    drops(source.at("ends"))});
    if (!text(source, "message").empty())
      messages += fmt::format("\n  {}: {}", text(source, "name"), text(source, "message"));
  }
  return format_table(rows) + messages;
}

std::string models(const Json& status) {
  Rows rows{{"MODEL", "STATE", "PRECISION", "BACKEND", "ITEMS", "BATCH", "BUSY", "SLOWDOWN", "PRE P50", "INFER P50",
             "P99", "POST P50", "FAILED"}};
  for (const Json& model : status.at("models")) {
    const double batches = number(model, "batches");
    const Json& infer = model.at("infer_ms");
    rows.push_back({text(model, "name"), model.at("is_running").get<bool>() ? "on" : "off", text(model, "precision"),
                    text(model, "backend"), std::to_string(whole(model, "items")),
                    batches > 0 ? fmt::format("{:.1f}", number(model, "items") / batches) : "-",
                    fmt::format("{:.0f}%", 100 * number(model, "busy_share")),
                    fmt::format("{:.2f}x", number(model, "slowdown")),
                    milliseconds(number(model.at("preprocess_ms"), "p50")), milliseconds(number(infer, "p50")),
                    milliseconds(number(infer, "p99")), milliseconds(number(model.at("postprocess_ms"), "p50")),
                    std::to_string(whole(model, "failures"))});
  }
  return format_table(rows);
}

std::string sinks(const Json& status) {
  Rows rows{{"SINK", "STATE", "WRITTEN", "MISSED", "WAITING", "WRITE P50", "P99"}};
  std::string failures;
  for (const Json& sink : status.at("sinks")) {
    const std::string failure = text(sink, "failure");
    const Json& write = sink.at("write_ms");
    rows.push_back({text(sink, "name"), failure.empty() ? "writing" : "failed", std::to_string(whole(sink, "written")),
                    std::to_string(whole(sink, "missed")), std::to_string(whole(sink, "waiting")),
                    milliseconds(number(write, "p50")), milliseconds(number(write, "p99"))});
    if (!failure.empty()) failures += fmt::format("\n  {}: {}", text(sink, "name"), failure);
  }
  return format_table(rows) + failures;
}

std::string memory(const Json& status) {
  Rows rows{{"MEMORY", "RESIDENT", "BUDGET", "OF IT"}};
  for (const Json& ledger : status.at("ledgers")) {
    const double budget = number(ledger, "budget_bytes");
    rows.push_back({text(ledger, "device"), format_byte_size(whole(ledger, "resident_bytes")),
                    format_byte_size(whole(ledger, "budget_bytes")),
                    budget > 0 ? fmt::format("{:.0f}%", 100 * number(ledger, "resident_bytes") / budget) : "-"});
  }
  return format_table(rows);
}

std::string thermal(const Json& thermal) {
  std::string words;
  if (thermal.at("available").get<bool>()) {
    words = fmt::format("{:.0f} C{}", number(thermal, "temperature_c"),
                        thermal.at("throttled").get<bool>() ? ", THROTTLED" : "");
  } else {
    words = "no telemetry";
  }
  const auto step = thermal.at("step").get<std::int64_t>();
  return words + (step == 0 ? ", top step" : fmt::format(", step {}: {}", step, text(thermal, "step_reason")));
}

std::string heading(const Json& status) {
  return fmt::format("tern {}  {} {}  frames inside {} of {}  overhead {:.1f}%  process {}  {}", text(status, "tern"),
                     status.at("is_draining").get<bool>() ? "draining after" : "runs for",
                     duration(number(status, "uptime_s")), whole(status, "frames_inside"),
                     whole(status, "max_frames_inside"), 100 * number(status, "overhead_share"),
                     format_byte_size(whole(status, "process_bytes")), thermal(status.at("thermal")));
}

}  // namespace

Result<std::string> top_table(std::string_view status) {
  try {
    const Json json = Json::parse(status);
    if (json.at("version") != 1) {
      return make_error(StatusCode::kInputError, "the status has version {}; this tern reads version 1",
                        json.at("version").dump());
    }
    return printable(fmt::format("{}\n\n{}\n\n{}\n\n{}\n\n{}", heading(json), sources(json), models(json), sinks(json),
                                 memory(json)));
  } catch (const Json::exception& e) {
    return make_error(StatusCode::kInputError, "this is not the status of a pipeline").with_cause(e.what());
  }
}

std::string fit_to_terminal(std::string_view text, int columns, int rows) {
  std::string fitted;
  int column = 0, row = 1;
  for (const char c : text) {
    if (c == '\n') {
      if (++row > rows) break;
      column = 0;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80 && ++column > columns) {
      continue;  // a letter begins; the bytes after the first belong to it
    } else if (column > columns) {
      continue;
    }
    fitted += c;
  }
  return fitted;
}

}  // namespace tern
