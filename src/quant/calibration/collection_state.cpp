// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/calibration/collection_state.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/sha256.h"
#include "model/json_object.h"
#include "model/strict_json.h"

// A line of JSON, then two ActivationStatistics as they write themselves: the finished groups', the current group's. Each is
// under a checksum of its own.
namespace tern {
namespace {

constexpr auto kRefused = StatusCode::kCalibrationCacheError;
constexpr std::size_t kMaxLineBytes = 4096;

Result<CollectionState> parse(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, kMaxLineBytes).find('\n');
  if (end == std::string_view::npos) return Status(kRefused, "does not begin with a line of JSON");
  TERN_ASSIGN_OR_RETURN(const auto document, parse_strict_json(bytes.substr(0, end), kRefused));
  JsonObject object(document, kRefused);
  CollectionState state;
  std::uint64_t finished_bytes = 0;
  object.require("identity", state.identity);
  if (object.ok() && !is_hex_digest(state.identity)) object.fail("identity", "must be 64 lower-case hex digits");
  object.require("group", state.group, std::uint64_t{0}, std::uint64_t{ActivationStatistics::kMaxTensors});
  object.require("second_pass", state.is_second_pass);
  object.require("frames_done", state.frames_done);
  object.require("finished_bytes", finished_bytes);
  TERN_RETURN_IF_ERROR(object.finish());
  bytes.remove_prefix(end + 1);
  if (finished_bytes > bytes.size()) return Status(kRefused, "ends within the statistics");
  TERN_ASSIGN_OR_RETURN(state.finished, ActivationStatistics::from_bytes(bytes.substr(0, finished_bytes), "finished"));
  TERN_ASSIGN_OR_RETURN(state.current, ActivationStatistics::from_bytes(bytes.substr(finished_bytes), "current"));
  if (state.current.frames != state.frames_done)
    return make_error(kRefused, "{} frames are done, but the statistics are of {}", state.frames_done,
                      state.current.frames);
  return state;
}

}  // namespace

Result<std::string> CollectionState::to_bytes() const {
  TERN_ASSIGN_OR_RETURN(const std::string first, finished.to_bytes());
  TERN_ASSIGN_OR_RETURN(const std::string second, current.to_bytes());
  const nlohmann::json line = {{"identity", identity},
                               {"group", group},
                               {"second_pass", is_second_pass},
                               {"frames_done", frames_done},
                               {"finished_bytes", first.size()}};
  return line.dump() + "\n" + first + second;
}

Result<CollectionState> CollectionState::from_bytes(std::string_view bytes, std::string_view where) {
  auto state = parse(bytes);
  if (!state.ok()) return state.status().at(where).with_hint("remove it, and the calibration begins anew");
  return state;
}

}  // namespace tern
