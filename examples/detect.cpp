// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// detect MODEL.onnx IMAGE: prints the objects in an image. Any failure is a tern::Error that says what to do.
#include <cstdio>

#include <opencv2/imgcodecs.hpp>

#include "tern/task.h"

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  tern::Detector detector = tern::Detector::open(argv[1]).value();
  const cv::Mat image = cv::imread(argv[2]);
  const auto view = tern::ImageView::packed(image.data, image.cols, image.rows, tern::PixelFormat::kBgr,
                                            static_cast<std::ptrdiff_t>(image.step));
  for (const tern::Detection& d : detector.detect(view).value()) {
    const auto label = static_cast<std::size_t>(d.class_id);
    std::printf("%s %.2f at %.0f,%.0f to %.0f,%.0f\n", detector.contract().output.names[label].c_str(), d.score, d.x1,
                d.y1, d.x2, d.y2);
  }
} catch (const tern::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return tern::error_class(error.status().code()).exit_code;
}
