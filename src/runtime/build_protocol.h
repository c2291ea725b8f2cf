// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/model_identity.h"
#include "tern/engine.h"
#include "tern/log.h"
#include "tern/status.h"

/// What a process that builds an engine and tern-build-worker say to each other. Both sides are of one machine and one tern, so
/// numbers are in the host's own order; but what arrives is bounded and checked all the same, since a backend that goes wrong may
/// write anywhere.
///
/// The worker finds, besides standard input (empty), output and error (the log):
///   descriptor 3  a pipe: frames of progress, and at last the engine's description or a failure
///   descriptor 4  a file: one frame with the request, then the model's bytes up to its end
///   descriptor 5  an empty file: takes the engine's bytes
namespace tern::build {

inline constexpr std::uint16_t kProtocolVersion = 2;
inline constexpr int kAnswerDescriptor = 3, kRequestDescriptor = 4, kEngineDescriptor = 5;

/// A frame is magic (4 bytes), protocol version (2), type (2), length of the payload (4), payload.
enum class FrameType : std::uint16_t { kRequest = 1, kProgress, kFailure, kEngine };
inline constexpr std::size_t kFrameHeaderBytes = 12;
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{16} << 20;

struct Request {
  std::string tern_version;  ///< of the sender
  std::int64_t parent = 0;   ///< its process id
  std::string backend;
  ModelIdentity model{};
  std::uint64_t model_bytes = 0;
  std::string config;  ///< BuildConfig::to_json()
  LogLevel log_level = LogLevel::kWarning;
  std::uint64_t memory_limit = 0;  ///< 0: none
};
struct ProgressReport {
  std::string phase;
  double fraction = 0;
};
/// Everything of an EngineBlob but its bytes, which lie in the engine file.
struct EngineReport {
  EngineBlob blob{};
  std::uint64_t bytes = 0;
};
using Message = std::variant<Request, ProgressReport, Status, EngineReport>;

/// A whole frame. InternalError when it passes kMaxPayloadBytes.
[[nodiscard]] Result<std::vector<std::byte>> encode(const Message& message);

/// Takes frames out of bytes as they come in. After a failure there is nothing more to be had.
class FrameReader {
 public:
  void feed(std::span<const std::byte> bytes);
  /// The next message, none while it is not whole. EngineBuildError on what is no message of this protocol.
  [[nodiscard]] Result<std::optional<Message>> next();
  /// Bytes fed that belong to no message yet.
  [[nodiscard]] std::size_t pending() const noexcept { return buffer_.size() - start_; }

 private:
  std::vector<std::byte> buffer_;
  std::size_t start_ = 0;
};

}  // namespace tern::build
