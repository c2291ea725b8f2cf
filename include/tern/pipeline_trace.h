// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tern/export.h"
#include "tern/pipeline_latency.h"
#include "tern/status.h"

namespace tern {

/// The last spans of work of a pipeline: which stage worked on which frame, when, for how long. Written as Chrome's trace event JSON,
/// which Perfetto (https://ui.perfetto.dev) opens. Thread-safe; record() allocates nothing.
class TERN_API TraceRecorder {
 public:
  /// Keeps the last `capacity` spans (1..10 million; 40 bytes each). ConfigError outside.
  [[nodiscard]] static Result<TraceRecorder> create(std::size_t capacity);
  TraceRecorder(TraceRecorder&&) noexcept;
  TraceRecorder& operator=(TraceRecorder&&) noexcept;
  ~TraceRecorder();

  /// A row of the picture (a thread, a stream, a device). ConfigError: no UTF-8, or more than 65536.
  [[nodiscard]] Result<std::uint32_t> add_track(std::string_view name);
  /// What spans are called ("preprocess"). ConfigError as above. The same name gives the same number.
  [[nodiscard]] Result<std::uint32_t> add_name(std::string_view name);

  /// `track` and `name` come from this recorder; others are ignored. A span that ends before it begins counts as of no length.
  void record(std::uint32_t track, std::uint32_t name, std::uint64_t frame, Nanoseconds begin,
              Nanoseconds end) noexcept;
  /// Spans that were overwritten since the beginning.
  [[nodiscard]] std::uint64_t overwritten() const noexcept;

  /// {"displayTimeUnit": "ms", "traceEvents": [...]}: the tracks' names, then the spans, the oldest recorded first. Times are
  /// microseconds.
  [[nodiscard]] std::string to_json() const;

 private:
  struct State;
  explicit TraceRecorder(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace tern
