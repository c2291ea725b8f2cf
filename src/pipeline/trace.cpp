// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "model/text.h"
#include "tern/pipeline_trace.h"

namespace tern {
namespace {

constexpr std::size_t kMaxCapacity = 10'000'000, kMaxNames = 65'536;

struct Span {
  std::uint32_t track = 0, name = 0;
  std::uint64_t frame = 0;
  Nanoseconds begin{}, length{};
};

/// Microseconds with the nanoseconds behind the point; no floating point, which would lose them after some months of uptime.
std::string microseconds(Nanoseconds time) {
  const auto count = time.count();
  const std::uint64_t size = count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  return fmt::format("{}{}.{:03}", count < 0 ? "-" : "", size / 1000, size % 1000);
}

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump();
}

}  // namespace

struct TraceRecorder::State {
  Result<std::uint32_t> add(std::vector<std::string>& list, std::string_view text, bool is_unique) {
    if (!is_utf8(text)) return Status(StatusCode::kConfigError, "a name in a trace must be UTF-8");
    const std::scoped_lock lock(mutex);
    const auto found = is_unique ? std::ranges::find(list, text) : list.end();
    if (found != list.end()) return static_cast<std::uint32_t>(found - list.begin());
    if (list.size() >= kMaxNames)
      return make_error(StatusCode::kConfigError, "a trace has more than {} names", kMaxNames);
    list.emplace_back(text);
    return static_cast<std::uint32_t>(list.size() - 1);
  }

  mutable std::mutex mutex;
  std::vector<std::string> tracks, names;
  std::vector<Span> spans;  // a ring, all of whose memory is there from the beginning
  std::uint64_t recorded = 0;
};

TraceRecorder::TraceRecorder(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TraceRecorder::TraceRecorder(TraceRecorder&&) noexcept = default;
TraceRecorder& TraceRecorder::operator=(TraceRecorder&&) noexcept = default;
TraceRecorder::~TraceRecorder() = default;

Result<TraceRecorder> TraceRecorder::create(std::size_t capacity) {
  if (capacity < 1 || capacity > kMaxCapacity)
    return make_error(StatusCode::kConfigError, "a trace keeps {} spans, and must keep 1 to {}", capacity,
                      kMaxCapacity);
  auto state = std::make_unique<State>();
  state->spans.resize(capacity);
  return TraceRecorder(std::move(state));
}

Result<std::uint32_t> TraceRecorder::add_track(std::string_view name) {
  return state_->add(state_->tracks, name, false);
}

Result<std::uint32_t> TraceRecorder::add_name(std::string_view name) {
  return state_->add(state_->names, name, true);
}

void TraceRecorder::record(std::uint32_t track, std::uint32_t name, std::uint64_t frame, Nanoseconds begin,
                           Nanoseconds end) noexcept {
  const std::scoped_lock lock(state_->mutex);
  if (track >= state_->tracks.size() || name >= state_->names.size()) return;
  // In unsigned arithmetic: the difference of any two times fits, a signed one might not.
  const auto length =
      end <= begin ? 0 : static_cast<std::uint64_t>(end.count()) - static_cast<std::uint64_t>(begin.count());
  const auto bounded = std::min<std::uint64_t>(length, INT64_MAX);
  state_->spans[state_->recorded++ % state_->spans.size()] = {track, name, frame, begin,
                                                              Nanoseconds(static_cast<Nanoseconds::rep>(bounded))};
}

std::uint64_t TraceRecorder::overwritten() const noexcept {
  const std::scoped_lock lock(state_->mutex);
  return state_->recorded - std::min<std::uint64_t>(state_->recorded, state_->spans.size());
}

std::string TraceRecorder::to_json() const {
  const std::scoped_lock lock(state_->mutex);
  std::string out = R"({"displayTimeUnit":"ms","traceEvents":[)";
  auto at = std::back_inserter(out);
  std::string_view separator;
  for (std::size_t i = 0; i < state_->tracks.size(); ++i) {
    fmt::format_to(at, R"({}{{"name":"thread_name","ph":"M","pid":1,"tid":{},"args":{{"name":{}}}}})", separator, i,
                   json_text(state_->tracks[i]));
    separator = ",\n";
  }
  std::vector<std::string> names;
  std::ranges::transform(state_->names, std::back_inserter(names), json_text);
  const std::uint64_t kept = std::min<std::uint64_t>(state_->recorded, state_->spans.size());
  for (std::uint64_t i = state_->recorded - kept; i < state_->recorded; ++i) {
    const Span& span = state_->spans[i % state_->spans.size()];
    fmt::format_to(at, R"({}{{"name":{},"ph":"X","pid":1,"tid":{},"ts":{},"dur":{},"args":{{"frame":{}}}}})", separator,
                   names[span.name], span.track, microseconds(span.begin), microseconds(span.length), span.frame);
    separator = ",\n";
  }
  return out + "]}\n";
}

}  // namespace tern
