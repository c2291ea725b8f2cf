// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/byte_size.h"
#include "base/error.h"
#include "model/text.h"
#include "runtime/safetensors.h"
#include "tern/golden.h"

namespace tern {
namespace {

constexpr std::string_view kFormat = "tern-golden-1";
constexpr std::array<std::string_view, 3> kSources{"user", "calibration", "noise"};
constexpr std::size_t kMaxLabelBytes = 64;  // of a backend's label
constexpr std::size_t kBoxColumns = 5;      // x1, y1, x2, y2, class
constexpr int kMaxClass = (1 << 24) - 1;    // whole numbers that an f32 holds exactly
constexpr float kMaxCoordinate = 1U << 20;

template <typename... Args>
Status malformed(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(StatusCode::kEngineGateError, format, std::forward<Args>(args)...);
}

/// A whole decimal number in 0..max without sign or leading zeros.
std::optional<int> parse_number(std::string_view text, int max) noexcept {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_plain = !text.empty() && text.front() != '-' && (text.size() == 1 || text.front() != '0');
  if (error != std::errc() || end != text.data() + text.size() || !is_plain || value > max) return {};
  return value;
}

Status check_boxes(const std::vector<Detection>& boxes) {
  for (const Detection& box : boxes) {
    const auto is_bad = [](float v) { return !(std::fabs(v) <= kMaxCoordinate); };
    if (is_bad(box.x1) || is_bad(box.y1) || is_bad(box.x2) || is_bad(box.y2) || box.x1 > box.x2 || box.y1 > box.y2)
      return malformed("the labelled box [{}, {}, {}, {}] is none", box.x1, box.y1, box.x2, box.y2);
    if (box.class_id < 0 || box.class_id > kMaxClass) return malformed("a box is labelled as class {}", box.class_id);
  }
  return {};
}

/// What holds for a frame however it came about.
Status check_frame(const GoldenFrame& frame) {
  if (frame.inputs.empty() || frame.outputs.empty())
    return malformed("it has no {}", frame.inputs.empty() ? "inputs" : "outputs");
  const bool has_image = frame.width > 0 && frame.height > 0;
  if (frame.width > ImageView::kMaxSide || frame.height > ImageView::kMaxSide ||
      (!has_image && (frame.width != 0 || frame.height != 0)))
    return malformed("its image has size {}x{}", frame.width, frame.height);
  if (!has_image && (frame.boxes || frame.mask)) return malformed("it has labels but no image size");
  if (frame.boxes) TERN_RETURN_IF_ERROR(check_boxes(*frame.boxes));
  const auto pixels = static_cast<std::uint64_t>(frame.width) * static_cast<std::uint64_t>(frame.height);
  if (frame.mask && frame.mask->size() != pixels)
    return malformed("its mask has {} pixels, its image {}x{}", frame.mask->size(), frame.width, frame.height);
  if (frame.class_id && (*frame.class_id < 0 || *frame.class_id > kMaxClass))
    return malformed("it is labelled as class {}", *frame.class_id);
  return {};
}

std::vector<std::string_view> names_of(const std::vector<GoldenTensor>& tensors) {
  std::vector<std::string_view> names;
  for (const GoldenTensor& tensor : tensors)
    names.emplace_back(tensor.name);
  std::ranges::sort(names);
  return names;
}

Status check_set(const GoldenSet& set) {
  if (std::ranges::find(kSources, set.source) == kSources.end())
    return malformed("the source {} is unknown", in_quotes(set.source)).with_hint("user, calibration or noise");
  if (set.reference.empty() || set.reference.size() > kMaxLabelBytes || !is_utf8(set.reference) ||
      has_control_character(set.reference))
    return malformed("the reference {} is no backend's label", in_quotes(set.reference));
  if (set.frames.empty() || set.frames.size() > GoldenSet::kMaxFrames)
    return malformed("{} frames; 1 to {} are allowed", set.frames.size(), GoldenSet::kMaxFrames);
  for (std::size_t i = 0; i < set.frames.size(); ++i) {
    const GoldenFrame &frame = set.frames[i], &first = set.frames.front();
    const Status status = check_frame(frame);
    if (!status.ok()) return status.at(fmt::format("frame {}", i));
    if (names_of(frame.inputs) != names_of(first.inputs) || names_of(frame.outputs) != names_of(first.outputs))
      return malformed("its tensors have other names than those of frame 0").at(fmt::format("frame {}", i));
  }
  return {};
}

StoredTensor stored(std::string name, const TensorView& view) {
  return {std::move(name), view.dtype(), view.shape(), {static_cast<const std::byte*>(view.data()), view.bytes()}};
}

/// "frame.I.KIND.NAME" taken apart.
struct TensorKey {
  int frame = 0;
  std::string_view kind;  ///< "input", "output", "boxes", "mask"
  std::string_view name;  ///< of an input or output
};

std::optional<TensorKey> parse_key(std::string_view key) noexcept {
  constexpr std::string_view kPrefix = "frame.";
  if (!key.starts_with(kPrefix)) return {};
  key.remove_prefix(kPrefix.size());
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos) return {};
  const std::optional<int> frame = parse_number(key.substr(0, dot), GoldenSet::kMaxFrames - 1);
  if (!frame) return {};
  key.remove_prefix(dot + 1);
  const std::size_t end = key.find('.');
  if (end == std::string_view::npos) return TensorKey{*frame, key, {}};
  if (end + 1 == key.size()) return {};  // a name that is empty
  return TensorKey{*frame, key.substr(0, end), key.substr(end + 1)};
}

Result<std::vector<Detection>> read_boxes(const StoredTensor& stored) {
  if (stored.dtype != DType::kF32 || stored.shape.rank() != 2 || stored.shape[1] != kBoxColumns)
    return malformed("boxes must be f32 of Nx5, not {} of {}", to_string(stored.dtype), stored.shape.to_string());
  TERN_ASSIGN_OR_RETURN(const Tensor tensor, stored.to_tensor());
  const std::span<const float> values = tensor.as<float>();
  std::vector<Detection> boxes;
  for (std::size_t at = 0; at < values.size(); at += kBoxColumns) {
    const float id = values[at + 4];
    if (!(id >= 0 && id <= kMaxClass) || id != std::floor(id)) return malformed("a box is labelled as class {}", id);
    boxes.push_back({values[at], values[at + 1], values[at + 2], values[at + 3], 0, static_cast<int>(id)});
  }
  return boxes;
}

Result<std::vector<std::uint8_t>> read_mask(const StoredTensor& stored, const GoldenFrame& frame) {
  if (stored.dtype != DType::kU8 || stored.shape != Shape{frame.height, frame.width}) {
    return malformed("the mask must be u8 of {}x{}, not {} of {}", frame.height, frame.width, to_string(stored.dtype),
                     stored.shape.to_string());
  }
  const auto* data = reinterpret_cast<const std::uint8_t*>(stored.data.data());
  return std::vector<std::uint8_t>(data, data + stored.data.size());
}

Status read_tensor(const StoredTensor& stored, GoldenSet& set) {
  const std::optional<TensorKey> key = parse_key(stored.name);
  if (!key || static_cast<std::size_t>(key->frame) >= set.frames.size()) return malformed("a tensor of no frame");
  GoldenFrame& frame = set.frames[static_cast<std::size_t>(key->frame)];
  const bool is_port = key->kind == "input" || key->kind == "output";
  if (is_port == key->name.empty()) return malformed("a tensor that is neither input, output, boxes nor mask");
  if (is_port) {
    TERN_ASSIGN_OR_RETURN(Tensor tensor, stored.to_tensor());
    (key->kind == "input" ? frame.inputs : frame.outputs).push_back({std::string(key->name), std::move(tensor)});
  } else if (key->kind == "boxes") {
    TERN_ASSIGN_OR_RETURN(frame.boxes, read_boxes(stored));
  } else if (key->kind == "mask") {
    TERN_ASSIGN_OR_RETURN(frame.mask, read_mask(stored, frame));
  } else {
    return malformed("a tensor that is neither input, output, boxes nor mask");
  }
  return {};
}

/// Takes keys out of the metadata; what is left over is unknown.
class Metadata {
 public:
  explicit Metadata(std::map<std::string, std::string, std::less<>> values) : values_(std::move(values)) {}

  std::optional<std::string> take(std::string_view key) {
    const auto found = values_.find(key);
    if (found == values_.end()) return {};
    std::string value = std::move(found->second);
    values_.erase(found);
    return value;
  }
  [[nodiscard]] Status finish() const {
    if (values_.empty()) return {};
    return malformed("the metadata have an unknown key {}", in_quotes(values_.begin()->first));
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

Status read_size(std::string_view text, GoldenFrame& frame) {
  const std::size_t cross = std::min(text.find('x'), text.size());
  const auto width = parse_number(text.substr(0, cross), ImageView::kMaxSide);
  const auto height = cross == text.size() ? std::nullopt : parse_number(text.substr(cross + 1), ImageView::kMaxSide);
  if (!width || !height) return malformed("the size {} is no WIDTHxHEIGHT", in_quotes(text));
  frame.width = *width;
  frame.height = *height;
  return {};
}

Status read_metadata(Metadata metadata, GoldenSet& set) {
  if (metadata.take("format") != kFormat) return malformed("the metadata do not say format {}", kFormat);
  set.source = metadata.take("source").value_or("");
  set.reference = metadata.take("reference").value_or("");
  const std::string independent = metadata.take("independent").value_or("");
  if (independent != "true" && independent != "false") return malformed("'independent' is neither true nor false");
  set.independent = independent == "true";
  const auto count = parse_number(metadata.take("frames").value_or(""), GoldenSet::kMaxFrames);
  if (!count) return malformed("'frames' is no number of 1 to {}", GoldenSet::kMaxFrames);
  set.frames.resize(static_cast<std::size_t>(*count));
  for (std::size_t i = 0; i < set.frames.size(); ++i) {
    const auto size = metadata.take(fmt::format("frame.{}.size", i));
    if (!size) return malformed("the metadata lack the size of frame {}", i);
    TERN_RETURN_IF_ERROR(read_size(*size, set.frames[i]));
    if (const auto id = metadata.take(fmt::format("frame.{}.class", i))) {
      set.frames[i].class_id = parse_number(*id, kMaxClass);
      if (!set.frames[i].class_id) return malformed("frame {} is labelled as class {}", i, in_quotes(*id));
    }
  }
  return metadata.finish();
}

Result<GoldenSet> read_set(std::string_view bytes) {
  if (bytes.size() > GoldenSet::kMaxBytes) {
    return malformed("{} of golden frames; at most {} are allowed", format_byte_size(bytes.size()),
                     format_byte_size(GoldenSet::kMaxBytes));
  }
  TERN_ASSIGN_OR_RETURN(SafeTensors file, SafeTensors::parse(bytes));
  GoldenSet set;
  TERN_RETURN_IF_ERROR(read_metadata(Metadata(std::move(file.metadata)), set));
  for (const StoredTensor& tensor : file.tensors) {
    const Status status = read_tensor(tensor, set);
    if (!status.ok()) return status.at(in_quotes(tensor.name));
  }
  TERN_RETURN_IF_ERROR(check_set(set));
  return set;
}

}  // namespace

Result<std::string> GoldenSet::to_bytes() const {
  const Status status = check_set(*this);
  if (!status.ok()) return Status(StatusCode::kInputError, status.message()).at(status.where());
  SafeTensors file;
  file.metadata = {{"format", std::string(kFormat)},
                   {"source", source},
                   {"reference", reference},
                   {"independent", independent ? "true" : "false"},
                   {"frames", std::to_string(frames.size())}};
  std::vector<std::vector<float>> boxes(frames.size());  // live until the file is written
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const GoldenFrame& frame = frames[i];
    const std::string prefix = fmt::format("frame.{}.", i);
    for (const GoldenTensor& t : frame.inputs)
      file.tensors.push_back(stored(prefix + "input." + t.name, t.tensor.view()));
    for (const GoldenTensor& t : frame.outputs)
      file.tensors.push_back(stored(prefix + "output." + t.name, t.tensor.view()));
    if (frame.boxes) {
      for (const Detection& d : *frame.boxes)
        boxes[i].insert(boxes[i].end(), {d.x1, d.y1, d.x2, d.y2, static_cast<float>(d.class_id)});
      file.tensors.push_back({prefix + "boxes", DType::kF32,
                              Shape{static_cast<std::int64_t>(frame.boxes->size()), kBoxColumns},
                              std::as_bytes(std::span(boxes[i]))});
    }
    if (frame.mask)
      file.tensors.push_back(
          {prefix + "mask", DType::kU8, Shape{frame.height, frame.width}, std::as_bytes(std::span(*frame.mask))});
    file.metadata[prefix + "size"] = fmt::format("{}x{}", frame.width, frame.height);
    if (frame.class_id) file.metadata[prefix + "class"] = std::to_string(*frame.class_id);
  }
  for (const StoredTensor& tensor : file.tensors)
    bytes += tensor.data.size();
  if (bytes + SafeTensors::kMaxHeaderBytes > kMaxBytes) {
    return make_error(StatusCode::kInputError, "the golden frames take {}; at most {} are allowed",
                      format_byte_size(bytes), format_byte_size(kMaxBytes))
        .with_hint("give fewer frames");
  }
  return file.to_bytes();
}

Result<GoldenSet> GoldenSet::from_bytes(std::string_view bytes, std::string_view where) {
  Result<GoldenSet> set = read_set(bytes);
  if (set.ok()) return set;
  // Checks of lower layers have their own class; to whoever asked, the file is what is wrong.
  const Status& status = set.status();
  if (status.code() == StatusCode::kEngineGateError || status.code() == StatusCode::kOutOfMemoryError)
    return status.at(where);
  return malformed("{}", status.message()).at(status.where()).at(where);
}

}  // namespace tern
