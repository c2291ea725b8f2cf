// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quant/calibration/collector.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "model/text.h"
#include "preprocess/cpu/half.h"

namespace tern {
namespace {

Shape input_shape(const InputContract& input, std::int64_t batch) {
  const auto [width, height] = input.default_size();
  const std::int64_t channels = input.channels();
  return input.layout == TensorLayout::kNchw ? Shape{batch, channels, height, width}
                                             : Shape{batch, height, width, channels};
}

/// Statistics in the state of `pass` without any values: what a worker begins with.
ActivationStatistics without_values(const ActivationStatistics& pass) {
  ActivationStatistics empty = pass;
  empty.frames = 0;
  for (auto& [name, tensor] : empty.tensors) {
    tensor.values = 0;
    if (tensor.bins.empty()) tensor.min = tensor.max = 0;
    std::ranges::fill(tensor.bins, 0U);
  }
  return empty;
}

}  // namespace

Result<std::unique_ptr<FrameObserver>> FrameObserver::create(std::shared_ptr<Engine> engine, const InputContract& input,
                                                             const std::vector<std::string>& tensors) {
  TERN_ASSIGN_OR_RETURN(Preprocessor preprocessor, Preprocessor::create(input));
  std::unique_ptr<FrameObserver> made(new FrameObserver(std::move(engine), std::move(preprocessor)));
  FrameObserver& self = *made;
  for (const std::string& tensor : tensors) {
    const auto output = std::ranges::find(self.engine_->outputs(), tensor, &TensorSpec::name);
    if (output != self.engine_->outputs().end()) {
      self.ports_.push_back({tensor, static_cast<std::size_t>(output - self.engine_->outputs().begin())});
    } else if (tensor == input.tensor) {
      self.ports_.push_back({tensor, kInput});
    } else {
      return Status(StatusCode::kInternalError, "the engine does not give out a tensor that was asked for")
          .at(in_quotes(tensor));
    }
  }
  const std::int64_t batch = std::max<std::int64_t>(1, self.engine_->batch_size());
  TERN_ASSIGN_OR_RETURN(self.input_, Tensor::create(input.dtype, input_shape(input, batch)));
  self.images_.resize(static_cast<std::size_t>(batch));
  self.regions_.resize(input.mask_channel ? self.images_.size() : 0);
  self.geometry_.resize(self.images_.size());
  TERN_ASSIGN_OR_RETURN(self.context_, self.engine_->create_context());
  TERN_RETURN_IF_ERROR(self.context_->bind_input(0, self.input_.view()));
  return made;
}

Status FrameObserver::run(const CalibrationFrame& frame) {
  if (!regions_.empty() && !frame.region) {
    return Status(StatusCode::kInputError, "the model takes a region mask beside the image, and there is none")
        .with_hint("NAME-region.png beside NAME.jpg");
  }
  std::ranges::fill(images_, frame.image);
  std::ranges::fill(regions_, frame.region.value_or(ImageView()));
  TERN_RETURN_IF_ERROR(preprocessor_.run(images_, regions_, input_.view(), geometry_));
  return context_->infer();
}

Result<const float*> FrameObserver::as_floats(const TensorView& view) {
  if (!view.is_contiguous() || view.device().kind != DeviceKind::kCpu)
    return Status(StatusCode::kInferenceError, "the backend did not give the tensor out as plain host memory");
  if (view.dtype() == DType::kF32) return static_cast<const float*>(view.data());
  converted_.resize(view.elements());
  if (view.dtype() == DType::kF16) {
    std::ranges::transform(view.as<std::uint16_t>(), converted_.begin(), float_from_half);
  } else if (view.dtype() == DType::kU8) {
    std::ranges::copy(view.as<std::uint8_t>(), converted_.begin());
  } else {
    return make_error(StatusCode::kInputError, "its type is {}; int8 ranges are for f32 and f16",
                      to_string(view.dtype()));
  }
  return converted_.data();
}

Status FrameObserver::observe(const CalibrationFrame& frame, const Sink& sink) {
  const Status ran = run(frame);
  if (!ran.ok()) return ran.at(frame.name);
  for (const Port& port : ports_) {
    TensorView view = input_.view();
    if (port.output != kInput) {
      TERN_ASSIGN_OR_RETURN(view, context_->output(port.output));
    }
    const auto values = as_floats(view);
    if (!values.ok()) return values.status().at(in_quotes(port.tensor));
    const Status seen = sink(port.tensor, {*values, view.elements()});
    if (!seen.ok()) return seen.at(frame.name);
  }
  return {};
}

Status run_frames(
    std::span<const std::unique_ptr<FrameObserver>> observers, CalibrationSource& source, std::size_t first,
    std::size_t count,
    const std::function<Status(std::size_t worker, std::string_view tensor, std::span<const float> values)>& sink,
    const std::stop_token& stop, const std::function<void(std::size_t)>& progress) {
  std::atomic<std::size_t> next{first};
  std::mutex mutex;  // guards what follows
  Status failure;
  std::size_t failed_at = first + count, done = 0;
  const auto work = [&](std::size_t worker) {
    const FrameObserver::Sink own_sink = [&](std::string_view tensor, std::span<const float> values) {
      return sink(worker, tensor, values);
    };
    for (std::size_t i = next++; i < first + count && !stop.stop_requested(); i = next++) {
      auto frame = source.read(i);
      const Status status = frame.ok() ? observers[worker]->observe(*frame, own_sink) : frame.status();
      const std::scoped_lock lock(mutex);
      if (status.ok()) {
        progress(++done);
      } else if (i < failed_at) {
        failed_at = i;
        failure = status;
        next = first + count;
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    try {
      for (std::size_t i = 1; i < observers.size(); ++i)
        helpers.emplace_back(work, i);
    } catch (const std::system_error&) {
      // No more threads: those that run, and this one, do the work.
    }
    work(0);
  }
  TERN_RETURN_IF_ERROR(failure);
  if (stop.stop_requested()) return {StatusCode::kCancelled, "stopped before all pictures were seen"};
  return {};
}

Status observe_frames(std::span<const std::unique_ptr<FrameObserver>> observers, CalibrationSource& source,
                      std::size_t first, std::size_t count, bool is_second_pass, ActivationStatistics& total,
                      const std::stop_token& stop, const std::function<void(std::size_t)>& progress) {
  std::vector<ActivationStatistics> seen(observers.size(), without_values(total));
  TERN_RETURN_IF_ERROR(run_frames(
      observers, source, first, count,
      [&](std::size_t worker, std::string_view tensor, std::span<const float> values) {
        return is_second_pass ? seen[worker].observe_histogram(tensor, values.data(), values.size())
                              : seen[worker].observe_range(tensor, values.data(), values.size());
      },
      stop, progress));
  for (const ActivationStatistics& part : seen)
    TERN_RETURN_IF_ERROR(total.merge(part));
  total.frames += count;
  return {};
}

}  // namespace tern
