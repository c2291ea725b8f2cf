// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "live/pattern.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace tern {
namespace {

constexpr std::uint64_t kSeed = 20251125;
constexpr double kLaneMetres = 3.5;
constexpr double kVehicleGapMetres = 26;  // from one to the next on a lane, on average

int even(double pixels) {
  return std::max(2, 2 * static_cast<int>(std::lround(pixels / 2)));
}

cv::Mat to_i420(const cv::Mat& bgr) {
  cv::Mat i420;
  cv::cvtColor(bgr, i420, cv::COLOR_BGR2YUV_I420);
  return i420;
}

// Rows and columns of chroma are half of luma's; U's plane lies behind Y's, and V's behind U's, each without padding.
struct Planes {
  Planes(std::uint8_t* pixels, int width, int height)
      : start{pixels, pixels + std::ptrdiff_t{width} * height, pixels + std::ptrdiff_t{width} * height / 4 * 5},
        stride{width, width / 2, width / 2} {}
  std::array<std::uint8_t*, 3> start;
  std::array<std::ptrdiff_t, 3> stride;
};

cv::Scalar grey(double value) {
  return cv::Scalar::all(value);
}

void fill(cv::Mat& bgr, double x, double y, double width, double height, const cv::Scalar& color) {
  constexpr int kFraction = 4;
  const auto at = [](double value) { return static_cast<int>(std::lround(value * (1 << kFraction))); };
  cv::rectangle(bgr, cv::Point(at(x), at(y)),
                cv::Point(at(x + width) - (1 << kFraction), at(y + height) - (1 << kFraction)), color, cv::FILLED,
                cv::LINE_AA, kFraction);
}

// Seen from above, heading to the right, or to the left; with its shadow, on the road.
cv::Mat draw_vehicle(cv::RNG& random, double metre, bool is_truck, bool goes_left, double road) {
  const double length = metre * (is_truck ? random.uniform(9.0, 13.0) : random.uniform(4.0, 4.9));
  const double width = metre * (is_truck ? 2.6 : random.uniform(1.8, 2.1));
  const double shadow = metre * 0.6;
  cv::Mat bgr(even(width + shadow), even(length + shadow), CV_8UC3, grey(road));
  const cv::Scalar body{random.uniform(20.0, 235.0), random.uniform(20.0, 235.0), random.uniform(20.0, 235.0)};
  const cv::Scalar glass(30, 28, 25);
  fill(bgr, shadow, shadow, length, width, grey(road * 0.55 + 8));
  fill(bgr, 0, 0, length, width, body);
  const double middle = length / 2;
  const auto part = [&](double along, double long_, double across,
                        const cv::Scalar& color) {  // as parts of the vehicle
    fill(bgr, middle + (along - long_ / 2) * length, width * (1 - across) / 2, long_ * length, across * width, color);
  };
  if (is_truck) {
    part(-0.12, 0.74, 0.98, body * random.uniform(0.6, 1.1));
    part(0.27, 0.03, 1, glass);
    part(0.44, 0.04, 0.8, glass);
  } else {
    part(0.16, 0.16, 0.8, glass);
    part(-0.3, 0.1, 0.78, glass);
  }
  if (goes_left) {
    cv::Mat vehicle = bgr({cv::Point(), cv::Size(std::clamp(static_cast<int>(length), 1, bgr.cols),
                                                 std::clamp(static_cast<int>(width), 1, bgr.rows))});
    cv::flip(vehicle.clone(), vehicle, 1);
  }
  return to_i420(bgr);
}

cv::Mat draw_ground(cv::RNG& random, int width, int height) {
  cv::Mat coarse(height / 24 + 2, width / 24 + 2, CV_32FC1), fine(height / 2 + 1, width / 2 + 1, CV_32FC1);
  random.fill(coarse, cv::RNG::NORMAL, 0, 9);
  random.fill(fine, cv::RNG::NORMAL, 0, 4);
  cv::Mat noise, texture;
  cv::resize(coarse, noise, {width, height}, 0, 0, cv::INTER_CUBIC);
  cv::resize(fine, texture, {width, height}, 0, 0, cv::INTER_LINEAR);
  noise += texture;
  const std::array<cv::Mat, 3> channels{noise + 95, noise + 140, noise + 160};
  cv::Mat ground, bgr;
  cv::merge(channels, ground);
  ground.convertTo(bgr, CV_8UC3);
  return bgr;
}

}  // namespace

PatternScene::PatternScene(int width, int height)
    : width_(width), height_(height), even_width_(width + width % 2), even_height_(height + height % 2) {
  cv::RNG random(kSeed);
  const int side = std::max(width, height);
  const double metre = 8.0 * side / 640 * (side > 1000 ? 0.6 : 1);
  const double lane = kLaneMetres * metre;
  cv::Mat bgr = draw_ground(random, even_width_, even_height_);
  const int roads = std::clamp(static_cast<int>(height / (8 * lane)), 1, 8);
  for (int i = 0; i < roads; ++i) {
    const double middle = (i + 0.5) * height / roads;
    const double road = random.uniform(70.0, 115.0);
    fill(bgr, 0, middle - lane, even_width_, 2 * lane, grey(road));
    for (int mark = 0; mark * 9 * metre < even_width_; ++mark)
      fill(bgr, mark * 9 * metre, middle - 0.11 * metre, 3 * metre, 0.22 * metre, grey(225));
    for (const bool goes_left : {true, false}) {
      const double speed =
          metre * random.uniform(8.0, 18.0) * (goes_left ? -1 : 1);  // of all on the lane: none runs into another
      double x = metre * random.uniform(0.0, kVehicleGapMetres);
      while (x < even_width_) {
        Vehicle vehicle{draw_vehicle(random, metre, random.uniform(0.0, 1.0) < 0.25, goes_left, road), 0, x, speed};
        const int rows = vehicle.picture.rows / 3 * 2;
        vehicle.y = even(middle + (goes_left ? -0.5 : 0.5) * lane - rows / 2.0);
        if (rows <= even_height_ - vehicle.y && vehicle.picture.cols < even_width_) vehicles_.push_back(vehicle);
        x += metre * kVehicleGapMetres * random.uniform(0.8, 1.2);
      }
    }
  }
  ground_ = to_i420(bgr);
}

void PatternScene::draw(double time_s, std::uint8_t* pixels) const {
  std::memcpy(pixels, ground_.data, bytes());
  for (const Vehicle& vehicle : vehicles_)
    draw(vehicle, time_s, pixels);
}

void PatternScene::draw(const Vehicle& vehicle, double time_s, std::uint8_t* pixels) const {
  const int length = vehicle.picture.cols;
  const double lap = even_width_ + length;  // it comes in again once it has quite gone
  double x = std::fmod(vehicle.x + length + vehicle.speed * time_s, lap);
  if (x < 0) x += lap;
  const int left = 2 * static_cast<int>(std::floor(x / 2)) - (length + length % 2);
  const int from = std::max(0, -left), to = std::min(length, even_width_ - left);
  if (from >= to) return;
  const int rows = vehicle.picture.rows / 3 * 2;
  const Planes target(pixels, even_width_, even_height_);
  const Planes source(vehicle.picture.data, length, rows);
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const int part = plane == 0 ? 1 : 2;
    for (int row = 0; row < rows / part; ++row) {
      std::memcpy(target.start[plane] + (vehicle.y / part + row) * target.stride[plane] + (left + from) / part,
                  source.start[plane] + row * source.stride[plane] + from / part,
                  static_cast<std::size_t>((to - from) / part));
    }
  }
}

ImageView PatternScene::view(const std::uint8_t* pixels) const noexcept {
  ImageView view;
  view.width = width_;
  view.height = height_;
  view.format = PixelFormat::kI420;
  const std::ptrdiff_t luma = std::ptrdiff_t{even_width_} * even_height_;
  view.planes = {{{pixels, even_width_}, {pixels + luma, even_width_ / 2}, {pixels + luma / 4 * 5, even_width_ / 2}}};
  return view;
}

PatternSource::PatternSource(int width, int height, double rate_hz, std::size_t buffers)
    : scene_(width, height), pool_(scene_.bytes(), buffers), rate_hz_(rate_hz) {}

Result<bool> PatternSource::next(SourceFrame& frame, std::stop_token stop) {
  const auto time_of = [this](std::int64_t tick) {
    return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(static_cast<double>(tick) / rate_hz_));
  };
  if (!start_) start_ = InterruptibleSleep::now();
  frame.pixels.reset();  // of the frame before, where the pipeline has no use for it any more
  for (;; ++tick_) {
    const double late_s = std::chrono::duration<double>(InterruptibleSleep::now() - *start_).count();
    tick_ = std::max(tick_, static_cast<std::int64_t>(late_s * rate_hz_));
    if (!sleep_.until(*start_ + time_of(tick_), stop)) return false;
    const std::shared_ptr<std::uint8_t> pixels = pool_.take();
    if (!pixels) continue;
    const double time_s = static_cast<double>(tick_) / rate_hz_;
    scene_.draw(time_s, pixels.get());
    frame.view = scene_.view(pixels.get());
    frame.pixels = pixels;
    frame.captured = *start_ + time_of(tick_);
    frame.index = tick_++;
    frame.time_s = time_s;
    frame.file.clear();
    return true;
  }
}

}  // namespace tern
