// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "eval/labels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "model/strict_json.h"
#include "model/text.h"
#include "tern/image.h"

namespace tern {
namespace {

using Json = nlohmann::json;

/// Ids are whole numbers that a double holds exactly, as JSON asks for.
constexpr std::int64_t kMaxId = (std::int64_t{1} << 53) - 1;
constexpr double kMaxCoordinate = 1e6;

template <typename... Args>
Status wrong(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(StatusCode::kInputError, format, std::forward<Args>(args)...);
}

/// An object in a list, with its name for messages: "annotations[17]".
class Entry {
 public:
  Entry(const Json& json, std::string_view list, std::size_t index) : json_(json), list_(list), index_(index) {}

  [[nodiscard]] std::string where(std::string_view key) const { return fmt::format("{}[{}].{}", list_, index_, key); }
  [[nodiscard]] bool has(std::string_view key) const { return json_.is_object() && json_.contains(key); }

  [[nodiscard]] Result<const Json*> get(std::string_view key) const {
    if (!json_.is_object()) return wrong("it is not an object").at(fmt::format("{}[{}]", list_, index_));
    const auto found = json_.find(key);
    if (found == json_.end()) return wrong("the key is missing").at(where(key));
    return &*found;
  }
  [[nodiscard]] Result<std::int64_t> whole(std::string_view key, std::int64_t low, std::int64_t high) const {
    TERN_ASSIGN_OR_RETURN(const Json* value, get(key));
    const bool is_too_large = value->is_number_unsigned() && value->get<std::uint64_t>() > std::uint64_t{1} << 62;
    if (!value->is_number_integer() || is_too_large || value->get<std::int64_t>() < low ||
        value->get<std::int64_t>() > high) {
      return wrong("it must be a whole number in {}..{}", low, high).at(where(key));
    }
    return value->get<std::int64_t>();
  }
  [[nodiscard]] Result<std::string> text(std::string_view key) const {
    TERN_ASSIGN_OR_RETURN(const Json* value, get(key));
    if (!value->is_string()) return wrong("it must be a text").at(where(key));
    return value->get<std::string>();
  }
  /// A path that stays inside of the data set's folder.
  [[nodiscard]] Result<std::filesystem::path> file(std::string_view key) const {
    TERN_ASSIGN_OR_RETURN(const std::string name, text(key));
    const std::filesystem::path path(name);
    if (name.empty() || has_control_character(name) || !path.is_relative() || !path.has_filename() ||
        std::ranges::find(path, "..") != path.end()) {
      return wrong("{} is no file inside of the data set's folder", in_quotes(name)).at(where(key));
    }
    return path.lexically_normal();
  }
  [[nodiscard]] const Json& json() const noexcept { return json_; }

 private:
  const Json& json_;
  std::string_view list_;
  std::size_t index_;
};

Result<const Json*> list_of(const Json& root, std::string_view key) {
  const auto found = root.find(key);
  if (found == root.end()) return wrong("the key is missing").at(key);
  if (!found->is_array()) return wrong("it must be a list").at(key);
  return &*found;
}

std::string all_names(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "" : ", ") + in_quotes(name);
  return text;
}

Status unknown_class(std::string_view name, std::span<const std::string> class_names) {
  return wrong("the model has no class {}; its classes are {}", in_quotes(name), all_names(class_names))
      .with_hint("use labels made for this model, or name the classes alike in its contract");
}

/// What a category id stands for.
struct Category {
  std::string name;
  std::optional<int> class_id;  ///< none when the model lacks it
};
using Categories = std::unordered_map<std::int64_t, Category>;

Result<Categories> read_categories(const Json& list, std::span<const std::string> class_names) {
  Categories categories;
  std::unordered_set<std::string> names;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Entry entry(list[i], "categories", i);
    TERN_ASSIGN_OR_RETURN(const std::int64_t id, entry.whole("id", 0, kMaxId));
    TERN_ASSIGN_OR_RETURN(const std::string name, entry.text("name"));
    if (!names.insert(name).second) return wrong("the name {} stands twice", in_quotes(name)).at(entry.where("name"));
    Category category{name, {}};
    const auto match = std::ranges::find(class_names, name);
    if (match != class_names.end()) category.class_id = static_cast<int>(match - class_names.begin());
    if (!categories.emplace(id, std::move(category)).second)
      return wrong("the id {} stands twice", id).at(entry.where("id"));
  }
  return categories;
}

/// Index among the samples, by image id.
using ImageIndex = std::unordered_map<std::int64_t, std::size_t>;

Result<ImageIndex> read_images(const Json& list, std::vector<DetectionSample>& samples) {
  ImageIndex index;
  std::unordered_set<std::string> files;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Entry entry(list[i], "images", i);
    TERN_ASSIGN_OR_RETURN(const std::int64_t id, entry.whole("id", 0, kMaxId));
    TERN_ASSIGN_OR_RETURN(std::filesystem::path file, entry.file("file_name"));
    TERN_ASSIGN_OR_RETURN(const std::int64_t width, entry.whole("width", 1, ImageView::kMaxSide));
    TERN_ASSIGN_OR_RETURN(const std::int64_t height, entry.whole("height", 1, ImageView::kMaxSide));
    if (!index.emplace(id, samples.size()).second) return wrong("the id {} stands twice", id).at(entry.where("id"));
    if (!files.insert(file.string()).second)
      return wrong("the file {} stands twice", in_quotes(file.string())).at(entry.where("file_name"));
    samples.push_back({std::move(file), static_cast<int>(width), static_cast<int>(height), {}});
  }
  return index;
}

/// COCO's [x, y, width, height].
Result<LabelledBox> read_box(const Entry& entry) {
  TERN_ASSIGN_OR_RETURN(const Json* bbox, entry.get("bbox"));
  const auto number_ok = [](const Json& v) {
    return v.is_number() && std::abs(v.get<double>()) <= kMaxCoordinate;  // false for NaN
  };
  if (!bbox->is_array() || bbox->size() != 4 || !std::ranges::all_of(*bbox, number_ok)) {
    return wrong("it must be four numbers: x, y, width, height, at most {} in size", kMaxCoordinate)
        .at(entry.where("bbox"));
  }
  const LabelledBox box{(*bbox)[0], (*bbox)[1], (*bbox)[2], (*bbox)[3]};
  if (box.width < 0 || box.height < 0)
    return wrong("the size {} x {} is negative", box.width, box.height).at(entry.where("bbox"));
  return box;
}

Status read_annotations(const Json& list, const Categories& categories, const ImageIndex& images,
                        std::span<const std::string> class_names, std::vector<DetectionSample>& samples) {
  std::unordered_set<std::int64_t> ids;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Entry entry(list[i], "annotations", i);
    TERN_ASSIGN_OR_RETURN(const std::int64_t id, entry.whole("id", 0, kMaxId));
    TERN_ASSIGN_OR_RETURN(const std::int64_t image_id, entry.whole("image_id", 0, kMaxId));
    TERN_ASSIGN_OR_RETURN(const std::int64_t category_id, entry.whole("category_id", 0, kMaxId));
    TERN_ASSIGN_OR_RETURN(LabelledBox box, read_box(entry));
    if (entry.has("iscrowd")) {
      TERN_ASSIGN_OR_RETURN(const std::int64_t is_crowd, entry.whole("iscrowd", 0, 1));
      box.is_crowd = is_crowd == 1;
    }
    if (!ids.insert(id).second) return wrong("the id {} stands twice", id).at(entry.where("id"));
    const auto image = images.find(image_id);
    if (image == images.end()) return wrong("there is no image with the id {}", image_id).at(entry.where("image_id"));
    const auto category = categories.find(category_id);
    if (category == categories.end())
      return wrong("there is no category with the id {}", category_id).at(entry.where("category_id"));
    if (!category->second.class_id)
      return unknown_class(category->second.name, class_names).at(entry.where("category_id"));
    box.class_id = *category->second.class_id;
    samples[image->second].boxes.push_back(box);
  }
  return {};
}

/// The class of an entry of labels.json; see read_classification_set().
Result<int> read_class(const Entry& entry, std::span<const std::string> class_names) {
  std::string key;
  for (const auto& [name, value] : entry.json().items()) {
    if (name == "image" || name == "region") continue;
    if (!key.empty())
      return wrong("the keys {} and {} both say a class", in_quotes(key), in_quotes(name)).at(entry.where(key));
    key = name;
  }
  if (key.empty()) return wrong("the key is missing").at(entry.where("label"));
  const auto last = static_cast<std::int64_t>(class_names.size()) - 1;
  if (key == "label") {
    TERN_ASSIGN_OR_RETURN(const Json* label, entry.get(key));
    if (!label->is_string()) {
      TERN_ASSIGN_OR_RETURN(const std::int64_t index, entry.whole(key, 0, last));
      return static_cast<int>(index);
    }
  }
  const std::string name = key == "label" ? entry.json().at(key).get<std::string>() : key;
  const auto match = std::ranges::find(class_names, name);
  if (match == class_names.end()) return unknown_class(name, class_names).at(entry.where(key));
  const auto class_id = static_cast<int>(match - class_names.begin());
  if (key == "label") return class_id;
  if (class_names.size() != 2) {
    return wrong("a class as key needs a model of two classes; it has {}", class_names.size())
        .at(entry.where(key))
        .with_hint("write \"label\": \"NAME\"");
  }
  TERN_ASSIGN_OR_RETURN(const std::int64_t is_it, entry.whole(key, 0, 1));
  return is_it == 1 ? class_id : 1 - class_id;
}

}  // namespace

Result<std::vector<DetectionSample>> parse_instances(std::string_view text, std::span<const std::string> class_names) {
  TERN_ASSIGN_OR_RETURN(const Json root, parse_strict_json(text, StatusCode::kInputError));
  if (!root.is_object()) return wrong("it must be an object with images, annotations and categories");
  TERN_ASSIGN_OR_RETURN(const Json* image_list, list_of(root, "images"));
  TERN_ASSIGN_OR_RETURN(const Json* annotation_list, list_of(root, "annotations"));
  TERN_ASSIGN_OR_RETURN(const Json* category_list, list_of(root, "categories"));
  if (image_list->empty()) return wrong("there is no image").at("images");
  TERN_ASSIGN_OR_RETURN(const Categories categories, read_categories(*category_list, class_names));
  std::vector<DetectionSample> samples;
  TERN_ASSIGN_OR_RETURN(const ImageIndex images, read_images(*image_list, samples));
  TERN_RETURN_IF_ERROR(read_annotations(*annotation_list, categories, images, class_names, samples));
  return samples;
}

Result<std::vector<ClassificationSample>> parse_class_labels(std::string_view text,
                                                             std::span<const std::string> class_names) {
  TERN_ASSIGN_OR_RETURN(const Json root, parse_strict_json(text, StatusCode::kInputError));
  if (!root.is_array()) return wrong("it must be a list of labelled images");
  if (root.empty()) return wrong("there is no image");
  std::vector<ClassificationSample> samples;
  std::unordered_set<std::string> files;
  for (std::size_t i = 0; i < root.size(); ++i) {
    const Entry entry(root[i], "", i);
    ClassificationSample sample;
    TERN_ASSIGN_OR_RETURN(sample.image, entry.file("image"));
    if (entry.has("region")) {
      TERN_ASSIGN_OR_RETURN(sample.region, entry.file("region"));
    }
    TERN_ASSIGN_OR_RETURN(sample.class_id, read_class(entry, class_names));
    if (!files.insert(sample.image.string()).second)
      return wrong("the file {} stands twice", in_quotes(sample.image.string())).at(entry.where("image"));
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace tern
