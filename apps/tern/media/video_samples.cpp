// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "media/video_samples.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/error.h"

namespace tern {
namespace {

constexpr int kGridWidth = 32, kGridHeight = 18;
constexpr std::size_t kMaxReadAhead = 16;

using Grid = std::array<std::uint8_t, static_cast<std::size_t>(kGridWidth) * kGridHeight>;

/// Brightness at points of a coarse grid; of packed colours the second channel, green or near it in brightness.
Grid grid_of(const ImageView& view) {
  const int step = view.format == PixelFormat::kBgr || view.format == PixelFormat::kRgb ? 3
                   : view.format == PixelFormat::kBgra                                  ? 4
                                                                                        : 1;
  Grid grid{};
  for (int y = 0; y < kGridHeight; ++y) {
    const std::uint8_t* row =
        view.planes[0].data + (2 * y + 1) * view.height / (2 * kGridHeight) * view.planes[0].stride;
    for (int x = 0; x < kGridWidth; ++x)
      grid[static_cast<std::size_t>(y * kGridWidth + x)] =
          row[static_cast<std::ptrdiff_t>((2 * x + 1) * view.width / (2 * kGridWidth)) * step + (step > 1 ? 1 : 0)];
  }
  return grid;
}

double difference(const Grid& a, const Grid& b) {
  int sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += std::abs(a[i] - b[i]);
  return static_cast<double>(sum) / static_cast<double>(a.size());
}

/// How much each frame differs from the one before; 1 for all when only their number counts.
Result<std::vector<double>> changes_in(const std::filesystem::path& path, Sampling sampling) {
  TERN_ASSIGN_OR_RETURN(VideoReader reader, VideoReader::open(path));
  std::vector<double> change;
  Frame frame;
  Grid last{};
  for (;;) {
    TERN_ASSIGN_OR_RETURN(const bool is_there, reader.next(frame));
    if (!is_there) break;
    if (sampling == Sampling::kEven) {
      change.push_back(1);
      continue;
    }
    const Grid grid = grid_of(frame.view);
    change.push_back(change.empty() ? 0 : difference(grid, last));
    last = grid;
  }
  return change;
}

}  // namespace

Result<Sampling> parse_sampling(std::string_view text) {
  if (text == "even") return Sampling::kEven;
  if (text == "scene") return Sampling::kScene;
  return make_error(StatusCode::kConfigError, "there is no sampling '{}'", text).with_hint("even or scene");
}

std::vector<std::int64_t> spread_by_change(std::span<const double> change, std::size_t count) {
  std::vector<std::int64_t> chosen;
  count = std::min(count, change.size());
  double total = 0;
  for (std::size_t i = 1; i < change.size(); ++i)
    total += change[i];
  double sum = 0;
  for (std::size_t i = 0; i < change.size() && chosen.size() < count; ++i) {
    if (i > 0) sum += change[i];
    const std::size_t left = change.size() - i, wanted = count - chosen.size();
    const double next = total * static_cast<double>(chosen.size()) / static_cast<double>(count);
    if (left == wanted || chosen.empty() || sum > next || (sum == next && total > 0))
      chosen.push_back(static_cast<std::int64_t>(i));
  }
  return chosen;
}

Result<VideoSamples> VideoSamples::choose(const std::filesystem::path& path, std::size_t count, Sampling sampling) {
  VideoSamples samples;
  samples.path_ = path;
  TERN_ASSIGN_OR_RETURN(const std::vector<double> change, changes_in(path, sampling));
  if (change.empty()) return Status(StatusCode::kInputError, "the video has no frames").at(path.string());
  samples.indices_ = spread_by_change(change, count);
  return samples;
}

Result<Frame> VideoSamples::read(std::size_t i) {
  const std::int64_t wanted = indices_[i];
  State& state = *state_;
  const std::scoped_lock lock(state.mutex);
  if (auto kept = state.read_ahead.extract(wanted)) return std::move(kept.mapped());
  if (!state.reader || state.next > wanted) {
    TERN_ASSIGN_OR_RETURN(state.reader, VideoReader::open(path_));
    state.next = 0;
  }
  Frame frame;
  for (;;) {
    TERN_ASSIGN_OR_RETURN(const bool is_there, state.reader->next(frame));
    if (!is_there)
      return make_error(StatusCode::kInputError, "the video has no frame {} any more", wanted).at(path_.string());
    const std::int64_t index = state.next++;
    if (index == wanted) return frame;
    if (std::ranges::binary_search(indices_, index) && state.read_ahead.size() < kMaxReadAhead)
      state.read_ahead.insert_or_assign(index, std::move(frame));
  }
}

}  // namespace tern
