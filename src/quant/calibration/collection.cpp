// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "model/text.h"
#include "quant/calibration/collection_state.h"
#include "quant/calibration/collector.h"
#include "tern/calibration.h"
#include "tern/quantize.h"

namespace tern {
namespace {

constexpr int kMaxWorkers = 256;
/// Frames between two looks at whether the partial file is old.
constexpr std::size_t kFramesOfAStep = 8;
constexpr std::chrono::seconds kSaveEvery{10};
/// What a tensor counts for whose size the backend does not tell.
constexpr std::uint64_t kUnknownBytes = std::uint64_t{16} << 20;

using Group = std::vector<std::string>;
using Observers = std::vector<std::unique_ptr<FrameObserver>>;

int worker_count(int asked, std::size_t frames) {
  const int wanted = asked > 0 ? asked : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return std::clamp(std::min(wanted, static_cast<int>(std::min<std::size_t>(frames, kMaxWorkers))), 1, kMaxWorkers);
}

/// f32, one picture a run, one thread, the size that tasks use.
BuildConfig float_config(const Model& model, const InputContract& input) {
  BuildConfig config;
  config.precision = Precision::kF32;
  config.max_batch = 1;
  config.threads = 1;
  const ValueInfo& value = model.inputs().front();
  if (!value.has_shape || value.shape.is_static()) return config;
  const auto [width, height] = input.default_size();
  const bool is_nchw = input.layout == TensorLayout::kNchw;
  const std::int64_t batch = value.shape.rank() > 0 && value.shape[0] > 0 ? value.shape[0] : 1;
  const Shape shape =
      is_nchw ? Shape{batch, input.channels(), height, width} : Shape{batch, height, width, input.channels()};
  config.profiles.push_back({input.tensor, shape, shape, shape});
  return config;
}

std::uint64_t bytes_of(const TensorSpec& spec) {
  const auto elements = spec.shape.elements();
  return elements.ok() ? static_cast<std::uint64_t>(*elements) * size_of(spec.dtype) : kUnknownBytes;
}

/// Splits the tensors, in their order, so that what one run gives out stays within `limit`; a tensor beyond it is alone.
std::vector<Group> split(const Group& tensors, const std::vector<TensorSpec>& outputs, std::uint64_t limit) {
  std::vector<Group> groups(1);
  std::uint64_t bytes = 0;
  for (const std::string& tensor : tensors) {
    const auto spec = std::ranges::find(outputs, tensor, &TensorSpec::name);
    const std::uint64_t more = spec == outputs.end() ? 0 : bytes_of(*spec);  // the input costs nothing
    if (bytes + more > limit && !groups.back().empty()) {
      groups.emplace_back();
      bytes = 0;
    }
    bytes += more;
    groups.back().push_back(tensor);
  }
  return groups;
}

/// Every pixel is like the first one. A chroma plane counts for itself.
bool is_one_colour(const ImageView& image) noexcept {
  for (int p = 0; p < plane_count(image.format); ++p) {
    const ImageView::Plane& plane = image.planes[static_cast<std::size_t>(p)];
    const bool is_chroma = p > 0;
    const bool is_packed = image.format == PixelFormat::kBgr || image.format == PixelFormat::kRgb;
    const std::size_t step = is_packed                                         ? 3
                             : image.format == PixelFormat::kBgra              ? 4
                             : is_chroma && image.format == PixelFormat::kNv12 ? 2
                                                                               : 1;
    const auto width = static_cast<std::size_t>(is_chroma ? (image.width + 1) / 2 : image.width) * step;
    const int height = is_chroma ? (image.height + 1) / 2 : image.height;
    if (std::memcmp(plane.data, plane.data + step, width - step) != 0) return false;
    for (int y = 1; y < height; ++y)
      if (std::memcmp(plane.data, plane.data + y * plane.stride, width) != 0) return false;
  }
  return true;
}

/// Notes whether any picture shows something.
class WatchedPictures final : public CalibrationSource {
 public:
  explicit WatchedPictures(CalibrationSource& pictures) : pictures_(pictures) {}
  [[nodiscard]] std::size_t size() const override { return pictures_.size(); }
  [[nodiscard]] Result<std::string> hash() override { return pictures_.hash(); }
  [[nodiscard]] Result<CalibrationFrame> read(std::size_t index) override {
    auto frame = pictures_.read(index);
    if (frame.ok() && !shows_something_ && frame->image.validate().ok() && !is_one_colour(frame->image))
      shows_something_ = true;
    return frame;
  }
  [[nodiscard]] bool shows_something() const noexcept { return shows_something_; }

 private:
  CalibrationSource& pictures_;
  std::atomic<bool> shows_something_ = false;
};

/// One collection, from its first group to its last.
class Collection {
 public:
  Collection(const Model& model, const Contract& contract, CalibrationSource& source, Backend& backend,
             const CollectOptions& options)
      : model_(model), contract_(contract), source_(source), backend_(backend), options_(options) {}

  Status observe(std::span<const std::string> tensors, const ObserveTensor& observe) {
    TERN_RETURN_IF_ERROR(check(tensors));
    TERN_ASSIGN_OR_RETURN(const EngineBlob blob, compile(tensors_));
    TERN_ASSIGN_OR_RETURN(const Observers observers, make_observers(blob, tensors_));
    std::mutex one_at_a_time;
    return run_frames(
        observers, source_, 0, source_.size(),
        [&](std::size_t /*worker*/, std::string_view tensor, std::span<const float> values) {
          const std::scoped_lock lock(one_at_a_time);
          return observe(tensor, values);
        },
        options_.stop,
        [&](std::size_t done) {
          progress("observe", static_cast<double>(done) / static_cast<double>(source_.size()));
        });
  }

  Result<ActivationStatistics> run(std::span<const std::string> tensors) {
    TERN_RETURN_IF_ERROR(check(tensors));
    progress("compile", 0);
    TERN_ASSIGN_OR_RETURN(EngineBlob blob, compile(tensors_));
    const std::vector<Group> groups = split(tensors_, blob.outputs, options_.activation_bytes);
    if (groups.size() > 1) blob = {};
    state_.identity = identity();
    TERN_RETURN_IF_ERROR(resume(groups.size()));
    steps_ = groups.size() * 2 * source_.size();
    while (state_.group < groups.size()) {
      const Group& group = groups[state_.group];
      if (blob.bytes.empty()) {
        TERN_ASSIGN_OR_RETURN(blob, compile(group));
      }
      TERN_RETURN_IF_ERROR(collect(blob, group));
      state_.finished.tensors.merge(state_.current.tensors);
      state_.current = {};
      ++state_.group;
      state_.is_second_pass = false;
      state_.frames_done = 0;
      blob = {};
    }
    state_.finished.frames = source_.size();
    std::error_code ignored;
    if (!options_.partial_file.empty()) std::filesystem::remove(options_.partial_file, ignored);
    return std::move(state_.finished);
  }

 private:
  Status check(std::span<const std::string> tensors) {
    if (source_.size() == 0) return Status(StatusCode::kCalibrationCacheError, "there is no picture to calibrate with");
    if (options_.workers < 0 || options_.workers > kMaxWorkers)
      return make_error(StatusCode::kConfigError, "workers is {}; it must be 0 to {}", options_.workers, kMaxWorkers);
    if (model_.inputs().size() != 1) {
      return make_error(StatusCode::kContractError, "the model has {} inputs; calibration feeds '{}' alone",
                        model_.inputs().size(), contract_.input.tensor);
    }
    tensors_.assign(tensors.begin(), tensors.end());
    const std::set<std::string> names(tensors.begin(), tensors.end());
    if (names.size() != tensors_.size() || names.empty())
      return Status(StatusCode::kInputError, "the list of tensors is empty, or names one twice");
    TERN_ASSIGN_OR_RETURN(dataset_, source_.hash());  // refuses pictures that are all one file, too
    return {};
  }

  /// All that decides what the statistics are.
  std::string identity() {
    Sha256 hash;
    const auto add = [&](std::string_view text) { hash.update(fmt::format("{} {}\n", text.size(), text)); };
    add("tern-collection-v1");
    add(model_.content_hash());
    add(calibration_contract_hash(contract_));
    add(dataset_);
    add(calibration_backend_text(backend_));
    add(fmt::format("{}", options_.activation_bytes));
    for (const std::string& tensor : tensors_)
      add(tensor);
    return to_hex(hash.finish());
  }

  Status resume(std::size_t groups) {
    if (options_.partial_file.empty()) return {};
    std::error_code ignored;
    if (!std::filesystem::exists(options_.partial_file, ignored)) return {};
    TERN_ASSIGN_OR_RETURN(const auto bytes, read_file(options_.partial_file, CollectionState::kMaxBytes,
                                                      StatusCode::kCalibrationCacheError));
    TERN_ASSIGN_OR_RETURN(CollectionState state,
                          CollectionState::from_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                                                      options_.partial_file.string()));
    if (state.identity != state_.identity || state.group >= groups || state.frames_done > source_.size()) {
      options_.logger->log(LogLevel::kWarning, "calibration",
                           options_.partial_file.string() +
                               ": is of another model, contract, data set or backend; the calibration begins anew");
      return {};
    }
    options_.logger->log(
        LogLevel::kInfo, "calibration",
        fmt::format("{}: going on after {} of {} pictures of the {} pass", options_.partial_file.string(),
                    state.frames_done, source_.size(), state.is_second_pass ? "second" : "first"));
    state_ = std::move(state);
    was_resumed_ = true;
    return {};
  }

  Status save() {
    if (options_.partial_file.empty()) return {};
    last_saved_ = std::chrono::steady_clock::now();
    TERN_ASSIGN_OR_RETURN(const std::string bytes, state_.to_bytes());
    return write_file(options_.partial_file, bytes);
  }

  Result<EngineBlob> compile(const Group& tensors) {
    Group exposed = tensors;
    std::erase(exposed, contract_.input.tensor);
    TERN_ASSIGN_OR_RETURN(const Model with_outputs, expose_tensors(model_, exposed));
    return backend_.compile(with_outputs, float_config(model_, contract_.input), {}, options_.stop);
  }

  Result<Observers> make_observers(const EngineBlob& blob, const Group& group) {
    Observers observers;
    for (int i = worker_count(options_.workers, source_.size()); i > 0; --i) {
      // An engine each: contexts of one CPU engine wait for each other.
      TERN_ASSIGN_OR_RETURN(std::shared_ptr<Engine> engine,
                            backend_.load(blob, {.threads = 1, .cuda_graph = false, .logger = options_.logger}));
      TERN_ASSIGN_OR_RETURN(observers.emplace_back(), FrameObserver::create(std::move(engine), contract_.input, group));
    }
    return observers;
  }

  /// Both passes over one group.
  Status collect(const EngineBlob& blob, const Group& group) {
    TERN_ASSIGN_OR_RETURN(const Observers observers, make_observers(blob, group));
    if (!state_.is_second_pass) {
      TERN_RETURN_IF_ERROR(pass(observers));
      TERN_RETURN_IF_ERROR(check_pictures());
      state_.current.begin_histograms();
      state_.is_second_pass = true;
      state_.frames_done = 0;
    }
    TERN_RETURN_IF_ERROR(pass(observers));
    return save();
  }

  Status pass(std::span<const std::unique_ptr<FrameObserver>> observers) {
    const std::size_t step = kFramesOfAStep * observers.size();
    while (state_.frames_done < source_.size()) {
      const auto first = static_cast<std::size_t>(state_.frames_done);
      const std::size_t count = std::min(step, source_.size() - first);
      const Status status = observe_frames(observers, source_, first, count, state_.is_second_pass, state_.current,
                                           options_.stop, [&](std::size_t done) { report(first + done); });
      if (!status.ok()) {
        // What was seen before stays of use, unless it is the pictures that are bad.
        if (status.code() == StatusCode::kCancelled) TERN_RETURN_IF_ERROR(save());
        return status;
      }
      state_.frames_done += count;
      if (std::chrono::steady_clock::now() - last_saved_ > kSaveEvery) TERN_RETURN_IF_ERROR(save());
    }
    return {};
  }

  /// Pictures of one colour each calibrate nothing. An interrupted run has not seen all of them.
  Status check_pictures() const {
    if (was_resumed_ || source_.shows_something()) return {};
    return make_error(StatusCode::kInputError, "each of the {} pictures is of one colour", source_.size())
        .with_hint("calibrate with images like those that the model will see");
  }

  void report(std::size_t frames) {
    const std::size_t before = (2 * state_.group + (state_.is_second_pass ? 1 : 0)) * source_.size();
    progress(state_.is_second_pass ? "histograms" : "ranges",
             static_cast<double>(before + frames) / static_cast<double>(steps_));
  }
  void progress(std::string_view phase, double fraction) const {
    if (options_.progress) options_.progress(phase, fraction);
  }

  const Model& model_;
  const Contract& contract_;
  WatchedPictures source_;
  Backend& backend_;
  const CollectOptions& options_;
  Group tensors_;
  std::string dataset_;
  CollectionState state_;
  bool was_resumed_ = false;
  std::size_t steps_ = 1;
  std::chrono::steady_clock::time_point last_saved_ = std::chrono::steady_clock::now();
};

}  // namespace

Result<ActivationStatistics> collect_statistics(const Model& model, const Contract& contract,
                                                std::span<const std::string> tensors, CalibrationSource& source,
                                                Backend& backend, const CollectOptions& options) {
  return Collection(model, contract, source, backend, options).run(tensors);
}

Status observe_tensors(const Model& model, const Contract& contract, std::span<const std::string> tensors,
                       CalibrationSource& source, Backend& backend, const CollectOptions& options,
                       const ObserveTensor& observe) {
  return Collection(model, contract, source, backend, options).observe(tensors, observe);
}

Result<std::vector<std::string>> calibration_tensors(const Model& model) {
  std::vector<std::string> tensors;
  std::set<std::string> known;
  Status first;
  for (const QuantTarget target : {QuantTarget::kTensorRt, QuantTarget::kOpenVino, QuantTarget::kOnnxRuntime}) {
    for (const bool keep_head : {true, false}) {
      const auto plan = plan_quantization(model, {.target = target, .keep_head_float = keep_head});
      if (!plan.ok()) {
        if (first.ok()) first = plan.status();
        continue;
      }
      for (const std::string& tensor : plan->tensors) {
        if (known.insert(tensor).second) tensors.push_back(tensor);
      }
    }
  }
  if (tensors.empty()) return first;
  return tensors;
}

std::string calibration_backend_text(const Backend& backend) {
  const HostFacts host = backend.host_facts();
  return fmt::format("{} {} {}", backend.name(), host.version, host.target);
}

Result<CalibrationPassport> make_passport(const Model& model, const Contract& contract,
                                          std::span<const std::string> tensors, const std::string& dataset_hash,
                                          const Backend& backend, const ActivationStatistics& statistics,
                                          const CalibrationOptions& options) {
  CalibrationPassport passport;
  passport.model_name = model.stem();
  passport.model_hash = model.content_hash();
  passport.contract_hash = calibration_contract_hash(contract);
  passport.dataset_hash = dataset_hash;
  passport.frames = statistics.frames;
  passport.method = to_string(options.method);
  passport.percentile = options.method == CalibrationMethod::kPercentile ? options.percentile : 0;
  passport.backend = calibration_backend_text(backend);
  TERN_ASSIGN_OR_RETURN(passport.ranges, calibrate(statistics, options));
  passport.wanted = tensors.size();
  passport.covered = static_cast<std::size_t>(
      std::ranges::count_if(tensors, [&](const std::string& name) { return passport.ranges.contains(name); }));
  return passport;
}

}  // namespace tern
