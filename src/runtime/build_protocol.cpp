// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/build_protocol.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace tern::build {
namespace {

constexpr std::uint32_t kMagic = 0x4E525442;  // "BTRN"

class Writer {
 public:
  template <typename T>
    requires std::is_arithmetic_v<T>
  void put(T number) {
    const auto raw = std::as_bytes(std::span(&number, 1));
    out.insert(out.end(), raw.begin(), raw.end());
  }
  template <typename E>
    requires std::is_enum_v<E>
  void put(E value) {
    put(static_cast<std::underlying_type_t<E>>(value));
  }
  void put(std::string_view text) {
    put(static_cast<std::uint64_t>(text.size()));
    const auto raw = std::as_bytes(std::span(text));
    out.insert(out.end(), raw.begin(), raw.end());
  }

  std::vector<std::byte> out;
};

/// Reads what Writer wrote. After the first thing that does not fit, everything is zero and ok() is false.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <typename T>
  T number() {
    T value{};
    if (!ok_ || rest_.size() < sizeof(T)) {
      ok_ = false;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  /// A value of 0 to `last`.
  template <typename E>
  E choice(E last) {
    const auto value = number<std::underlying_type_t<E>>();
    ok_ = ok_ && value <= static_cast<std::underlying_type_t<E>>(last);
    return ok_ ? static_cast<E>(value) : E{};
  }
  std::string text() {
    const auto size = number<std::uint64_t>();
    if (!ok_ || size > rest_.size()) {
      ok_ = false;
      return {};
    }
    std::string value(reinterpret_cast<const char*>(rest_.data()), size);
    rest_ = rest_.subspan(size);
    return value;
  }
  void refuse() noexcept { ok_ = false; }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool ok_ = true;
};

void put(Writer& out, const Request& request) {
  out.put(request.tern_version);
  out.put(request.parent);
  out.put(request.backend);
  for (const std::string* part :
       {&request.model.path, &request.model.label, &request.model.stem, &request.model.content_hash})
    out.put(*part);
  out.put(request.model_bytes);
  out.put(request.config);
  out.put(request.log_level);
  out.put(request.memory_limit);
}

Request read_request(Reader& in) {
  Request request;
  request.tern_version = in.text();
  request.parent = in.number<std::int64_t>();
  request.backend = in.text();
  for (std::string* part :
       {&request.model.path, &request.model.label, &request.model.stem, &request.model.content_hash})
    *part = in.text();
  request.model_bytes = in.number<std::uint64_t>();
  request.config = in.text();
  request.log_level = in.choice(LogLevel::kDebug);
  request.memory_limit = in.number<std::uint64_t>();
  return request;
}

void put(Writer& out, const ProgressReport& progress) {
  out.put(progress.phase);
  out.put(progress.fraction);
}

ProgressReport read_progress(Reader& in) {
  ProgressReport progress;
  progress.phase = in.text();
  progress.fraction = in.number<double>();
  return progress;
}

void put(Writer& out, const Status& status) {
  out.put(status.code());
  for (const std::string* part : {&status.message(), &status.where(), &status.hint(), &status.cause()})
    out.put(*part);
}

Status read_failure(Reader& in) {
  const auto code = in.choice(StatusCode::kInternalError);
  const std::string message = in.text(), where = in.text(), hint = in.text(), cause = in.text();
  if (!in.ok() || code == StatusCode::kOk) {
    in.refuse();
    return {};
  }
  Status status(code, message);
  if (!where.empty()) status = status.at(where);
  if (!hint.empty()) status = status.with_hint(hint);
  return cause.empty() ? status : status.with_cause(cause);
}

void put(Writer& out, const std::vector<TensorSpec>& specs) {
  out.put(static_cast<std::uint64_t>(specs.size()));
  for (const TensorSpec& spec : specs) {
    out.put(spec.name);
    out.put(spec.dtype);
    out.put(static_cast<std::uint64_t>(spec.shape.rank()));
    for (const std::int64_t d : spec.shape.dims())
      out.put(d);
  }
}

std::vector<TensorSpec> read_specs(Reader& in) {
  std::vector<TensorSpec> specs;
  const auto count = in.number<std::uint64_t>();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    TensorSpec spec;
    spec.name = in.text();
    spec.dtype = in.choice(DType::kBool);
    const auto rank = in.number<std::uint64_t>();
    if (rank > Shape::kMaxRank) in.refuse();
    std::vector<std::int64_t> dims;
    for (std::uint64_t d = 0; d < rank && in.ok(); ++d)
      dims.push_back(in.number<std::int64_t>());
    const auto shape = Shape::from(dims);
    if (!shape.ok()) {
      in.refuse();
    } else {
      spec.shape = *shape;
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

void put(Writer& out, const EngineReport& report) {
  const EngineBlob& blob = report.blob;
  for (const std::string* part : {&blob.backend, &blob.backend_version, &blob.engine_id})
    out.put(*part);
  out.put(blob.precision);
  put(out, blob.inputs);
  put(out, blob.outputs);
  out.put(static_cast<std::uint64_t>(blob.layers.size()));
  for (const auto& [precision, count] : blob.layers) {
    out.put(precision);
    out.put(count);
  }
  out.put(blob.context_bytes);
  out.put(static_cast<std::uint64_t>(blob.notes.size()));
  for (const std::string& note : blob.notes)
    out.put(note);
  out.put(report.bytes);
}

EngineReport read_engine(Reader& in) {
  EngineReport report;
  EngineBlob& blob = report.blob;
  for (std::string* part : {&blob.backend, &blob.backend_version, &blob.engine_id})
    *part = in.text();
  blob.precision = in.choice(Precision::kMixed);
  blob.inputs = read_specs(in);
  blob.outputs = read_specs(in);
  const auto layers = in.number<std::uint64_t>();
  for (std::uint64_t i = 0; i < layers && in.ok(); ++i) {
    std::string precision = in.text();
    blob.layers[std::move(precision)] = in.number<int>();
  }
  blob.context_bytes = in.number<std::uint64_t>();
  const auto notes = in.number<std::uint64_t>();
  for (std::uint64_t i = 0; i < notes && in.ok(); ++i)
    blob.notes.push_back(in.text());
  report.bytes = in.number<std::uint64_t>();
  return report;
}

Status damaged(std::string_view what) {
  return make_error(StatusCode::kEngineBuildError, "the build process sent {}", what);
}

Result<std::optional<Message>> read_payload(FrameType type, std::span<const std::byte> payload) {
  Reader in(payload);
  Message message;
  switch (type) {
    case FrameType::kRequest:
      message = read_request(in);
      break;
    case FrameType::kProgress:
      message = read_progress(in);
      break;
    case FrameType::kFailure:
      message = read_failure(in);
      break;
    case FrameType::kEngine:
      message = read_engine(in);
      break;
  }
  if (!in.at_end()) return damaged("a damaged message");
  return std::optional<Message>(std::move(message));
}

}  // namespace

Result<std::vector<std::byte>> encode(const Message& message) {
  Writer payload;
  std::visit([&](const auto& m) { put(payload, m); }, message);
  if (payload.out.size() > kMaxPayloadBytes) {
    return make_error(StatusCode::kInternalError, "a message of {} bytes is too long for the build process",
                      payload.out.size());
  }
  Writer frame;
  frame.put(kMagic);
  frame.put(kProtocolVersion);
  frame.put(static_cast<std::uint16_t>(message.index() + 1));
  frame.put(static_cast<std::uint32_t>(payload.out.size()));
  frame.out.insert(frame.out.end(), payload.out.begin(), payload.out.end());
  return std::move(frame.out);
}

void FrameReader::feed(std::span<const std::byte> bytes) {
  if (start_ > 0) {  // what was read is dropped here, so that the buffer holds one frame and what came with it
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_));
    start_ = 0;
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

Result<std::optional<Message>> FrameReader::next() {
  const std::span<const std::byte> rest = std::span(buffer_).subspan(start_);
  if (rest.size() < kFrameHeaderBytes) return std::optional<Message>();
  Reader header(rest.first(kFrameHeaderBytes));
  const auto magic = header.number<std::uint32_t>();
  const auto version = header.number<std::uint16_t>();
  const auto type = header.number<std::uint16_t>();
  const auto length = header.number<std::uint32_t>();
  if (magic != kMagic) return damaged("what is no message");
  if (version != kProtocolVersion) {
    return make_error(StatusCode::kEngineBuildError, "the build process speaks protocol {}; this tern speaks {}",
                      version, kProtocolVersion)
        .with_hint("install libtern and tern-build-worker together");
  }
  if (type < static_cast<std::uint16_t>(FrameType::kRequest) || type > static_cast<std::uint16_t>(FrameType::kEngine))
    return damaged("a message of unknown type");
  if (length > kMaxPayloadBytes) return damaged("a message that is too long");
  if (rest.size() < kFrameHeaderBytes + length) return std::optional<Message>();
  start_ += kFrameHeaderBytes + length;
  return read_payload(static_cast<FrameType>(type), rest.subspan(kFrameHeaderBytes, length));
}

}  // namespace tern::build
