// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "model/contract_shapes.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.h"
#include "model/model_rep.h"
#include "model/text.h"

namespace tern {
namespace {

using Source = FieldOrigin::Source;

template <typename... Args>
Status wrong(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(StatusCode::kContractError, format, std::forward<Args>(args)...);
}

std::string show(const ValueInfo& value) {
  return fmt::format("{} ({} {})", in_quotes(value.name), to_string(value.dtype),
                     value.has_shape ? value.shape.to_string() : "of unknown rank");
}

std::string list(const std::vector<ValueInfo>& values) {
  std::string text;
  for (const ValueInfo& value : values)
    text += (text.empty() ? "" : ", ") + show(value);
  return text.empty() ? "none" : text;
}

// The operator that makes a graph output, looking through nodes that only pass values on; empty when it is none.
std::string_view final_operator(const onnx::GraphProto& graph, std::string_view tensor) {
  for (int i = graph.node_size() - 1; i >= 0; --i) {  // nodes stand in topological order
    const auto& node = graph.node(i);
    if (std::ranges::find(node.output(), tensor) == node.output().end()) continue;
    const bool passes = node.op_type() == "Identity" || node.op_type() == "Cast";
    if (!passes || node.input_size() == 0) return node.op_type();
    tensor = node.input(0);
  }
  return {};
}

class Completer {
 public:
  Completer(const Model& model, const GivenValues& given, const MetadataFacts& metadata)
      : model_(model), given_(given), metadata_(metadata) {}

  Result<Contract> run();

 private:
  [[nodiscard]] bool has(std::string_view path) const { return given_.contains(path); }
  [[nodiscard]] std::string source_of(std::string_view path) const {
    return describe(given_.find(path)->second.origin);
  }
  void from_model(std::string_view path, std::string detail) { note(path, Source::kModelShape, std::move(detail)); }
  void by_default(std::string_view path, std::string detail) { note(path, Source::kDefault, std::move(detail)); }
  void note(std::string_view path, Source source, std::string detail) {
    c_.origins.insert_or_assign(std::string(path), FieldOrigin{source, std::move(detail)});
  }

  Status apply_given();
  Result<const ValueInfo*> find_named(std::string_view path, const std::vector<ValueInfo>& values) const;
  Status pick_input();
  Status read_input_type();
  Status read_layout();
  Status read_channels();
  Status reject_channels(std::int64_t channels) const;
  Status read_size();
  Status read_side(std::string_view path, std::int64_t dim, int& side);
  Status pick_output();
  Status read_task_and_kind();
  Result<OutputKind> detector_kind() const;
  Status read_classes();
  Status check_yolo_shape(std::int64_t classes) const;
  Status read_logits();
  void set_defaults();

  const Model& model_;
  const GivenValues& given_;
  const MetadataFacts& metadata_;
  Contract c_;
  const ValueInfo* input_ = nullptr;
  const ValueInfo* output_ = nullptr;
  std::size_t channel_axis_ = 1;
};

Status Completer::apply_given() {
  for (const ContractField& field : contract_fields()) {
    const auto found = given_.find(field.path);
    if (found == given_.end()) continue;
    TERN_RETURN_IF_ERROR(apply_field(field, found->second, c_));
    c_.origins.emplace(field.path, found->second.origin);
  }
  return {};
}

Result<const ValueInfo*> Completer::find_named(std::string_view path, const std::vector<ValueInfo>& values) const {
  const std::string& name = path == "input.tensor" ? c_.input.tensor : c_.output.tensor;
  const auto found = std::ranges::find(values, name, &ValueInfo::name);
  if (found != values.end()) return &*found;
  return wrong("{} is {} in {}, but the model has no such tensor there", path, in_quotes(name), source_of(path))
      .with_hint("the model has " + list(values));
}

Status Completer::pick_input() {
  const std::vector<ValueInfo>& inputs = model_.inputs();
  if (has("input.tensor")) {
    TERN_ASSIGN_OR_RETURN(input_, find_named("input.tensor", inputs));
  } else {
    std::vector<const ValueInfo*> images;
    for (const ValueInfo& input : inputs) {
      const bool pixels = input.dtype == DType::kF32 || input.dtype == DType::kF16 || input.dtype == DType::kU8;
      if (pixels && input.has_shape && input.shape.rank() == 4) images.push_back(&input);
    }
    if (images.size() > 1) {
      return wrong("several inputs could be the image: {}", list(inputs)).with_hint("name it in input.tensor");
    }
    if (images.empty()) {
      return wrong("no input is an image (four dimensions of f32, f16 or u8); the model has {}", list(inputs))
          .with_hint("tern runs models that take one batch of images, (N, C, H, W) or (N, H, W, C)");
    }
    input_ = images.front();
    c_.input.tensor = input_->name;
    from_model("input.tensor", inputs.size() == 1 ? "its only input" : "its only image input");
  }
  if (!input_->has_shape || input_->shape.rank() != 4) {
    return wrong("the input {} does not have four dimensions", show(*input_))
        .with_hint("export the model with an input of (N, C, H, W) or (N, H, W, C)");
  }
  return {};
}

Status Completer::read_input_type() {
  if (input_->dtype != DType::kF32 && input_->dtype != DType::kF16 && input_->dtype != DType::kU8) {
    return wrong("the input {} takes {}; images are f32, f16 or u8", in_quotes(input_->name), to_string(input_->dtype));
  }
  if (has("input.dtype") && c_.input.dtype != input_->dtype) {
    return wrong("input.dtype is '{}' in {}, but the model's input is {}", to_string(c_.input.dtype),
                 source_of("input.dtype"), show(*input_));
  }
  c_.input.dtype = input_->dtype;
  if (!has("input.dtype")) from_model("input.dtype", "input " + show(*input_));
  if (!has("input.scale") && input_->dtype == DType::kU8) {
    c_.input.scale = 1;
    by_default("input.scale", "a u8 input takes pixels as they are");
  }
  return {};
}

Status Completer::read_layout() {
  const bool known = has("input.color") || has("input.mask_channel");
  const auto plausible = [&](std::int64_t dim) {
    return known ? dim == c_.input.channels() : dim == 1 || dim == 3 || dim == 4;
  };
  if (!has("input.layout")) {
    const bool first = plausible(input_->shape[1]), last = plausible(input_->shape[3]);
    c_.input.layout = last && !first ? TensorLayout::kNhwc : TensorLayout::kNchw;
    if (first != last) {
      from_model("input.layout", "input " + show(*input_));
    } else {
      by_default("input.layout", "the shape does not tell");
    }
  }
  channel_axis_ = c_.input.layout == TensorLayout::kNchw ? 1 : 3;
  return {};
}

Status Completer::reject_channels(std::int64_t channels) const {
  if (!has("input.color") && !has("input.mask_channel")) {
    return wrong("the input {} has {} channels; what they mean is not known", show(*input_), channels)
        .with_hint(
            "three are RGB and one is gray unless said otherwise; for four, say so with input.mask_channel true "
            "(colours and a region mask); other counts are not supported");
  }
  std::string said;
  for (const std::string_view path : {"input.color", "input.mask_channel"}) {
    if (has(path)) said += fmt::format("{}{} from {}", said.empty() ? "" : ", ", path, source_of(path));
  }
  return wrong("'{}'{} makes {} channels ({}), but the model's input is {}", to_string(c_.input.color),
               c_.input.mask_channel ? " with a mask" : "", c_.input.channels(), said, show(*input_))
      .with_hint("correct input.color, input.mask_channel or input.layout");
}

Status Completer::read_channels() {
  const std::int64_t channels = input_->shape[channel_axis_];
  const bool color_known = has("input.color"), mask_known = has("input.mask_channel");
  if (!color_known && channels != Shape::kDynamic) {
    const std::int64_t colors = channels - (c_.input.mask_channel ? 1 : 0);
    if (colors == 1) {
      c_.input.color = ColorOrder::kGray;
      from_model("input.color", "one channel");
    } else {
      by_default("input.color", "three channels are taken as RGB");
    }
  }
  // A fourth channel behind colours that are named can only be the mask when somebody says so: it could be alpha.
  if (channels != Shape::kDynamic && channels != c_.input.channels()) return reject_channels(channels);
  if (metadata_.channels && !(color_known && mask_known) && *metadata_.channels != c_.input.channels()) {
    return wrong("metadata 'channels' is {}, but the input is {}", *metadata_.channels, show(*input_))
        .with_hint("say what the channels are with input.color and input.mask_channel");
  }
  return {};
}

Status Completer::read_side(std::string_view path, std::int64_t dim, int& side) {
  if (dim == Shape::kDynamic) {
    if (!has(path)) by_default(path, fmt::format("the model leaves it open; {} is used", InputContract::kDefaultSide));
    if (has(path) && metadata_.stride && side % *metadata_.stride != 0) {
      return wrong("{} is {} in {}, but the model's sides must be multiples of {} (metadata 'stride')", path, side,
                   source_of(path), *metadata_.stride);
    }
    return {};
  }
  if (dim < 1 || dim > 32768) return wrong("the input {} has a side of {}", show(*input_), dim);
  if (has(path) && side != dim) {
    return wrong("{} is {} in {}, but the model's input is {}", path, side, source_of(path), show(*input_));
  }
  side = static_cast<int>(dim);
  if (!has(path)) from_model(path, "input " + show(*input_));
  return {};
}

Status Completer::read_size() {
  const std::size_t rows = c_.input.layout == TensorLayout::kNchw ? 2 : 1;
  const std::int64_t height = input_->shape[rows], width = input_->shape[rows + 1];
  if (input_->shape[0] == 0) return wrong("the input {} has room for no image", show(*input_));
  const bool dynamic = height == Shape::kDynamic || width == Shape::kDynamic;
  if (dynamic && metadata_.stride && !has("input.min_side")) {
    c_.input.min_side = *metadata_.stride;
    note("input.min_side", Source::kMetadata, "metadata 'stride'");
  }
  TERN_RETURN_IF_ERROR(read_side("input.height", height, c_.input.height));
  return read_side("input.width", width, c_.input.width);
}

Status Completer::pick_output() {
  const std::vector<ValueInfo>& outputs = model_.outputs();
  if (has("output.tensor")) {
    TERN_ASSIGN_OR_RETURN(output_, find_named("output.tensor", outputs));
  } else if (outputs.size() == 1) {
    output_ = &outputs.front();
    from_model("output.tensor", "its only output");
  } else {
    if (!has("task")) {
      return wrong("the model has several outputs: {}", list(outputs)).with_hint("name one in output.tensor");
    }
    if (c_.task == Task::kSegment && std::ranges::any_of(outputs, [](const ValueInfo& output) {
          return output.has_shape && output.shape.rank() == 3;
        })) {
      return wrong("boxes and mask prototypes ({}): instance segmentation is not supported", list(outputs))
          .with_hint("tern's segment gives each pixel a class; if one output does so, name it in output.tensor");
    }
    const std::size_t rank = c_.task == Task::kDetect ? 3 : c_.task == Task::kSegment ? 4 : 2;
    std::vector<const ValueInfo*> fitting;
    for (const ValueInfo& output : outputs) {
      if (output.has_shape && output.shape.rank() == rank) fitting.push_back(&output);
    }
    if (fitting.size() != 1) {
      return wrong("{} of the model's outputs could be the result of '{}': {}", fitting.size(), to_string(c_.task),
                   list(outputs))
          .with_hint("name one in output.tensor");
    }
    output_ = fitting.front();
    from_model("output.tensor", fmt::format("its only output of {} dimensions", rank));
  }
  c_.output.tensor = output_->name;
  if (output_->dtype != DType::kF32 && output_->dtype != DType::kF16) {
    return wrong("the output {} gives {}; results are read from f32 or f16", in_quotes(output_->name),
                 to_string(output_->dtype));
  }
  return {};
}

// Which of the two detector outputs the shape speaks for.
Result<OutputKind> Completer::detector_kind() const {
  const Status unclear =
      wrong("what the output {} means cannot be told from its shape", show(*output_))
          .with_hint("set output.kind to yolo (N, 4 + classes, anchors) or end2end (N, K, 6), and output.names");
  if (!output_->has_shape || output_->shape.rank() != 3) return unclear;
  const std::int64_t rows = output_->shape[1], columns = output_->shape[2];
  const std::int64_t classes = has("output.names")     ? static_cast<std::int64_t>(c_.output.names.size())
                               : has("output.classes") ? c_.output.classes
                                                       : 0;
  const bool yolo = classes > 0 ? rows == 4 + classes : rows > 4 && columns != 6;
  const bool end_to_end = columns == 6;
  if (yolo == end_to_end) {
    if (yolo || rows == Shape::kDynamic || columns == Shape::kDynamic) return unclear;
    return OutputKind::kYolo;  // the shape fits neither; the check of yolo's says why
  }
  return yolo ? OutputKind::kYolo : OutputKind::kEnd2End;
}

Status Completer::read_task_and_kind() {
  const std::string detail = "output " + show(*output_);
  if (!has("output.kind")) {
    const std::size_t rank = output_->has_shape ? output_->shape.rank() : 0;
    if (has("task") ? c_.task == Task::kDetect : rank == 3) {
      TERN_ASSIGN_OR_RETURN(c_.output.kind, detector_kind());
    } else if (has("task") ? c_.task == Task::kSegment : rank == 4) {
      c_.output.kind = OutputKind::kSegmentation;
    } else if (has("task") || rank == 2) {
      c_.output.kind = OutputKind::kClassification;
    } else {
      return wrong("what the output {} means cannot be told", show(*output_)).with_hint("set task and output.kind");
    }
    from_model("output.kind", detail);
  }
  if (!has("task")) {
    const OutputKind kind = c_.output.kind;
    c_.task = kind == OutputKind::kSegmentation     ? Task::kSegment
              : kind == OutputKind::kClassification ? Task::kClassify
                                                    : Task::kDetect;
    from_model("task", detail);
  }
  const std::size_t want = c_.output.kind == OutputKind::kSegmentation     ? 4
                           : c_.output.kind == OutputKind::kClassification ? 2
                                                                           : 3;
  if (output_->has_shape && output_->shape.rank() != want) {
    return wrong("output.kind is '{}', which has {} dimensions, but the model's output is {}",
                 to_string(c_.output.kind), want, show(*output_))
        .with_hint(has("task") ? "task '" + std::string(to_string(c_.task)) + "' comes from " + source_of("task")
                               : "name another output in output.tensor");
  }
  return {};
}

Status Completer::check_yolo_shape(std::int64_t classes) const {
  const std::int64_t rows = output_->shape[1], columns = output_->shape[2];
  if (rows == Shape::kDynamic || rows == 4 + classes) return {};
  if (columns == 4 + classes || columns == 5 + classes) {
    return wrong("the output {} is (N, anchors, {} + classes), not (N, 4 + classes, anchors)", show(*output_),
                 columns - classes)
        .with_hint(columns == 5 + classes ? "YOLOv5-style outputs with an objectness score are not supported"
                                          : "transpose the output when exporting");
  }
  return wrong("{} classes (from {}) make 4 + {} = {} rows, but the model's output is {}", classes,
               has("output.names") ? source_of("output.names") : source_of("output.classes"), classes, 4 + classes,
               show(*output_));
}

Status Completer::read_classes() {
  // Where the shape holds the number: yolo's rows behind the box, the channel dimension of the others.
  const bool yolo = c_.output.kind == OutputKind::kYolo, end_to_end = c_.output.kind == OutputKind::kEnd2End;
  std::int64_t in_shape = Shape::kDynamic;
  if (output_->has_shape && !end_to_end) {
    in_shape = output_->shape[1];
    if (yolo && in_shape != Shape::kDynamic) in_shape -= 4;
  }
  if (end_to_end && output_->has_shape && output_->shape[2] != Shape::kDynamic && output_->shape[2] != 6) {
    return wrong("output.kind is 'end2end', (N, K, 6), but the model's output is {}", show(*output_));
  }
  const bool named = has("output.names");
  if (named && !has("output.classes")) {
    c_.output.classes = static_cast<int>(c_.output.names.size());
    c_.origins.insert_or_assign("output.classes", c_.origins.at("output.names"));
  }
  const bool counted = named || has("output.classes");
  if (named && c_.output.names.size() != static_cast<std::size_t>(c_.output.classes)) {
    return wrong("output.names in {} has {} names, but output.classes in {} is {}", source_of("output.names"),
                 c_.output.names.size(), source_of("output.classes"), c_.output.classes);
  }
  if (counted && yolo && output_->has_shape) TERN_RETURN_IF_ERROR(check_yolo_shape(c_.output.classes));
  if (counted && in_shape != Shape::kDynamic && in_shape != c_.output.classes) {
    return wrong("{} has {} classes, but the model's output {} has {}",
                 source_of(named ? "output.names" : "output.classes"), c_.output.classes, show(*output_), in_shape);
  }
  if (!counted) {
    if (in_shape == Shape::kDynamic) {
      return wrong("the number of classes is not known: the output {} does not tell", show(*output_))
          .with_hint("set output.names or output.classes");
    }
    if (in_shape < 1 || in_shape > 65536 ||
        (yolo && output_->shape[2] != Shape::kDynamic && in_shape > output_->shape[2])) {
      return wrong("the output {} is not {}", show(*output_),
                   yolo ? "(N, 4 + classes, anchors)" : "a result for 1..65536 classes")
          .with_hint("set output.kind and output.names, or transpose the output when exporting");
    }
    c_.output.classes = static_cast<int>(in_shape);
    from_model("output.classes", "output " + show(*output_));
  }
  if (!named) {
    for (int i = 0; i < c_.output.classes; ++i)
      c_.output.names.push_back(fmt::format("class{}", i));
    by_default("output.names", "the model names none");
  }
  return {};
}

Status Completer::read_logits() {
  if (c_.task == Task::kDetect) {
    if (!has("output.logits")) by_default("output.logits", "detectors give scores");
    return {};
  }
  const std::string_view op = final_operator(model_.rep().proto.graph(), output_->name);
  const bool logits = op != "Softmax" && op != "Sigmoid";
  if (has("output.logits") && c_.output.logits && !logits) {
    return wrong("output.logits is true in {}, but the model ends with {}", source_of("output.logits"), op)
        .with_hint("softmax must not be applied twice: set output.logits to false");
  }
  if (has("output.logits")) return {};
  c_.output.logits = logits;
  if (logits) {
    by_default("output.logits", "the model does not end with Softmax or Sigmoid");
  } else {
    from_model("output.logits", fmt::format("it ends with {}", op));
  }
  return {};
}

void Completer::set_defaults() {
  if (!has("input.resize")) {
    switch (c_.task) {
      case Task::kDetect:
        c_.input.resize = ResizeRule::kLetterbox;
        by_default("input.resize", "detectors are letterboxed");
        break;
      case Task::kSegment:
        c_.input.resize = ResizeRule::kStretch;
        by_default("input.resize", "segmenters are stretched");
        break;
      case Task::kClassify:
        c_.input.resize = metadata_.ultralytics ? ResizeRule::kCenterCrop : ResizeRule::kStretch;
        by_default("input.resize",
                   metadata_.ultralytics ? "Ultralytics classifiers are cropped" : "classifiers are stretched");
        break;
    }
  }
  if (!has("output.score_threshold") && c_.task != Task::kDetect) {
    c_.output.score_threshold = 0;
    by_default("output.score_threshold", "every pixel or image gets its class");
  }
  for (const ContractField& field : contract_fields())
    c_.origins.try_emplace(std::string(field.path));
}

Result<Contract> Completer::run() {
  TERN_RETURN_IF_ERROR(apply_given());
  TERN_RETURN_IF_ERROR(pick_input());
  TERN_RETURN_IF_ERROR(read_input_type());
  TERN_RETURN_IF_ERROR(read_layout());
  TERN_RETURN_IF_ERROR(read_channels());
  TERN_RETURN_IF_ERROR(read_size());
  TERN_RETURN_IF_ERROR(pick_output());
  TERN_RETURN_IF_ERROR(read_task_and_kind());
  TERN_RETURN_IF_ERROR(read_classes());
  TERN_RETURN_IF_ERROR(read_logits());
  set_defaults();
  TERN_RETURN_IF_ERROR(check_consistency(c_, given_));
  return std::move(c_);
}

}  // namespace

Result<Contract> complete_contract(const Model& model, const GivenValues& given, const MetadataFacts& metadata) {
  return Completer(model, given, metadata).run();
}

}  // namespace tern
