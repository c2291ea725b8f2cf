// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/export.h"
#include "tern/pipeline_latency.h"
#include "tern/status.h"

namespace tern {

/// How a frame left the pipeline. Every frame offered ends in exactly one of these ways, and is counted under it.
enum class FrameEnd : std::uint8_t {
  kDelivered,   ///< every model is done, not later than the deadline
  kLate,        ///< every model is done, after the deadline
  kSuperseded,  ///< a newer frame of its source took its place before any model began
  kQueueFull,   ///< its source's queue held as many frames as it may
  kHopeless,    ///< not even alone in a batch would it have made its deadline
  kOverload,  ///< it gave way: serving it in the small batch that its deadline left room for would have cost others theirs
  kLimited,  ///< beyond the rate limit in force, or every model of its source is switched off
  kNoSlot,   ///< the caller has not collected ended frames (next_ended) and all places are taken
  kFailed,   ///< a model failed on it
  kStopped,  ///< its source was stopped
};
inline constexpr std::size_t kFrameEnds = 10;
/// "delivered", "late", "superseded", "queue_full", "hopeless", "overload", "limited", "no_slot", "failed", "stopped".
[[nodiscard]] TERN_API std::string_view to_string(FrameEnd end) noexcept;

/// Which job goes first.
enum class FrameOrder : std::uint8_t {
  kEarliestDeadline,  ///< by deadline, less what the models after this one take
  kFifo,              ///< by arrival
  kRoundRobin,        ///< sources in turn, models in turn
};

/// How jobs are put together.
enum class Batching : std::uint8_t {
  kSingle,  ///< one item a batch
  kFixed,   ///< SchedulerConfig::fixed_batch items, or what is there once the oldest waited for `fixed_timeout`
  kLoad,  ///< the smallest batch that the measured load can be served with, waiting for it only while the oldest frame still
          ///< makes its deadline; all that is ready and fits when there is more
};

struct SchedulerConfig {
  struct Source {
    std::string name{};
    /// true: one frame waits, and a newer one takes its place. false: up to `capacity` frames wait, in order.
    bool newest_wins = true;
    int capacity = 1;                                       ///< 1..1024; of a newest-wins source 1
    Nanoseconds deadline = std::chrono::milliseconds(100);  ///< after the capture; > 0
    /// Frames of this source that models may work on at once, 1..64. What waits beyond them can still be superseded.
    int max_started = 2;
    std::vector<int> models{};  ///< which models its frames go through: indices, the inputs of each included
  };
  struct Model {
    std::string name{};
    LatencyCurve curve{};  ///< of the whole path on the device: copy, preprocess, infer, postprocess
    int max_batch = 0;     ///< 1..curve.max_batch(); 0: curve.max_batch()
    int priority = 0;      ///< models of a higher priority go first, beyond the others' shares
    double share = 0;      ///< of all executors' time, guaranteed while there is work for it; all together <= 1
    /// Models, earlier in the list, whose results on the same frame this one needs. Empty: it works on the frame itself, one
    /// item a frame. Otherwise set_items() says how many items (crops) a frame has for it.
    std::vector<int> inputs{};
    int max_items = 1;  ///< of a frame, 1..4096
  };
  std::vector<Source> sources{};
  std::vector<Model> models{};
  /// Devices that each run any of the models, one batch at a time, equally fast: 1..1024.
  int executors = 1;
  FrameOrder order = FrameOrder::kEarliestDeadline;
  Batching batching = Batching::kLoad;
  int fixed_batch = 8;
  Nanoseconds fixed_timeout = std::chrono::milliseconds(5);
  bool drop_hopeless = true;  ///< false: frames are served however late they are
};

/// A frame inside a Scheduler. Stays valid until next_ended() returned the frame.
struct FrameId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  bool operator==(const FrameId&) const = default;
};

struct Offer {
  bool is_accepted = false;
  FrameEnd refused = FrameEnd::kDelivered;  ///< why, where it is not accepted; the frame has ended then
  FrameId frame{};                          ///< where it is
};

struct EndedFrame {
  FrameId frame{};
  int source = 0;
  FrameEnd end = FrameEnd::kDelivered;
  std::uint64_t tag = 0;
  Nanoseconds captured{}, deadline{}, ended{};
};

/// A part of a batch: items [first_item, first_item + items) of one frame.
struct BatchPart {
  FrameId frame{};
  std::uint64_t tag = 0;
  int first_item = 0;
  int items = 0;
};

struct Decision {
  enum class Kind : std::uint8_t {
    kRun,   ///< run `model` on `parts`, then call finish()
    kWait,  ///< ask again at `until`, or after the next offer() or finish(), whichever comes first
    kIdle,  ///< nothing to do until the next offer() or finish()
  };
  Kind kind = Kind::kIdle;
  Nanoseconds until{};
  int model = 0;
  int items = 0;
  std::span<const BatchPart> parts{};  ///< valid until finish() of this executor
};

/// Decides which frames run, when, on which model and together with which others. Knows neither threads nor clocks: the caller
/// passes the time and does the work, so a live pipeline and a simulation run the same code.
///
/// A frame is offered; once every model of its source is done with it, or as soon as it is clear that it will not make its
/// deadline, it ends. A frame that must end while a device works on it ends when that work is finished, since its pixels are in
/// use until then. The owner of the pixels (known by `tag`) lets go of them when next_ended() returns the frame.
///
/// Not thread-safe: callers hold a lock of their own. Times passed in must not decrease; one that does counts as the latest seen.
/// Everything is allocated in create().
class TERN_API Scheduler {
 public:
  /// ConfigError, naming the source or model: a value outside its range, shares above 1, an input that is not an earlier model,
  /// a source without models or without the inputs of its models; more than 64 models, 65536 sources, 4 million places for jobs.
  [[nodiscard]] static Result<Scheduler> create(const SchedulerConfig& config);
  Scheduler(Scheduler&&) noexcept;
  Scheduler& operator=(Scheduler&&) noexcept;
  ~Scheduler();

  /// A frame of `source` (an index), captured at `captured`, has arrived. `tag` comes back with it.
  [[nodiscard]] Offer offer(int source, Nanoseconds captured, std::uint64_t tag, Nanoseconds now) noexcept;
  /// Whether offer() would not refuse a frame of this source for a full queue: what reads from files waits for it.
  [[nodiscard]] bool has_room(int source) const noexcept;

  /// What the idle `executor` does now. kIdle for one that has not finished.
  [[nodiscard]] Decision decide(int executor, Nanoseconds now) noexcept;
  /// The frame has `items` items for `model`, found by the batch that runs now; call it before that batch's finish(). Returns
  /// how many of them will run: at most the model's max_items, 0 where the frame or model is not waiting for any.
  int set_items(FrameId frame, int model, int items) noexcept;
  /// The executor's batch is done; `is_ok` false: the model failed, and so have the batch's frames.
  void finish(int executor, Nanoseconds now, bool is_ok = true) noexcept;

  /// The next frame that ended since the last call; its place is free from then on.
  [[nodiscard]] std::optional<EndedFrame> next_ended() noexcept;

  /// Ends what waits of a source (kStopped); what has begun is finished.
  void stop_source(int source, Nanoseconds now) noexcept;
  /// Frames of each source taken at most, in `interval` by capture time; 0: all. For frames offered from now on.
  void set_min_interval(Nanoseconds interval) noexcept;
  /// Switches a model on or off, and with it those that need its results. For frames offered from now on.
  void set_enabled(int model, bool is_enabled) noexcept;

  struct ModelState {
    int ready_items = 0;   ///< that could run now
    int target_batch = 1;  ///< that the measured load asks for (Batching::kLoad)
    double slowdown = 1;   ///< LatencyCurve::slowdown()
    std::uint64_t batches = 0, items = 0;
    Nanoseconds busy{};  ///< time of executors spent, as finish() told it
  };
  [[nodiscard]] ModelState model_state(int model) const noexcept;
  /// Frames that ended each way since create(), refused ones included; by FrameEnd.
  [[nodiscard]] const std::array<std::uint64_t, kFrameEnds>& ends() const noexcept;
  /// Frames that wait, run, or ended and were not collected.
  [[nodiscard]] int frames_inside() const noexcept;
  /// The most that frames_inside() can be: the frame buffers to have.
  [[nodiscard]] int max_frames_inside() const noexcept;

 private:
  struct State;
  explicit Scheduler(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace tern
