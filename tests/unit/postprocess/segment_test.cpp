// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"
#include "tern/postprocess.h"

namespace tern {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Logits {
  std::vector<float> values;
  int classes = 0, width = 0, height = 0;

  [[nodiscard]] double at(int c, int x, int y) const {
    return static_cast<double>(
        values[(static_cast<std::size_t>(c) * static_cast<std::size_t>(height) + static_cast<std::size_t>(y)) *
                   static_cast<std::size_t>(width) +
               static_cast<std::size_t>(x)]);
  }
  [[nodiscard]] Shape shape() const { return {1, classes, height, width}; }
};

/// Smooth blobs, so that neighbouring pixels mostly agree, as they do in real outputs.
Logits smooth_logits(test::Random& random, int classes, int width, int height) {
  Logits logits{{}, classes, width, height};
  for (int c = 0; c < classes; ++c) {
    const float fx = random.uniform(0.02F, 0.5F), fy = random.uniform(0.02F, 0.5F), phase = random.uniform(0, 6);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x)
        logits.values.push_back(3 * std::sin(fx * static_cast<float>(x) + phase) *
                                std::cos(fy * static_cast<float>(y)));
    }
  }
  return logits;
}

Result<Segmentation> decode(const OutputContract& contract, Logits logits, const Geometry& geometry) {
  TERN_ASSIGN_OR_RETURN(Postprocessor postprocessor, Postprocessor::create(contract));
  std::vector<Segmentation> results(1);
  TERN_RETURN_IF_ERROR(postprocessor.segment(test::view(logits.values, logits.shape()), {&geometry, 1}, results));
  return results.front();
}

OutputContract mask_contract(int classes, float threshold) {
  OutputContract contract = test::output_contract(OutputKind::kSegmentation, classes);
  contract.score_threshold = threshold;
  return contract;
}

/// A label, and how far it is from being another one.
struct Labelled {
  int label = 0;
  double margin = 0;
};

/// Bilinear interpolation of the logits and the label rule, in f64 and without any shortcut.
Labelled reference_label(const Logits& logits, const Geometry& g, float threshold, int x, int y) {
  struct Tap {
    int low = 0, high = 0;
    double weight = 0;
  };
  const auto tap_of = [](double position, int input, int output, int inner, int inner_length) {
    const double ratio = static_cast<double>(output) / input;
    const int first = inner * output / input;
    const int last = static_cast<int>(std::ceil((inner + inner_length) * output / static_cast<double>(input))) - 1;
    const double s = std::clamp(position * ratio - 0.5, 1.0 * first, 1.0 * last);
    return Tap{static_cast<int>(s), std::min(static_cast<int>(s) + 1, last), s - std::floor(s)};
  };
  const double px = (x + 0.5) * g.scale_x + g.offset_x, py = (y + 0.5) * g.scale_y + g.offset_y;
  if (px < 0 || py < 0 || px >= g.dst_width || py >= g.dst_height) return {Segmentation::kBackground, 1};
  const Tap tx = tap_of(px, g.dst_width, logits.width, g.inner_x, g.inner_width);
  const Tap ty = tap_of(py, g.dst_height, logits.height, g.inner_y, g.inner_height);
  std::vector<double> l;
  for (int c = 0; c < logits.classes; ++c) {
    const double top = logits.at(c, tx.low, ty.low) * (1 - tx.weight) + logits.at(c, tx.high, ty.low) * tx.weight;
    const double bottom = logits.at(c, tx.low, ty.high) * (1 - tx.weight) + logits.at(c, tx.high, ty.high) * tx.weight;
    l.push_back(top * (1 - ty.weight) + bottom * ty.weight);
  }
  const auto best = std::ranges::max_element(l);
  double sum = 0, margin = 1;
  for (const double& v : l) {
    sum += std::exp(v - *best);
    if (&v != &*best) margin = std::min(margin, *best - v);
  }
  const double distance = 1 / sum - static_cast<double>(threshold);
  if (threshold == 0 || distance > 0) return {static_cast<int>(best - l.begin()), std::min(margin, std::abs(distance))};
  return {Segmentation::kBackground, std::abs(distance)};
}

TEST(Segment, at_the_same_size_it_is_a_plain_argmax_first_of_equals) {
  const Logits logits{{1, 5, 2, 0, 3, 3,  //
                       1, 6, 2, 9, 3, 1,  //
                       1, 6, 3, 9, 4, 0},
                      3,
                      3,
                      2};
  const auto mask = decode(mask_contract(3, 0), logits, test::same_size(3, 2)).value();
  EXPECT_EQ(mask.width, 3);
  EXPECT_EQ(mask.height, 2);
  EXPECT_THAT(mask.classes, ElementsAre(0, 1, 2, 1, 2, 0));
}

TEST(Segment, softmax_must_be_above_the_threshold) {
  // Two classes: softmax of the larger is 1 / (1 + exp(-gap)): 0.5, 0.731, 0.881, 0.9933.
  const Logits logits{{0, 0, 0, 0, 0, 1, 2, 5}, 2, 4, 1};
  const auto labels = [&](float threshold) {
    return decode(mask_contract(2, threshold), logits, test::same_size(4, 1)).value().classes;
  };
  EXPECT_THAT(labels(0), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(labels(0.49F), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(labels(0.5F), ElementsAre(255, 1, 1, 1)) << "not above, but equal";
  EXPECT_THAT(labels(0.8F), ElementsAre(255, 255, 1, 1));
  EXPECT_THAT(labels(0.99F), ElementsAre(255, 255, 255, 1));
  EXPECT_THAT(labels(1), Each(255));
}

TEST(Segment, labels_equal_softmax_and_argmax_on_random_logits) {
  test::Random random(7);
  for (int round = 0; round < 30; ++round) {
    const int classes = random.whole(1, 20), width = random.whole(1, 70), height = random.whole(1, 9);
    const float threshold = round % 3 == 0 ? 0 : random.uniform(0, 1);
    Logits logits{random.floats(static_cast<std::size_t>(classes * width * height), -4, 4), classes, width, height};
    const Geometry geometry = test::same_size(width, height);
    const auto mask = decode(mask_contract(classes, threshold), logits, geometry).value();
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const Labelled expected = reference_label(logits, geometry, threshold, x, y);
        if (expected.margin < 1e-5) continue;
        EXPECT_EQ(mask.classes[static_cast<std::size_t>(y * width + x)], expected.label)
            << x << ',' << y << " of round " << round;
      }
    }
  }
}

/// Every resize rule, up and down, at full and reduced output size, against plain interpolation.
TEST(Segment, masks_at_source_size_are_interpolated_logits) {
  test::Random random(8);
  struct Case {
    ResizeRule rule;
    int src_width, src_height, dst_width, dst_height, out_width, out_height;
  };
  const Case cases[] = {
      {ResizeRule::kStretch, 97, 61, 32, 32, 32, 32},    {ResizeRule::kStretch, 20, 15, 64, 64, 64, 64},
      {ResizeRule::kLetterbox, 160, 90, 64, 64, 64, 64}, {ResizeRule::kLetterbox, 90, 161, 64, 64, 16, 16},
      {ResizeRule::kLetterbox, 30, 20, 64, 64, 64, 64},  {ResizeRule::kCenterCrop, 100, 60, 48, 48, 48, 48},
      {ResizeRule::kCenterCrop, 61, 99, 32, 48, 8, 12},  {ResizeRule::kNone, 64, 48, 64, 48, 16, 12},
      {ResizeRule::kStretch, 1, 1, 8, 8, 8, 8},          {ResizeRule::kStretch, 9, 7, 8, 8, 1, 1},
      {ResizeRule::kLetterbox, 300, 2, 64, 64, 64, 64}};
  int round = 0;
  for (const Case& c : cases) {
    for (const float threshold : {0.0F, 0.5F}) {
      SCOPED_TRACE(testing::Message() << "case " << round++);
      const Logits logits = smooth_logits(random, 4, c.out_width, c.out_height);
      const Geometry geometry = test::geometry(c.rule, c.src_width, c.src_height, c.dst_width, c.dst_height);
      const auto mask = decode(mask_contract(4, threshold), logits, geometry).value();
      ASSERT_EQ(mask.width, c.src_width);
      ASSERT_EQ(mask.height, c.src_height);
      int wrong = 0, confident_wrong = 0;
      for (int y = 0; y < mask.height; ++y) {
        for (int x = 0; x < mask.width; ++x) {
          const Labelled expected = reference_label(logits, geometry, threshold, x, y);
          const int found = mask.classes[static_cast<std::size_t>(y * mask.width + x)];
          if (expected.margin < 1e-4 || found == expected.label) continue;
          ++wrong;
          if (found != Segmentation::kBackground) ++confident_wrong;
        }
      }
      // Four corners without a confident class may blend to one that is: those stay kBackground. All else is exact.
      EXPECT_EQ(confident_wrong, 0);
      EXPECT_LE(wrong, threshold == 0 ? 0 : mask.width * mask.height / 50);
    }
  }
}

TEST(Segment, padding_does_not_bleed_into_the_image) {
  // 40x10 in 40x40: rows 15..24 are the image. Everything outside shouts class 1, ten times as loud.
  Logits logits{std::vector<float>(2 * 40 * 40, 0.0F), 2, 40, 40};
  for (std::size_t i = 0; i < 1600; ++i) {
    const bool is_inside = i / 40 >= 15 && i / 40 < 25;
    logits.values[i] = is_inside ? 1 : -10;
    logits.values[1600 + i] = is_inside ? 0 : 10;
  }
  for (const int scale : {1, 3}) {
    const auto geometry = test::geometry(ResizeRule::kLetterbox, 40 * scale, 10 * scale, 40, 40);
    EXPECT_THAT(decode(mask_contract(2, 0), logits, geometry).value().classes, Each(0)) << scale;
  }
}

/// Ratios such as 49/61 are not exact: no size may read behind its rows (seen by AddressSanitizer) or into padding.
TEST(Segment, every_ratio_of_sizes_stays_inside) {
  for (int input = 1; input <= 64; ++input) {
    for (int output = 1; output <= 64; ++output) {
      Logits logits{std::vector<float>(static_cast<std::size_t>(2 * output * output), 0.0F), 2, output, output};
      logits.values.front() = 1;
      logits.values.back() = 1;
      const auto geometry = test::geometry(ResizeRule::kStretch, 70, 70, input, input);
      const auto mask = decode(mask_contract(2, 0), logits, geometry).value();
      EXPECT_EQ(mask.classes.front(), 0) << input << ' ' << output;
      EXPECT_EQ(mask.classes.back(), output == 1 ? 0 : 1) << input << ' ' << output;
    }
  }
}

TEST(Segment, what_the_crop_cut_away_is_background) {
  const Logits logits{std::vector<float>(2 * 10 * 10, 1.0F), 2, 10, 10};
  const auto mask =
      decode(mask_contract(2, 0), logits, test::geometry(ResizeRule::kCenterCrop, 20, 10, 10, 10)).value();
  for (std::size_t i = 0; i < mask.classes.size(); ++i)
    EXPECT_EQ(mask.classes[i], i % 20 < 5 || i % 20 >= 15 ? 255 : 0) << i;
}

TEST(Segment, stays_at_the_outputs_size_when_asked) {
  OutputContract contract = mask_contract(2, 0);
  contract.return_to_input_size = false;
  const Logits logits{{0, 1, 2, 3, 1, 0, 3, 2}, 2, 2, 2};
  const auto mask = decode(contract, logits, test::geometry(ResizeRule::kLetterbox, 200, 100, 8, 8)).value();
  EXPECT_EQ(mask.width, 2);
  EXPECT_THAT(mask.classes, ElementsAre(1, 0, 1, 0));
}

TEST(Segment, finds_nan_and_infinity_in_every_plane) {
  Logits logits{std::vector<float>(3 * 17 * 5, 0.5F), 3, 17, 5};
  for (std::size_t i = 0; i < logits.values.size(); i += 11) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      logits.values[i] = bad;
      for (const auto& geometry : {test::same_size(17, 5), test::geometry(ResizeRule::kStretch, 40, 40, 17, 5)}) {
        const Status status = decode(mask_contract(3, 0.25F), logits, geometry).status();
        EXPECT_EQ(status.code(), StatusCode::kInferenceError);
        EXPECT_THAT(status.message(), HasSubstr(fmt::format("[0, {}, {}, {}]", i / 85, i % 85 / 17, i % 17)));
      }
      logits.values[i] = 0.5F;
    }
  }
}

}  // namespace
}  // namespace tern
