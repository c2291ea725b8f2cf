// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// classify MODEL.onnx IMAGE REGION: says what the marked region of an image shows. REGION is a grey image, not 0 inside.
#include <cstdio>

#include <opencv2/imgcodecs.hpp>

#include "tern/task.h"

int main(int argc, char** argv) try {
  if (argc != 4) return 2;
  tern::Classifier classifier = tern::Classifier::open(argv[1]).value();
  const cv::Mat image = cv::imread(argv[2]), region = cv::imread(argv[3], cv::IMREAD_GRAYSCALE);
  const auto view = tern::ImageView::packed(image.data, image.cols, image.rows, tern::PixelFormat::kBgr,
                                            static_cast<std::ptrdiff_t>(image.step));
  const auto mask = tern::ImageView::packed(region.data, region.cols, region.rows, tern::PixelFormat::kGray,
                                            static_cast<std::ptrdiff_t>(region.step));
  const tern::Classification result = classifier.classify(view, &mask).value();
  const auto best = static_cast<std::size_t>(result.class_id);
  std::printf("%s %.3f\n", classifier.contract().output.names[best].c_str(), result.probabilities[best]);
} catch (const tern::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return tern::error_class(error.status().code()).exit_code;
}
