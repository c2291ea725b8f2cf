// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "runtime/golden_compare.h"
#include "runtime/golden_noise.h"
#include "runtime/golden_run.h"
#include "tern/golden.h"
#include "tern/preprocess.h"

namespace tern {
namespace {

/// The input that the contract's images go into; null when there is no such input.
const TensorSpec* find_image_input(const std::vector<TensorSpec>& inputs, const InputContract& contract) {
  const auto found = std::ranges::find(inputs, contract.tensor, &TensorSpec::name);
  return found == inputs.end() ? nullptr : &*found;
}

/// Shape of one image's input: batch 1, sides as the engine has them, else as the contract says.
Result<Shape> image_shape(const TensorSpec& spec, const InputContract& contract) {
  const auto [width, height] = contract.default_size();
  const bool is_nchw = contract.layout == TensorLayout::kNchw;
  const std::int64_t channels = contract.channels();
  Shape wanted = is_nchw ? Shape{1, channels, height, width} : Shape{1, height, width, channels};
  if (spec.shape.rank() == wanted.rank()) {
    for (const std::size_t side : is_nchw ? std::array<std::size_t, 2>{2, 3} : std::array<std::size_t, 2>{1, 2}) {
      if (spec.shape[side] != Shape::kDynamic) wanted[side] = spec.shape[side];
    }
  }
  Shape rows = spec.shape;  // any number of rows will do
  if (rows.rank() > 0) rows[0] = Shape::kDynamic;
  if (!rows.accepts(wanted) || spec.dtype != contract.dtype) {
    return make_error(StatusCode::kContractError, "the engine's input is {} of {}; the contract needs {} of {}",
                      to_string(spec.dtype), spec.shape.to_string(), to_string(contract.dtype), wanted.to_string())
        .at(spec.name);
  }
  return wanted;
}

/// Shape of an input that no contract tells about: open dimensions are 1. A fixed leading dimension may be anything, so it
/// stays, unless it is the batch of the images that go in beside it.
Shape other_shape(const TensorSpec& spec, std::int64_t image_batch) {
  Shape shape = spec.shape;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (shape[i] == Shape::kDynamic || (i == 0 && shape[i] == image_batch)) shape[i] = 1;
  }
  return shape;
}

Result<Tensor> preprocess(Preprocessor& preprocessor, const Shape& shape, const ImageView& image,
                          const ImageView* region) {
  TERN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::create(preprocessor.contract().dtype, shape));
  Geometry geometry;
  TERN_RETURN_IF_ERROR(
      preprocessor.run({&image, 1}, {region, region == nullptr ? 0U : 1U}, tensor.view(), {&geometry, 1}));
  return tensor;
}

Result<Tensor> noise_input(NoiseSource& noise, Preprocessor& preprocessor, const Shape& shape) {
  const bool is_nchw = preprocessor.contract().layout == TensorLayout::kNchw;
  const std::int64_t height = shape[is_nchw ? 2 : 1], width = shape[is_nchw ? 3 : 2];
  constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;
  if (height < 1 || width < 1 || height > ImageView::kMaxSide || width > ImageView::kMaxSide ||
      width * height > kMaxPixels)
    return make_error(StatusCode::kContractError, "an input of {} takes no image", shape.to_string());
  const NoiseImage scene = NoiseImage::scene(noise, static_cast<int>(width), static_cast<int>(height));
  if (!preprocessor.contract().mask_channel) return preprocess(preprocessor, shape, scene.view(), nullptr);
  const NoiseImage region = NoiseImage::region(noise, scene.width, scene.height);
  const ImageView mask = region.view();
  return preprocess(preprocessor, shape, scene.view(), &mask);
}

Result<GoldenFrame> noise_frame(const std::vector<TensorSpec>& inputs, const Contract* contract, NoiseSource& noise) {
  const TensorSpec* image_input = contract == nullptr ? nullptr : find_image_input(inputs, contract->input);
  if (contract != nullptr && image_input == nullptr) {
    return make_error(StatusCode::kContractError, "the engine has no input '{}', which the contract names",
                      contract->input.tensor);
  }
  const std::int64_t batch = image_input == nullptr || image_input->shape.rank() == 0 ? 0 : image_input->shape[0];
  GoldenFrame frame;
  for (const TensorSpec& spec : inputs) {
    Tensor tensor;
    if (&spec == image_input) {
      TERN_ASSIGN_OR_RETURN(Preprocessor preprocessor, Preprocessor::create(contract->input));
      TERN_ASSIGN_OR_RETURN(const Shape shape, image_shape(spec, contract->input));
      TERN_ASSIGN_OR_RETURN(tensor, noise_input(noise, preprocessor, shape));
    } else {
      TERN_ASSIGN_OR_RETURN(tensor, Tensor::create(spec.dtype, other_shape(spec, batch)));
      fill_with_noise(noise, tensor.view());
    }
    frame.inputs.push_back({spec.name, std::move(tensor)});
  }
  return frame;
}

Status check_count(std::size_t count) {
  if (count >= 1 && count <= static_cast<std::size_t>(GoldenSet::kMaxFrames)) return {};
  return make_error(StatusCode::kConfigError, "{} golden frames; 1 to {} are possible", count, GoldenSet::kMaxFrames);
}

/// Labels must fit image and contract: a wrong one would condemn a right engine.
Status check_labels(const GoldenImage& image, const Contract& contract) {
  const auto is_class = [&](int id) { return id >= 0 && id < contract.output.classes; };
  if (image.boxes) {
    for (const Detection& box : *image.boxes) {
      if (!is_class(box.class_id))
        return make_error(StatusCode::kInputError, "a box is labelled as class {}; the model has classes 0 to {}",
                          box.class_id, contract.output.classes - 1);
    }
  }
  const auto pixels = static_cast<std::size_t>(image.image.width) * static_cast<std::size_t>(image.image.height);
  if (image.mask && image.mask->size() != pixels) {
    return make_error(StatusCode::kInputError, "the label mask has {} pixels, the image {}x{}", image.mask->size(),
                      image.image.width, image.image.height);
  }
  if (image.mask) {
    const auto bad = std::ranges::find_if(
        *image.mask, [&](std::uint8_t id) { return id != Segmentation::kBackground && !is_class(id); });
    if (bad != image.mask->end())
      return make_error(StatusCode::kInputError,
                        "the label mask has a pixel of class {}; the model has classes 0 to {}", *bad,
                        contract.output.classes - 1);
  }
  if (image.class_id && !is_class(*image.class_id)) {
    return make_error(StatusCode::kInputError, "the image is labelled as class {}; the model has classes 0 to {}",
                      *image.class_id, contract.output.classes - 1);
  }
  return {};
}

Result<GoldenFrame> image_frame(const TensorSpec& spec, const Shape& shape, const Contract& contract,
                                Preprocessor& preprocessor, const GoldenImage& image) {
  TERN_RETURN_IF_ERROR(image.image.validate());
  TERN_RETURN_IF_ERROR(check_labels(image, contract));
  GoldenFrame frame;
  TERN_ASSIGN_OR_RETURN(Tensor tensor,
                        preprocess(preprocessor, shape, image.image, image.region ? &*image.region : nullptr));
  frame.inputs.push_back({spec.name, std::move(tensor)});
  frame.width = image.image.width;
  frame.height = image.image.height;
  frame.boxes = image.boxes;
  frame.mask = image.mask;
  frame.class_id = image.class_id;
  return frame;
}

Status record_frame(GoldenRunner& runner, GoldenFrame& frame) {
  TERN_ASSIGN_OR_RETURN(const std::vector<GoldenRunner::Output> outputs, runner.run(frame, 1));
  std::vector<GoldenTensor> reference;
  for (const GoldenRunner::Output& output : outputs) {
    TERN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::copy_of(output.first_row()));
    if (!is_finite(tensor.view()))
      return Status(StatusCode::kGoldenCheckError, "the reference holds NaN or infinity")
          .at(output.name)
          .with_hint("the model itself gives it: mend the model, or give golden frames that it can take");
    reference.push_back({std::string(output.name), std::move(tensor)});
  }
  frame.outputs = std::move(reference);
  return {};
}

}  // namespace

Result<std::vector<GoldenFrame>> noise_frames(const std::vector<TensorSpec>& inputs, const Contract* contract,
                                              int count, std::uint64_t seed) {
  TERN_RETURN_IF_ERROR(check_count(static_cast<std::size_t>(std::max(count, 0))));
  std::vector<GoldenFrame> frames;
  for (int i = 0; i < count; ++i) {
    // Each frame has a source of its own, so that frame i is the same however many there are.
    NoiseSource noise(seed + static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15U);
    TERN_ASSIGN_OR_RETURN(GoldenFrame frame, noise_frame(inputs, contract, noise));
    frames.push_back(std::move(frame));
  }
  return frames;
}

Result<std::vector<GoldenFrame>> image_frames(const std::vector<TensorSpec>& inputs, const Contract& contract,
                                              std::span<const GoldenImage> images) {
  TERN_RETURN_IF_ERROR(check_count(images.size()));
  const TensorSpec* spec = find_image_input(inputs, contract.input);
  if (inputs.size() != 1 || spec == nullptr) {
    return make_error(StatusCode::kContractError, "golden images feed the input '{}' alone; the engine has {} inputs",
                      contract.input.tensor, inputs.size())
        .with_hint("leave the images out: seeded noise feeds every input");
  }
  TERN_ASSIGN_OR_RETURN(Preprocessor preprocessor, Preprocessor::create(contract.input));
  TERN_ASSIGN_OR_RETURN(const Shape shape, image_shape(*spec, contract.input));
  std::vector<GoldenFrame> frames;
  for (std::size_t i = 0; i < images.size(); ++i) {
    Result<GoldenFrame> frame = image_frame(*spec, shape, contract, preprocessor, images[i]);
    if (!frame.ok()) return frame.status().at(fmt::format("golden image {}", i));
    frames.push_back(*std::move(frame));
  }
  return frames;
}

Status record_reference(Engine& engine, std::vector<GoldenFrame>& frames) {
  TERN_ASSIGN_OR_RETURN(GoldenRunner runner, GoldenRunner::create(engine));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Status status = record_frame(runner, frames[i]);
    if (!status.ok()) return status.at(fmt::format("reference {}, frame {}", engine.backend(), i));
  }
  return {};
}

}  // namespace tern
