// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// segment MODEL.onnx IMAGE: prints how much of an image each class covers.
#include <algorithm>
#include <cstdio>

#include <opencv2/imgcodecs.hpp>

#include "tern/task.h"

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  tern::Segmenter segmenter = tern::Segmenter::open(argv[1]).value();
  const cv::Mat image = cv::imread(argv[2]);
  const auto view = tern::ImageView::packed(image.data, image.cols, image.rows, tern::PixelFormat::kBgr,
                                            static_cast<std::ptrdiff_t>(image.step));
  const tern::Segmentation mask = segmenter.segment(view).value();
  for (int c = 0; c < segmenter.contract().output.classes; ++c) {
    const auto pixels = std::count(mask.classes.begin(), mask.classes.end(), c);
    std::printf("%s %.1f%%\n", segmenter.contract().output.names[static_cast<std::size_t>(c)].c_str(),
                100.0 * static_cast<double>(pixels) / static_cast<double>(mask.classes.size()));
  }
} catch (const tern::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return tern::error_class(error.status().code()).exit_code;
}
