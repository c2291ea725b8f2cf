// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "draw.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

namespace tern {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
constexpr double kCapHeight = 21;  // pixels of a capital letter at font scale 1
const cv::Scalar kBlack(0, 0, 0);
const cv::Scalar kWhite(255, 255, 255);

// Line widths and letter sizes that suit a picture.
struct Style {
  explicit Style(const cv::Mat& picture) {
    const double side = std::sqrt(static_cast<double>(picture.cols) * picture.rows);
    letter = std::clamp(0.009 * side + 4, 8.0, 64.0);
    line = std::max(1, static_cast<int>(std::lround(letter / 6)));
    font_scale = letter / kCapHeight;
    font_line = std::max(1, static_cast<int>(std::lround(letter / 11)));
    margin = std::max(2, static_cast<int>(std::lround(letter / 2.5)));
  }
  [[nodiscard]] cv::Size text_size(const std::string& text) const {
    int below = 0;
    const cv::Size size = cv::getTextSize(text, kFont, font_scale, font_line, &below);
    return {size.width, static_cast<int>(std::lround(letter))};
  }
  [[nodiscard]] cv::Size label_size(const std::string& text) const {
    const cv::Size size = text_size(text);
    return {size.width + 2 * margin, size.height + 2 * margin};
  }
  double letter;      // height of a capital, pixels
  double font_scale;  // for cv::putText
  int line, font_line, margin;
};

cv::Scalar ink_on(const cv::Scalar& paper) {
  return 0.114 * paper[0] + 0.587 * paper[1] + 0.299 * paper[2] > 130 ? kBlack : kWhite;
}

std::string name_of(int class_id, std::span<const std::string> names) {
  const auto i = static_cast<std::size_t>(class_id);
  return class_id >= 0 && i < names.size() ? names[i] : fmt::format("class{}", class_id);
}

void put_text(cv::Mat& bgr, const std::string& text, cv::Point baseline, const cv::Scalar& color, const Style& style) {
  cv::putText(bgr, text, baseline, kFont, style.font_scale, color, style.font_line, cv::LINE_AA);
}

// Text on a filled box with its top left corner at `corner`.
void put_label(cv::Mat& bgr, const std::string& text, cv::Point corner, const cv::Scalar& paper, const Style& style) {
  const cv::Size size = style.label_size(text);
  cv::rectangle(bgr, {corner, size}, paper, cv::FILLED);
  put_text(bgr, text, {corner.x + style.margin, corner.y + size.height - style.margin}, ink_on(paper), style);
}

// Places for a label, the best first: above the box, below it, inside it; pushed back into the picture.
std::array<cv::Rect, 3> label_places(const cv::Rect& box, const cv::Size& label, const cv::Mat& picture) {
  const int x = std::clamp(box.x, 0, std::max(0, picture.cols - label.width));
  const auto at = [&](int y) {
    return cv::Rect({x, std::clamp(y, 0, std::max(0, picture.rows - label.height))}, label);
  };
  return {at(box.y - label.height), at(box.br().y), at(box.y)};
}

// The first place that no earlier label needs; none where all are taken: half a label says nothing.
std::optional<cv::Rect> free_place(const std::array<cv::Rect, 3>& places, const std::vector<cv::Rect>& taken) {
  for (const cv::Rect& place : places) {
    if (std::ranges::none_of(taken, [&](const cv::Rect& other) { return 8 * (place & other).area() > place.area(); })) {
      return place;
    }
  }
  return std::nullopt;
}

cv::Rect pixel_rect(const DrawnBox& box, const cv::Mat& picture) {
  const auto pixel = [](float position, int side) {
    return std::clamp(static_cast<int>(std::lround(std::clamp(position, 0.0F, static_cast<float>(side)))), 0, side - 1);
  };
  const cv::Point from(pixel(box.x1, picture.cols), pixel(box.y1, picture.rows));
  const cv::Point to(pixel(box.x2, picture.cols), pixel(box.y2, picture.rows));
  return {from.x, from.y, std::max(1, to.x - from.x + 1), std::max(1, to.y - from.y + 1)};
}

// A darkened part of the picture, so that white text can be read on it.
void darken(cv::Mat& bgr, const cv::Rect& area) {
  cv::Mat part = bgr(area & cv::Rect({0, 0}, bgr.size()));
  part.convertTo(part, -1, 0.3);
}

struct LegendRow {
  std::string text;
  cv::Scalar color;
};

void draw_legend(cv::Mat& bgr, const std::vector<LegendRow>& rows, const Style& style) {
  const int row_height = static_cast<int>(std::lround(style.letter)) + style.margin;
  const int swatch = static_cast<int>(std::lround(style.letter));
  int width = 0;
  for (const LegendRow& row : rows)
    width = std::max(width, style.text_size(row.text).width);
  const cv::Rect panel(style.margin, style.margin, width + swatch + 3 * style.margin,
                       static_cast<int>(rows.size()) * row_height + style.margin);
  if (rows.empty() || panel.br().x > bgr.cols || 2 * panel.br().y > bgr.rows) return;
  darken(bgr, panel);
  int y = panel.y + style.margin;
  for (const LegendRow& row : rows) {
    cv::rectangle(bgr, cv::Rect(panel.x + style.margin, y, swatch, swatch), row.color, cv::FILLED);
    put_text(bgr, row.text, {panel.x + 2 * style.margin + swatch, y + swatch}, kWhite, style);
    y += row_height;
  }
}

}  // namespace

cv::Scalar class_color(int class_id) {
  constexpr std::array<std::array<int, 3>, 10> kPalette{{{77, 77, 255},
                                                         {255, 165, 61},
                                                         {51, 194, 255},
                                                         {132, 220, 61},
                                                         {255, 125, 199},
                                                         {61, 138, 255},
                                                         {209, 209, 0},
                                                         {179, 102, 255},
                                                         {61, 227, 182},
                                                         {255, 140, 122}}};
  const int id = std::max(class_id, 0);
  if (id < static_cast<int>(kPalette.size())) {
    const auto& [b, g, r] = kPalette[static_cast<std::size_t>(id)];
    return {static_cast<double>(b), static_cast<double>(g), static_cast<double>(r)};
  }
  // Golden-angle steps around the hue circle never meet an earlier hue closely.
  const double hue = std::fmod(id * 137.50776, 360.0) / 60;
  const double high = id % 3 == 0 ? 255 : 215;
  const double low = id % 2 == 0 ? 60 : 110;
  const auto channel = [&](double shift) {
    const double k = std::fmod(hue + shift, 6.0);
    return high - (high - low) * std::clamp(std::min(k, 4 - k), 0.0, 1.0);
  };
  return {channel(1), channel(3), channel(5)};
}

void draw_boxes(cv::Mat& bgr, std::span<const DrawnBox> boxes) {
  const Style style(bgr);
  for (auto it = boxes.rbegin(); it != boxes.rend(); ++it) {
    cv::rectangle(bgr, pixel_rect(*it, bgr), it->color, style.line);
  }
  std::vector<cv::Rect> taken;
  for (const DrawnBox& box : boxes) {
    const cv::Size size = style.label_size(box.text);
    if (5 * size.width > 2 * bgr.cols || 5 * size.height > bgr.rows) continue;
    const std::optional<cv::Rect> place = free_place(label_places(pixel_rect(box, bgr), size, bgr), taken);
    if (!place) continue;
    put_label(bgr, box.text, place->tl(), box.color, style);
    taken.push_back(*place);
  }
}

void draw_notes(cv::Mat& bgr, std::span<const DrawnNote> notes) {
  const Style style(bgr);
  int y = bgr.rows;
  for (auto it = notes.rbegin(); it != notes.rend(); ++it) {
    const cv::Size size = style.label_size(it->text);
    y -= size.height;
    if (size.width <= bgr.cols && y >= 0) put_label(bgr, it->text, {0, y}, it->color, style);
  }
}

void draw_detections(cv::Mat& bgr, std::span<const Detection> detections, std::span<const std::string> names) {
  std::vector<DrawnBox> boxes;
  for (const Detection& d : detections) {
    boxes.push_back({d.x1, d.y1, d.x2, d.y2, fmt::format("{} {:.2f}", name_of(d.class_id, names), d.score),
                     class_color(d.class_id)});
  }
  draw_boxes(bgr, boxes);
}

void draw_segmentation(cv::Mat& bgr, const Segmentation& segmentation, std::span<const std::string> names) {
  std::array<std::array<int, 3>, 256> colors{};
  for (std::size_t i = 0; i < colors.size(); ++i) {
    const cv::Scalar color = class_color(static_cast<int>(i));
    colors[i] = {static_cast<int>(color[0]), static_cast<int>(color[1]), static_cast<int>(color[2])};
  }
  std::array<std::int64_t, 256> counts{};
  const auto width = static_cast<std::size_t>(segmentation.width);
  for (int y = 0; y < bgr.rows; ++y) {
    const std::uint8_t* row = segmentation.classes.data() + static_cast<std::size_t>(y) * width;
    const std::uint8_t* below = y + 1 < bgr.rows ? row + width : row;
    auto* pixels = bgr.ptr<cv::Vec3b>(y);
    for (std::size_t x = 0; x < width; ++x) {
      const std::uint8_t id = row[x];
      ++counts[id];
      if (id == Segmentation::kBackground) continue;
      // Half and half; the border between classes in the full colour.
      const bool border = (x + 1 < width && row[x + 1] != id) || below[x] != id;
      cv::Vec3b& pixel = pixels[x];
      for (int c = 0; c < 3; ++c) {
        const int color = colors[id][static_cast<std::size_t>(c)];
        pixel[c] = static_cast<std::uint8_t>(border ? color : (pixel[c] + color) / 2);
      }
    }
  }
  std::vector<LegendRow> rows;
  const double total = static_cast<double>(segmentation.classes.size());
  for (std::size_t i = 0; i < names.size() && i < Segmentation::kBackground; ++i) {
    if (counts[i] == 0) continue;
    rows.push_back({fmt::format("{} {:.1f}%", names[i], 100 * static_cast<double>(counts[i]) / total),
                    class_color(static_cast<int>(i))});
  }
  draw_legend(bgr, rows, Style(bgr));
}

void draw_classification(cv::Mat& bgr, const Classification& classification, std::span<const std::string> names,
                         const cv::Mat* region) {
  const Style style(bgr);
  const cv::Scalar color = class_color(classification.class_id);
  if (region != nullptr) {
    std::vector<std::vector<cv::Point>> outlines;
    cv::findContours(*region, outlines, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
    cv::drawContours(bgr, outlines, -1, kBlack, style.line + 2, cv::LINE_AA);
    cv::drawContours(bgr, outlines, -1, color, style.line, cv::LINE_AA);
  }
  const auto id = static_cast<std::size_t>(classification.class_id);
  const double probability = id < classification.probabilities.size() ? classification.probabilities[id] : 0;
  const std::string text = fmt::format("{} {:.1f}%", name_of(classification.class_id, names), 100 * probability);
  const cv::Size size = style.label_size(text);
  if (size.width > bgr.cols || size.height > bgr.rows) return;
  put_label(bgr, text, {0, 0}, color, style);
}

}  // namespace tern
