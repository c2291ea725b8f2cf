// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tern/results.h"
#include "tern/status.h"

namespace tern {

// Labelled data sets, and how well results agree with them. Images are not decoded here: readers give paths and labels,
// evaluators are fed results.

/// One labelled object, in pixels of its image.
struct LabelledBox {
  double x = 0, y = 0, width = 0, height = 0;  ///< left top corner and size
  int class_id = 0;                            ///< index among the model's class names
  bool is_crowd = false;                       ///< a region of many objects: found or not, it does not count
};

struct DetectionSample {
  std::filesystem::path image;
  int width = 0, height = 0;
  std::vector<LabelledBox> boxes;
};

struct SegmentationSample {
  std::filesystem::path image;
  std::filesystem::path mask;  ///< an image of one channel: class indices, 255 where nothing is labelled
};

struct ClassificationSample {
  std::filesystem::path image;
  std::optional<std::filesystem::path> region;  ///< mask for models that take one
  int class_id = 0;
};

// Readers. Folders are read in a fixed order (of the labels, or of the names). InputError names file and key when the
// labels are not valid JSON, lack or misuse a key, repeat an id or a file, or leave the folder; when a labelled image
// is missing or an image has no labels; when there is none at all; and when a class is not among `class_names`, the
// names of the model's classes.

/// Reads `folder`/instances.json (COCO: `images`, `annotations`, `categories`; other keys are ignored) for the images
/// in `folder`/images. Categories are matched to the model's classes by name; one without objects may be unknown.
[[nodiscard]] TERN_API Result<std::vector<DetectionSample>> read_detection_set(
    const std::filesystem::path& folder, std::span<const std::string> class_names);

/// Pairs `folder`/images/NAME.* with `folder`/masks/NAME.png.
[[nodiscard]] TERN_API Result<std::vector<SegmentationSample>> read_segmentation_set(
    const std::filesystem::path& folder);

/// Reads `folder`/labels.json: a list of {"image": FILE, "region": FILE (optional), and the class}. The class is
/// "label": NAME or index; or, for models of two classes, NAME: 1 (this class) or NAME: 0 (the other one).
[[nodiscard]] TERN_API Result<std::vector<ClassificationSample>> read_classification_set(
    const std::filesystem::path& folder, std::span<const std::string> class_names);

// Scores, all in 0..1, absent where there is nothing to score. to_json(): keys as the members, absent scores as null,
// `per_class` an object by class name.

/// Average precision as the COCO benchmark defines it for boxes of all sizes: the precision at 101 recalls; `ap` is its
/// mean over the IoU thresholds .50, .55, ... .95, `ap50` and `ap75` at one, each the mean over classes with objects.
struct DetectionScores {
  struct PerClass {
    std::string name;
    std::size_t objects = 0;  ///< labelled, without crowds
    std::optional<double> ap, ap50, ap75;
  };
  std::size_t images = 0;
  std::optional<double> ap, ap50, ap75;
  std::vector<PerClass> per_class;
  [[nodiscard]] TERN_API std::string to_json() const;
};

/// Intersection over union of the pixels of each class, over all images; `miou` is the mean over classes that occur in
/// labels or results.
struct SegmentationScores {
  struct PerClass {
    std::string name;
    std::int64_t pixels = 0;  ///< labelled
    std::optional<double> iou;
  };
  std::size_t images = 0;
  std::optional<double> miou;
  std::vector<PerClass> per_class;
  [[nodiscard]] TERN_API std::string to_json() const;
};

struct ClassificationScores {
  struct PerClass {
    std::string name;
    std::size_t images = 0, correct = 0;
    std::optional<double> top1;
  };
  std::size_t images = 0, correct = 0;
  std::optional<double> top1;  ///< correct / images
  std::vector<PerClass> per_class;
  [[nodiscard]] TERN_API std::string to_json() const;
};

/// Gives the numbers of pycocotools' COCOeval (Lin et al., Microsoft COCO, 2014) with maxDets = max_detections, images
/// in the order of add().
class TERN_API DetectionEvaluator {
 public:
  static constexpr std::size_t kThresholds = 10;  ///< IoU thresholds

  explicit DetectionEvaluator(std::vector<std::string> class_names, std::size_t max_detections = 300);
  /// `found` may be in any order. InputError when a number is not finite or a class does not exist.
  [[nodiscard]] Status add(std::span<const LabelledBox> truth, std::span<const Detection> found);
  [[nodiscard]] DetectionScores scores() const;

 private:
  /// One detection, judged at each threshold.
  struct Judged {
    float score;
    std::uint16_t correct, ignored;  ///< a bit for each threshold
  };
  struct OfClass {
    std::size_t objects = 0;
    std::vector<Judged> found;
  };
  void judge(std::span<const LabelledBox> truth, std::span<const Detection> found, OfClass& of_class) const;

  std::vector<std::string> names_;
  std::vector<OfClass> classes_;
  std::size_t max_detections_, images_ = 0;
};

/// A confusion matrix of pixels. Pixels labelled 255 do not count; results of kBackground are wrong for every label.
class TERN_API SegmentationEvaluator {
 public:
  static constexpr std::uint8_t kIgnored = 255;

  explicit SegmentationEvaluator(std::vector<std::string> class_names);
  /// InputError when the sizes differ or a label is neither a class nor 255.
  [[nodiscard]] Status add(std::span<const std::uint8_t> truth, int width, int height, const Segmentation& found);
  [[nodiscard]] SegmentationScores scores() const;

 private:
  std::vector<std::string> names_;
  std::vector<std::int64_t> pixels_;  // [label * 256 + result]
  std::size_t images_ = 0;
};

class TERN_API ClassificationEvaluator {
 public:
  explicit ClassificationEvaluator(std::vector<std::string> class_names);
  /// InputError when a class does not exist.
  [[nodiscard]] Status add(int truth, int found);
  [[nodiscard]] ClassificationScores scores() const;

 private:
  std::vector<std::string> names_;
  std::vector<std::size_t> images_, correct_;
};

}  // namespace tern
