// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tern/contract.h"
#include "tern/engine.h"
#include "tern/image.h"
#include "tern/log.h"
#include "tern/model.h"
#include "tern/passport.h"
#include "tern/quant.h"
#include "tern/status.h"

namespace tern {

/// One picture to calibrate with.
struct CalibrationFrame {
  std::string name;  ///< for messages: the file, and the frame of a video
  ImageView image;
  std::optional<ImageView> region{};     ///< mask of the contract's extra channel, where it has one
  std::shared_ptr<const void> pixels{};  ///< keeps what the views point at
};

/// Pictures like those that the model will see. 32 to 500 do; more change little.
class TERN_API CalibrationSource {
 public:
  virtual ~CalibrationSource() = default;
  [[nodiscard]] virtual std::size_t size() const = 0;
  /// Picture `index`, always the same pixels. Called by several threads at once; each index twice, roughly in rising order.
  [[nodiscard]] virtual Result<CalibrationFrame> read(std::size_t index) = 0;
  /// Identity of all pictures (see DatasetHash), as 64 hex digits.
  [[nodiscard]] virtual Result<std::string> hash() = 0;
};

struct CollectOptions {
  /// Frames that are run at the same time, each on an engine of its own with one thread. 0: one for each CPU that the process may use.
  int workers = 0;
  /// Bytes of activations that one run may give out. A model with more is run in several groups of tensors, one after the other.
  /// What a tensor's values are to the last bit may depend on which others are given out, so the groups depend on this number
  /// and the model alone, never on the workers; a worker takes about twice as much memory.
  std::uint64_t activation_bytes = std::uint64_t{256} << 20;
  /// Not empty: what was collected is kept here from time to time, and a later call for the same model, contract, pictures,
  /// tensors and backend goes on from there. Removed at the end. Of another call, it is overwritten with a warning;
  /// CalibrationCacheError when it is damaged.
  std::filesystem::path partial_file{};
  Progress progress{};  ///< phases "compile", "ranges", "histograms"
  std::stop_token stop{};
  std::shared_ptr<Logger> logger = null_logger();
};

/// Runs `model` on every picture, twice: once for the ranges, once for the histograms of `tensors` (activations of the model, as
/// plan_quantization() lists them; its input may be among them).
///
/// Always f32 on `backend`, one picture a run (a model with a fixed batch sees the picture in each of its rows) and one thread
/// a run. So on one CPU and backend version the statistics are the same to the last bit for any order of the pictures, number of
/// workers and interruption; elsewhere ranges agree to about 1e-5.
///
/// InputError: no picture, a picture that cannot be read, pictures of one colour each, a value that is NaN or infinite
/// (picture and tensor are named), a tensor that the model has not or whose type is not float. ContractError: a model with
/// more inputs than the image. Cancelled after a stop; what partial_file holds by then counts. What the backend says when it cannot compile or run.
[[nodiscard]] TERN_API Result<ActivationStatistics> collect_statistics(const Model& model, const Contract& contract,
                                                                       std::span<const std::string> tensors,
                                                                       CalibrationSource& source, Backend& backend,
                                                                       const CollectOptions& options = {});

/// What observe_tensors() calls.
using ObserveTensor = std::function<Status(std::string_view tensor, std::span<const float> values)>;
/// Runs `model` on every picture, once, as collect_statistics() does, and gives each tensor's values to `observe`, a tensor at a time, never
/// from two threads at once. All tensors are given out by one run: activation_bytes and partial_file do not count here. Fails as
/// collect_statistics() and as `observe`.
[[nodiscard]] TERN_API Status observe_tensors(const Model& model, const Contract& contract,
                                              std::span<const std::string> tensors, CalibrationSource& source,
                                              Backend& backend, const CollectOptions& options,
                                              const ObserveTensor& observe);

/// Every activation that int8 of `model` may need a range for, on any target and with or without its head: what a calibration that is
/// to serve all of them collects. ModelError as plan_quantization() where no target can quantise the model.
[[nodiscard]] TERN_API Result<std::vector<std::string>> calibration_tensors(const Model& model);

/// "openvino 2026.4.1 x86_64_avx512_vnni": CalibrationPassport::backend.
[[nodiscard]] TERN_API std::string calibration_backend_text(const Backend& backend);

/// The passport of a calibration of `tensors` that was collected here.
[[nodiscard]] TERN_API Result<CalibrationPassport> make_passport(
    const Model& model, const Contract& contract, std::span<const std::string> tensors, const std::string& dataset_hash,
    const Backend& backend, const ActivationStatistics& statistics, const CalibrationOptions& options = {});

}  // namespace tern
