// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include <opencv2/core/mat.hpp>

#include "tern/results.h"

namespace tern {

// Results drawn over the picture they were found in. `bgr` is CV_8UC3 of any size; lines and letters grow with it, and a
// label that a small picture has no room for is left out. `names` has one word for each class; letters outside ASCII show
// as question marks (OpenCV's own font has no others).

/// The colour of a class (B, G, R): the same in every picture and every run.
[[nodiscard]] cv::Scalar class_color(int class_id);

struct DrawnBox {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;  ///< pixels of the picture
  std::string text{};
  cv::Scalar color{};
};
/// The first on top. Where boxes are crowded, the earlier ones keep their labels.
void draw_boxes(cv::Mat& bgr, std::span<const DrawnBox> boxes);

struct DrawnNote {
  std::string text{};
  cv::Scalar color{};
};
/// What is true of the whole picture: one above the other in its lower left corner, the first on top.
void draw_notes(cv::Mat& bgr, std::span<const DrawnNote> notes);

/// Boxes with label and score, the best on top.
void draw_detections(cv::Mat& bgr, std::span<const Detection> detections, std::span<const std::string> names);

/// Class colours laid over the picture, and a legend with the share of each class. REQUIRES: the segmentation has the
/// picture's size.
void draw_segmentation(cv::Mat& bgr, const Segmentation& segmentation, std::span<const std::string> names);

/// The class with its probability, and the outline of the region asked about (CV_8UC1 of the picture's size, not 0 =
/// inside; may be null).
void draw_classification(cv::Mat& bgr, const Classification& classification, std::span<const std::string> names,
                         const cv::Mat* region);

}  // namespace tern
