// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/log.h"
#include "tern/model.h"
#include "tern/status.h"
#include "tern/tensor.h"

namespace tern {

enum class Precision : std::uint8_t { kAuto, kF32, kF16, kBF16, kI8, kMixed };
/// "auto", "f32", "f16", "bf16", "i8", "mixed".
[[nodiscard]] TERN_API std::string_view to_string(Precision precision) noexcept;
/// Also accepts "fp32", "fp16", "int8".
[[nodiscard]] TERN_API Result<Precision> parse_precision(std::string_view text);

/// What a CPU backend's scheduler aims at.
enum class PerformanceHint : std::uint8_t { kLatency, kThroughput };

/// The shapes one input may take. min == max makes the shape static, which most backends run faster.
struct ShapeProfile {
  std::string tensor;  ///< name of the input
  Shape min, opt, max;
};

/// Scratch memory that a backend may use while it chooses kernels.
struct Workspace {
  std::uint64_t bytes = 0;  ///< not 0: this many bytes
  int percent = 0;          ///< not 0: this part of the device's free memory, 1..100
};
/// "90%", "128MiB", "1000000". ConfigError otherwise.
[[nodiscard]] TERN_API Result<Workspace> parse_workspace(std::string_view text);
/// What parse_workspace() takes: "90%", or bytes.
[[nodiscard]] TERN_API std::string to_string(const Workspace& workspace);
/// "images=1x3x640x640:4x3x640x640:8x3x640x640" (min:opt:max), or one shape for all three. ConfigError otherwise.
[[nodiscard]] TERN_API Result<ShapeProfile> parse_profile(std::string_view text);

/// Which GPUs an engine may run on.
enum class HardwareLevel : std::uint8_t {
  kThisGpu,     ///< the compute capability and number of multiprocessors that it was built on: the fastest
  kAmperePlus,  ///< any discrete GPU of compute capability 8.0 or newer
};

[[nodiscard]] TERN_API std::string_view to_string(HardwareLevel level) noexcept;
/// "this_gpu" or "ampere_plus". ConfigError otherwise.
[[nodiscard]] TERN_API Result<HardwareLevel> parse_hardware_level(std::string_view text);
/// "cuda:0" to "cuda:63". ConfigError otherwise.
[[nodiscard]] TERN_API Result<Device> parse_gpu(std::string_view text);

/// How an engine is made. All of it is part of the engine's key, but for `timeout`, `isolation`, `timing_cache`, `device`
/// and the path of `calibration`.
struct BuildConfig {
  /// Where the compiler runs.
  enum class Isolation : std::uint8_t {
    kInProcess,  ///< in this process
    kProcess,    ///< in tern-build-worker: its crash, memory and time limits are errors, and its memory goes back
  };

  Precision precision = Precision::kAuto;
  /// For inputs with dynamic dimensions. An input without a profile gets 1..max_batch for a dynamic leading dimension;
  /// its other dynamic dimensions stay open on a CPU, and on TensorRT are 1280 for a height or width. Several profiles for
  /// one input, in their order, are ranges to be optimised apart (TensorRT; ConfigError elsewhere).
  std::vector<ShapeProfile> profiles{};
  int max_batch = 0;  ///< 0: the backend's default (1 on a CPU, 4 on TensorRT)
  int threads = 0;    ///< CPU threads an inference may use; 0: all that the process may use
  PerformanceHint hint = PerformanceHint::kLatency;
  /// None: the backend's default. ConfigError on a backend that has no such limit (CPU backends).
  std::optional<Workspace> workspace{};
  /// How long the compiler searches for fast kernels, 0 (least) to 5. -1: the backend's default. ConfigError on a backend
  /// that has no such levels (CPU backends).
  int optimization_level = -1;
  /// A file in which builds keep what they measured, to spare the next one the work. Empty: none. Shared by processes; no part of
  /// the engine's key. Backends that measure nothing (CPU backends) ignore it.
  std::string timing_cache{};
  /// Ranges that make int8 of a float model: a passport (X.calib.json) or a calibration cache (X.calib_cache) with the files that
  /// belong to it beside it (tern/passport.h). Empty: InferenceRuntime takes those beside the model's file for i8 and auto. The
  /// passport's hash is part of the engine's key, the path is not. ConfigError with a float precision or a quantised model.
  std::string calibration{};

  // What only GPU backends have. ConfigError, with the option's name, on a CPU backend where it is not at its default.
  /// Layers in f32 may round what they multiply to TF32 (10 bits of mantissa). Off, f32 means f32.
  bool tf32 = false;
  HardwareLevel hardware = HardwareLevel::kThisGpu;
  /// The engine brings the runtime that it needs, so that newer versions of the backend (of one major version) can load it. That
  /// is code, so the engine must be signed, and is loaded with a trust store alone.
  bool version_compatible = false;
  /// Streams beside the main one that the layers of one inference may be spread over, 0 to 16. -1: the backend's choice.
  int aux_streams = -1;
  /// Deep-learning accelerator (Jetson) that runs what it can, the GPU the rest. -1: none. ConfigError where there is none of
  /// this number.
  int dla_core = -1;
  /// The GPU that builds, and for which. None: cuda:0.
  std::optional<Device> device{};

  std::chrono::seconds timeout{600};  ///< > 0; Timeout when the build takes longer (kProcess only)
  Isolation isolation = Isolation::kInProcess;

  /// From JSON by docs/schemas/build-config.schema.json. ConfigError names the key that is unknown, of a wrong type or
  /// out of range; keys that are missing keep their defaults. `where` (a file name) stands in the error.
  [[nodiscard]] TERN_API static Result<BuildConfig> from_json(std::string_view json, std::string_view where);
  /// Every key, sorted, no white space. Equal configs give equal bytes.
  [[nodiscard]] TERN_API std::string to_json() const;
};

/// How an engine is used.
struct LoadOptions {
  int threads = 0;  ///< as BuildConfig::threads
  PerformanceHint hint = PerformanceHint::kLatency;
  /// GPU backends: repeat runs of equal shapes and addresses as CUDA graphs, from the second run on.
  bool cuda_graph = true;
  /// The GPU to load on. None: cuda:0. ConfigError on a CPU backend.
  std::optional<Device> device{};
  /// GPU backends: part of the L2 cache that the activations of each context may keep to themselves, in bytes. None: the
  /// backend's choice (TensorRT: nothing).
  std::optional<std::uint64_t> persistent_cache_bytes{};
  /// GPU backends: time the copies and the inference of each run on the device (ExecutionContext::device_times()).
  bool device_times = false;
  /// Code inside of engines may run (BuildConfig::version_compatible). The runtime allows it to signed engines alone.
  bool allow_host_code = false;
  std::shared_ptr<Logger> logger = null_logger();
};

/// Called by compile() from time to time, from its own thread. `fraction` in 0..1 never falls.
using Progress = std::function<void(std::string_view phase, double fraction)>;

/// An input or output of an engine.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;  ///< Shape::kDynamic where it is decided at run time
};

/// A compiled engine as bytes, in the backend's own format, with what is needed to store it and to load it again.
struct EngineBlob {
  std::string backend;          ///< label of the backend that made it
  std::string backend_version;  ///< full version; another one cannot load it
  std::string engine_id;  ///< "<stem>-<12 hex digits>", the same for the same model, config, backend version and device
  Precision precision = Precision::kF32;  ///< what the backend said it uses, not what was asked
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  ///< keeps `bytes` alive: a buffer, or a mapping of the engine file

  // Filled by compile(), kept in the manifest; load() does not need them.
  std::vector<TensorSpec> inputs{}, outputs{};
  std::map<std::string, int> layers{};  ///< number of layers by the precision each really got, where the backend tells
  /// Number of nodes by who runs them, where a runtime has several. For people: builds in a process of their own do not carry it.
  std::map<std::string, int> providers{};
  /// Input, output and activation memory of one context at the largest profile; 0: the backend cannot tell.
  std::uint64_t context_bytes = 0;
  /// What the backend decided that was not asked for, or changed on the way (a fallback to another precision, a rewritten
  /// header): one line each, for the log and the manifest.
  std::vector<std::string> notes{};
  // How it must be loaded; as in the BuildConfig that it was built with.
  bool version_compatible = false;
  int dla_core = -1;

  /// Takes over `buffer` as `bytes` and `owner`.
  TERN_API void own(std::vector<std::byte> buffer);
};

/// Bytes an engine keeps.
struct EngineMemory {
  std::size_t engine_bytes = 0;   ///< the loaded engine (size of its blob where the backend tells nothing better)
  std::size_t context_bytes = 0;  ///< inputs and outputs owned by one context, at the largest shapes seen so far
};

/// An ordered queue of work. Work of one stream runs in order; streams run beside each other.
class TERN_API Stream {
 public:
  virtual ~Stream() = default;
  /// Waits for everything enqueued so far; the first failure since the last call is returned.
  [[nodiscard]] virtual Status synchronize() = 0;
  /// CUDA: the cudaStream_t. CPU: null.
  [[nodiscard]] virtual void* native_handle() const noexcept = 0;
};

/// Limits on waiting.
struct WaitOptions {
  std::optional<std::chrono::steady_clock::time_point> deadline{};
  std::stop_token stop{};  ///< the default one never stops
};

/// The completion of one enqueue(). Reusable: each enqueue() re-arms it. Create with Engine::create_event().
class TERN_API Event {
 public:
  virtual ~Event() = default;
  [[nodiscard]] virtual bool done() const noexcept = 0;
  /// The outcome of the work; Timeout or Cancelled when the wait ended first (the work itself goes on, and its buffers
  /// must live).
  [[nodiscard]] virtual Status wait(const WaitOptions& options = {}) = 0;
};

/// What one run took on the device, from CUDA events around its three parts, in milliseconds.
struct DeviceTimes {
  double copy_in = 0, run = 0, copy_out = 0;
};

/// Runs one inference at a time. Use one context for each thread or stream; contexts of one engine run in parallel.
/// Keeps the engine alive. Not thread-safe.
class TERN_API ExecutionContext {
 public:
  virtual ~ExecutionContext() = default;

  /// Uses the caller's memory as input `index` until another one is bound. It must be contiguous and stay alive and
  /// unchanged while an inference runs. InputError on a wrong dtype, shape or device.
  [[nodiscard]] virtual Status bind_input(std::size_t index, const TensorView& tensor) = 0;
  /// Writes output `index` into the caller's memory; its shape must be the one the run produces (InferenceError from
  /// the run otherwise). An empty view returns to memory that the context owns.
  [[nodiscard]] virtual Status bind_output(std::size_t index, const TensorView& tensor) = 0;

  /// Starts an inference on `stream` and arms `event`. Bindings must stay as they are until the event is done.
  [[nodiscard]] virtual Status enqueue(Stream& stream, Event& event) = 0;
  /// Runs and waits. On a deadline or a stop it returns Timeout or Cancelled once the backend has let go of the
  /// buffers.
  [[nodiscard]] virtual Status infer(const WaitOptions& options = {}) = 0;

  /// Output `index` of the last finished run, with its run-time shape. Valid until the next run on this context.
  [[nodiscard]] virtual Result<TensorView> output(std::size_t index) const = 0;
  /// Of the last finished run; none where the backend does not measure, or LoadOptions::device_times was off.
  [[nodiscard]] virtual std::optional<DeviceTimes> device_times() const { return std::nullopt; }
};

class FramePath;
struct Contract;
struct FramePathOptions;

/// A loaded model: immutable, thread-safe, owns the weights. Contexts, streams and events keep what they need of it
/// alive.
class TERN_API Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual std::string_view backend() const noexcept = 0;
  [[nodiscard]] virtual std::string_view id() const noexcept = 0;
  /// The precision the backend runs in, read back from it.
  [[nodiscard]] virtual Precision precision() const noexcept = 0;
  /// Threads an inference uses, read back from the backend.
  [[nodiscard]] virtual int threads() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<TensorSpec>& inputs() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<TensorSpec>& outputs() const noexcept = 0;
  [[nodiscard]] virtual EngineMemory memory() const noexcept = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<ExecutionContext>> create_context() = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Stream>> create_stream() = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Event>> create_event() = 0;
  /// Everything that `contract` asks for in one piece on the engine's device (tern/frame_path.h). Null where the backend has no
  /// such path (CPU backends), or not for this model, in which case it logs why. Errors as create_context().
  [[nodiscard]] virtual Result<std::unique_ptr<FramePath>> create_frame_path(const Contract& contract,
                                                                             const FramePathOptions& options);

  /// Shape of input 0, and its leading dimension; Shape::kDynamic where open.
  [[nodiscard]] const Shape& input_shape() const noexcept { return inputs().front().shape; }
  [[nodiscard]] std::int64_t batch_size() const noexcept { return input_shape().rank() > 0 ? input_shape()[0] : 1; }
};

/// What a backend runs on.
struct HostFacts {
  using Fact = std::pair<std::string, std::string>;
  std::string version;  ///< full version of the runtime behind the backend
  /// The device as it stands in engine names: "x86_64_avx512_vnni", "cc_9.0_sm_132".
  std::string target;
  /// What an engine is bound to: one that was built under other values must not be loaded here.
  std::vector<Fact> fit;
  std::vector<Fact> info;  ///< for people: device name, capabilities, driver
  /// Of backends that share one: the library that computes ("onnxruntime" behind "onnx_trt_ep"). Empty: the backend's own. Such
  /// backends are no independent reference for each other.
  std::string runtime{};
};

/// Whether a backend can run here, and how well.
struct BackendScore {
  int score = 0;       ///< 0: cannot run here
  std::string reason;  ///< why not, or what it would run on
};

/// A runtime that compiles models and loads engines. Thread-safe. Lives in a plugin (see tern/dev/backend.h).
class TERN_API Backend {
 public:
  virtual ~Backend() = default;
  /// The label that stands in results and file names: "openvino".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  [[nodiscard]] virtual BackendScore score() const = 0;
  /// Versions, device, ISA. Never needs an engine.
  [[nodiscard]] virtual HostFacts host_facts() const = 0;
  /// The same for another than the first of several GPUs. None: the first.
  [[nodiscard]] virtual HostFacts host_facts_on(const std::optional<Device>& /*device*/) const { return host_facts(); }
  /// ConfigError on a precision this backend cannot give (it says which it can); EngineBuildError, with the backend's
  /// message and the node where it is known, when the model does not compile, or when what compiled runs in another
  /// precision than was asked for (a backend that runs quantised layers in i8 alone has no f32 for such a model).
  [[nodiscard]] virtual Result<EngineBlob> compile(const Model& model, const BuildConfig& config,
                                                   const Progress& progress, std::stop_token stop) = 0;
  /// The engine may go on using `blob.bytes` and then keeps `blob.owner`; it never writes there. EngineGateError when the
  /// blob is of another backend or version, or damaged.
  [[nodiscard]] virtual Result<std::shared_ptr<Engine>> load(const EngineBlob& blob, const LoadOptions& options) = 0;
};

/// The backends found on this machine.
class TERN_API BackendRegistry {
 public:
  /// One plugin file, and what became of it.
  struct Entry {
    std::filesystem::path plugin;
    std::string name;     ///< empty when it did not load
    std::string version;  ///< tern version of the plugin
    BackendScore score;
    Status status;                     ///< why it did not load
    std::shared_ptr<Backend> backend;  ///< null when it did not load
  };

  /// Loads every libtern_*.so from $TERN_PLUGIN_PATH (colon-separated absolute folders) where set, else from the `tern`
  /// folder beside libtern. Never from the working directory. A plugin that does not fit is an entry with its reason,
  /// not a failure.
  [[nodiscard]] static BackendRegistry load(std::shared_ptr<Logger> logger = null_logger());
  /// The same from given folders.
  [[nodiscard]] static BackendRegistry load_from(std::span<const std::filesystem::path> folders,
                                                 std::shared_ptr<Logger> logger = null_logger());

  [[nodiscard]] const std::vector<Entry>& entries() const& noexcept { return entries_; }
  const std::vector<Entry>& entries() && = delete;  // would dangle
  /// Adds a backend that is no plugin: an application's own, or a wrapper around another.
  void add(std::shared_ptr<Backend> backend);
  /// "auto": the best score; else the backend of that name. BackendError says what was found and why it cannot run.
  [[nodiscard]] Result<std::shared_ptr<Backend>> find(std::string_view name) const;
  /// The backend of that name on a runtime of that version, for an engine that was made by it: "tensorrt" may be here as 10 and as 11.
  /// Else one of the same major version, which engines may be compatible with; else what find(name) gives, and the gate refuses the engine
  /// with both versions.
  [[nodiscard]] Result<std::shared_ptr<Backend>> find(std::string_view name, std::string_view version) const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace tern
