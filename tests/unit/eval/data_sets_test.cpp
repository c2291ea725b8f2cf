// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "eval/labels.h"
#include "tern/eval.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<std::string> kNames{"car", "truck", "bus", "boat", "plane"};

/// A folder that goes away with the test.
class Folder {
 public:
  Folder() : path_(fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Json good_instances() {
  return Json::parse(R"({"images": [{"id": 7, "file_name": "a.jpg", "width": 64, "height": 48},
                                    {"id": 8, "file_name": "b.jpg", "width": 64, "height": 48}],
                         "annotations": [{"id": 1, "image_id": 8, "category_id": 30, "bbox": [1, 2.5, 3, 4]},
                                         {"id": 2, "image_id": 8, "category_id": 10, "bbox": [0, 0, 9, 9], "iscrowd": 1}],
                         "categories": [{"id": 10, "name": "boat"}, {"id": 30, "name": "car"}, {"id": 5, "name": "tram"}]})");
}

void expect_refused(const Status& status, const std::string& where, const std::string& what) {
  EXPECT_EQ(status.code(), StatusCode::kInputError);
  EXPECT_THAT(status.to_string(), AllOf(HasSubstr(where), HasSubstr(what)));
}

TEST(DetectionSet, demo_data_is_read) {
  const auto samples = read_detection_set(TERN_SOURCE_DIR "/data/validation", kNames).value();
  ASSERT_EQ(samples.size(), 64U);
  EXPECT_EQ(samples[0].image.filename(), "000.jpg");
  EXPECT_EQ(samples[0].width, 640);
  EXPECT_DOUBLE_EQ(samples[0].boxes.at(0).x, 321.91);
  EXPECT_EQ(std::accumulate(samples.begin(), samples.end(), std::size_t{0},
                            [](std::size_t n, const auto& s) { return n + s.boxes.size(); }),
            808U);
}

TEST(DetectionSet, categories_become_the_models_classes_by_name) {
  const auto samples = parse_instances(good_instances().dump(), kNames).value();
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_TRUE(samples[0].boxes.empty());
  ASSERT_EQ(samples[1].boxes.size(), 2U);
  EXPECT_EQ(samples[1].boxes[0].class_id, 0);
  EXPECT_DOUBLE_EQ(samples[1].boxes[0].y, 2.5);
  EXPECT_EQ(samples[1].boxes[1].class_id, 3);
  EXPECT_TRUE(samples[1].boxes[1].is_crowd);
}

TEST(DetectionSet, each_wrong_label_is_refused_by_its_key) {
  struct Case {
    std::function<void(Json&)> change;
    const char *where, *what;
  };
  const Case cases[] = {
      {[](Json& j) { j.erase("annotations"); }, "annotations", "missing"},
      {[](Json& j) { j["images"] = Json::object(); }, "images", "list"},
      {[](Json& j) { j["images"] = Json::array(); }, "images", "no image"},
      {[](Json& j) { j["images"][1] = 5; }, "images[1]", "object"},
      {[](Json& j) { j["images"][1]["id"] = 7; }, "images[1].id", "twice"},
      {[](Json& j) { j["images"][1]["id"] = 7.5; }, "images[1].id", "whole"},
      {[](Json& j) { j["images"][1]["id"] = 18446744073709551615U; }, "images[1].id", "whole"},
      {[](Json& j) { j["images"][1]["file_name"] = "a.jpg"; }, "images[1].file_name", "twice"},
      {[](Json& j) { j["images"][1]["file_name"] = "x/../../b.jpg"; }, "images[1].file_name", "inside"},
      {[](Json& j) { j["images"][1]["file_name"] = "/etc/passwd"; }, "images[1].file_name", "inside"},
      {[](Json& j) { j["images"][1]["file_name"] = "b\n.jpg"; }, "images[1].file_name", "inside"},
      {[](Json& j) { j["images"][1]["file_name"] = ""; }, "images[1].file_name", "inside"},
      {[](Json& j) { j["images"][1]["file_name"] = 3; }, "images[1].file_name", "text"},
      {[](Json& j) { j["images"][0].erase("width"); }, "images[0].width", "missing"},
      {[](Json& j) { j["images"][0]["height"] = -48; }, "images[0].height", "1..65536"},
      {[](Json& j) { j["annotations"][1]["id"] = 1; }, "annotations[1].id", "twice"},
      {[](Json& j) { j["annotations"][0]["image_id"] = 99; }, "annotations[0].image_id", "99"},
      {[](Json& j) { j["annotations"][0]["category_id"] = 99; }, "annotations[0].category_id", "99"},
      {[](Json& j) { j["annotations"][0]["category_id"] = 5; }, "annotations[0].category_id", "'tram'"},
      {[](Json& j) { j["annotations"][0]["category_id"] = 5; }, "annotations[0].category_id", "'plane'"},
      {[](Json& j) {
         j["annotations"][0]["bbox"] = {1, 2, -3, 4};
       },
       "annotations[0].bbox", "negative"},
      {[](Json& j) {
         j["annotations"][0]["bbox"] = {1, 2, 3};
       },
       "annotations[0].bbox", "four"},
      {[](Json& j) {
         j["annotations"][0]["bbox"] = {1, 2, 3, 1e300};
       },
       "annotations[0].bbox", "four"},
      {[](Json& j) {
         j["annotations"][0]["bbox"] = {1, "2", 3, 4};
       },
       "annotations[0].bbox", "four"},
      {[](Json& j) { j["annotations"][0]["iscrowd"] = 2; }, "annotations[0].iscrowd", "0..1"},
      {[](Json& j) { j["categories"][1]["id"] = 10; }, "categories[1].id", "twice"},
      {[](Json& j) { j["categories"][1]["name"] = "boat"; }, "categories[1].name", "twice"},
  };
  for (const Case& c : cases) {
    Json json = good_instances();
    c.change(json);
    expect_refused(parse_instances(json.dump(), kNames).status(), c.where, c.what);
  }
}

TEST(DetectionSet, text_that_is_no_json_is_refused) {
  for (const char* text : {"", "{", "[]", "{\"images\": []", "\xFF\xFE", "{\"images\": 1, \"images\": 2}", "{} {}"})
    EXPECT_EQ(parse_instances(text, kNames).status().code(), StatusCode::kInputError) << text;
  EXPECT_EQ(parse_instances(std::string(100000, '['), kNames).status().code(), StatusCode::kInputError);
}

TEST(DetectionSet, files_and_labels_must_agree) {
  const Folder folder;
  expect_refused(read_detection_set(folder.path(), kNames).status(), "instances.json", "missing");
  folder.write("instances.json", good_instances().dump());
  folder.write("images/a.jpg", "");
  expect_refused(read_detection_set(folder.path(), kNames).status(), "b.jpg", "missing");
  folder.write("images/b.jpg", "");
  folder.write("images/notes.txt", "not an image");
  EXPECT_EQ(read_detection_set(folder.path(), kNames).value().size(), 2U);
  folder.write("images/c.JPG", "");
  expect_refused(read_detection_set(folder.path(), kNames).status(), "c.JPG", "no labels");
  folder.write("instances.json", "{\"images\": [}");
  expect_refused(read_detection_set(folder.path(), kNames).status(), "instances.json", "line 1");
}

TEST(SegmentationSet, images_and_masks_are_paired) {
  EXPECT_EQ(read_segmentation_set(TERN_SOURCE_DIR "/data/validation").value().size(), 64U);
  const Folder folder;
  expect_refused(read_segmentation_set(folder.path()).status(), "images", "cannot be read");
  folder.write("images/a.jpg", "");
  expect_refused(read_segmentation_set(folder.path()).status(), "masks", "cannot be read");
  folder.write("masks/b.png", "");
  expect_refused(read_segmentation_set(folder.path()).status(), "a.png", "missing");
  folder.write("masks/a.png", "");
  expect_refused(read_segmentation_set(folder.path()).status(), "b.png", "no image");
  folder.write("images/b.jpg", "");
  const auto samples = read_segmentation_set(folder.path()).value();
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[1].mask.filename(), "b.png");
  folder.write("images/b.png", "");
  expect_refused(read_segmentation_set(folder.path()).status(), "images", "share one mask");
}

TEST(ClassificationSet, demo_data_is_read) {
  const std::vector<std::string> names{"clear", "obstructed"};
  const auto samples = read_classification_set(TERN_SOURCE_DIR "/data/crops", names).value();
  ASSERT_EQ(samples.size(), 60U);
  EXPECT_EQ(samples[0].class_id, 1);
  EXPECT_EQ(samples[1].class_id, 0);
  EXPECT_EQ(samples[0].region.value().filename(), "000-region.png");
  // Names in the other order.
  const std::vector<std::string> swapped{"obstructed", "clear"};
  EXPECT_EQ(read_classification_set(TERN_SOURCE_DIR "/data/crops", swapped).value()[0].class_id, 0);
}

TEST(ClassificationSet, labels_are_names_or_indices) {
  const auto samples =
      parse_class_labels(R"([{"image": "a.jpg", "label": "bus"}, {"image": "b.jpg", "label": 4}])", kNames).value();
  EXPECT_EQ(samples.at(0).class_id, 2);
  EXPECT_EQ(samples.at(1).class_id, 4);
  EXPECT_FALSE(samples.at(0).region.has_value());
}

TEST(ClassificationSet, each_wrong_label_is_refused_by_its_key) {
  const std::vector<std::string> two{"clear", "obstructed"};
  const auto refused = [&](const char* text, const char* where, const char* what) {
    expect_refused(parse_class_labels(text, two).status(), where, what);
  };
  refused("{}", "", "list");
  refused("[]", "", "no image");
  refused("[5]", "[0]", "object");
  refused(R"([{"image": "a.jpg"}])", "[0].label", "missing");
  refused(R"([{"label": 0}])", "[0].image", "missing");
  refused(R"([{"image": "../a.jpg", "label": 0}])", "[0].image", "inside");
  refused(R"([{"image": "a.jpg", "region": 1, "label": 0}])", "[0].region", "text");
  refused(R"([{"image": "a.jpg", "label": 2}])", "[0].label", "0..1");
  refused(R"([{"image": "a.jpg", "label": "dirty"}])", "[0].label", "'dirty'");
  refused(R"([{"image": "a.jpg", "dirty": 1}])", "[0].dirty", "'obstructed'");
  refused(R"([{"image": "a.jpg", "obstructed": 2}])", "[0].obstructed", "0..1");
  refused(R"([{"image": "a.jpg", "obstructed": 1, "label": 1}])", "[0]", "both");
  refused(R"([{"image": "a.jpg", "label": 1}, {"image": "a.jpg", "label": 1}])", "[1].image", "twice");
  expect_refused(parse_class_labels(R"([{"image": "a.jpg", "bus": 1}])", kNames).status(), "[0].bus", "two classes");
}

TEST(ClassificationSet, files_and_labels_must_agree) {
  const std::vector<std::string> two{"clear", "obstructed"};
  const Folder folder;
  folder.write("labels.json", R"([{"image": "a.jpg", "region": "a.png", "obstructed": 1}])");
  expect_refused(read_classification_set(folder.path(), two).status(), "a.jpg", "missing");
  folder.write("a.jpg", "");
  expect_refused(read_classification_set(folder.path(), two).status(), "a.png", "missing");
  folder.write("a.png", "");
  EXPECT_EQ(read_classification_set(folder.path(), two).value().size(), 1U);
  folder.write("b.jpg", "");
  expect_refused(read_classification_set(folder.path(), two).status(), "b.jpg", "no labels");
}

}  // namespace
}  // namespace tern
