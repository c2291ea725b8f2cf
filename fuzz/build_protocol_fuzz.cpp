// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// What a build process says, whole and byte by byte: both ways give the same messages, and a message that was read can be
// written and read again.
#include <cstdlib>
#include <vector>

#include "runtime/build_protocol.h"

namespace {

using Bytes = std::vector<std::byte>;

/// The frames that come out, encoded again, and whether the stream ended with a refusal.
std::vector<Bytes> read_all(std::span<const std::byte> stream, std::size_t step, bool& refused) {
  tern::build::FrameReader reader;
  std::vector<Bytes> frames;
  refused = false;
  for (std::size_t at = 0; at < stream.size() && !refused;) {
    const std::size_t length = std::min(step, stream.size() - at);
    reader.feed(stream.subspan(at, length));
    at += length;
    for (;;) {
      const auto message = reader.next();
      refused = !message.ok();
      if (refused || !message->has_value()) break;
      frames.push_back(tern::build::encode(**message).value());
    }
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto stream = std::as_bytes(std::span(data, size));
  bool refused = false, refused_bytewise = false;
  const auto frames = read_all(stream, size, refused);
  const auto bytewise = read_all(stream, 1, refused_bytewise);
  if (frames != bytewise || refused != refused_bytewise) std::abort();
  Bytes again;
  for (const Bytes& frame : frames)
    again.insert(again.end(), frame.begin(), frame.end());
  if (read_all(again, again.size(), refused) != frames || refused) std::abort();
  return 0;
}
