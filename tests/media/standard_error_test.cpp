// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "standard_error.h"

#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "console.h"
#include "media/image_file.h"
#include "unit/app/temporary_folder.h"

namespace tern {
namespace {

// Where image files are a source of a pipeline, some thread is in an image library most of the time.
TEST(StandardError, LinesAndImagesKeepOutOfEachOthersWay) {
  constexpr int kLines = 300;
  const TemporaryFolder folder;
  ASSERT_TRUE(write_image(folder / "x.jpg", cv::Mat(64, 64, CV_8UC3, cv::Scalar::all(90))).ok());
  const int saved = ::dup(STDERR_FILENO);
  const int file = ::open((folder / "stderr").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ::dup2(file, STDERR_FILENO);
  ::close(file);
  std::atomic<int> images = 0;
  std::vector<std::string> warnings;
  {
    const std::jthread reader([&](const std::stop_token& stop) {
      for (; !stop.stop_requested(); ++images)
        static_cast<void>(read_image(folder / "x.jpg", &warnings));
    });
    const auto logger = patient_stderr_logger(LogLevel::kInfo);
    for (int i = 0; i < kLines; ++i) {
      logger->log(LogLevel::kInfo, "test", "a line");
      Console().warn("a warning");
    }
    while (images < 3)
      std::this_thread::yield();
  }
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  int lines = 0, told = 0;
  std::ifstream written(folder / "stderr");
  for (std::string line; std::getline(written, line);) {
    lines += line.ends_with("test: a line") ? 1 : 0;
    told += line == "tern: warning: a warning" ? 1 : 0;
  }
  EXPECT_EQ(lines, kLines);
  EXPECT_EQ(told, kLines);
  EXPECT_THAT(warnings, testing::IsEmpty());
}

}  // namespace
}  // namespace tern
