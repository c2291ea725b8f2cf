// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/build_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/byte_size.h"
#include "base/error.h"
#include "engine/plugin_folder.h"
#include "runtime/build_protocol.h"
#include "runtime/descriptor.h"
#include "runtime/log_tail.h"
#include "runtime/worker_process.h"
#include "tern/version.h"

namespace tern {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kGrace = 2s;         // from SIGTERM to SIGKILL, and from the answer to the end of the worker
constexpr auto kHeartbeat = 100ms;  // how late the end of a worker is seen whose pipes somebody else keeps open

Status system_error(std::string_view what, int error) {
  return make_error(StatusCode::kIoError, "{}: {}", what, std::generic_category().message(error));
}

Result<fs::path> find_worker(const BuildProcessOptions& options) {
  constexpr std::string_view kHint =
      "install tern-build-worker beside the backend plugins, name it in TERN_BUILD_WORKER, or build with isolation "
      "in_process";
  fs::path worker = options.worker;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the program does not change its environment
  const char* variable = worker.empty() ? std::getenv("TERN_BUILD_WORKER") : nullptr;
  if (variable != nullptr && *variable != '\0') {
    worker = variable;
    if (!worker.is_absolute()) {
      return make_error(StatusCode::kConfigError, "'{}' is not an absolute path", variable)
          .at("TERN_BUILD_WORKER")
          .with_hint(kHint);
    }
  }
  if (worker.empty()) worker = default_plugin_folder() / "tern-build-worker";
  std::error_code ignored;
  if (!fs::is_regular_file(worker, ignored) || ::access(worker.c_str(), X_OK) != 0) {
    return Status(StatusCode::kEngineBuildError, "the program that builds engines is missing, or may not be run")
        .at(worker.string())
        .with_hint(kHint);
  }
  return worker;
}

/// A file without a name, in memory.
Result<Descriptor> anonymous_file(const char* name) {
  Descriptor file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.is_open()) return system_error("cannot make a file in memory", errno);
  return file;
}

Status write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), std::min<std::size_t>(bytes.size(), std::size_t{1} << 30));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error("cannot hand the model to the build process", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

struct Pipe {
  Descriptor read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  // Only this side: the worker is to wait where this process is slow.
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return system_error("cannot make a pipe", errno);
  return pipe;
}

/// Maps the worker's file, once nobody can change it any more.
Status map_engine(const Descriptor& file, std::uint64_t expected, EngineBlob& blob) {
  struct stat info {};
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0 ||
      ::fstat(file.get(), &info) != 0)
    return system_error("cannot take over the engine", errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size != expected || size == 0) {
    return make_error(StatusCode::kEngineBuildError, "the build process left {} bytes; it told of {}", size, expected);
  }
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) return system_error("cannot map the engine", errno);
  blob.owner = std::shared_ptr<const void>(
      data, [size](const void* start) { ::munmap(const_cast<void*>(start), static_cast<std::size_t>(size)); });
  blob.bytes = {static_cast<const std::byte*>(data), static_cast<std::size_t>(size)};
  return {};
}

/// One build, from the start of its worker to its end.
class Build {
 public:
  Build(const BuildConfig& config, const Progress& progress, std::stop_token stop, const BuildProcessOptions& options)
      : options_(options),
        progress_(progress),
        stop_(std::move(stop)),
        timeout_(std::min<std::chrono::seconds>(config.timeout, std::chrono::hours(24 * 365))),
        deadline_(Clock::now() + timeout_),
        log_(options.logger, "build") {}

  Result<EngineBlob> run(const fs::path& program, const std::string& backend, const Model& model,
                         const BuildConfig& config);

 private:
  Result<WorkerProcess> start(const fs::path& program);
  Status write_request(const std::string& backend, const Model& model, const BuildConfig& config);
  void follow(WorkerProcess& worker);
  void wait_for_work(Clock::time_point until);
  void drain();
  static void read_pipe(Descriptor& pipe, const std::function<void(std::span<const char>)>& take);
  void take_answer(std::span<const char> bytes);
  void take_message(build::Message message);
  void end_worker(WorkerProcess& worker, bool is_answered);
  [[nodiscard]] Status with_log(const Status& status) const;
  [[nodiscard]] Result<EngineBlob> outcome();

  const BuildProcessOptions& options_;
  const Progress& progress_;
  std::stop_token stop_;
  std::chrono::seconds timeout_;
  Clock::time_point deadline_;
  LogTail log_;
  Descriptor request_, engine_, answers_, output_, wake_;
  build::FrameReader frames_;
  double fraction_ = 0;

  // How it ended: the first of these that is set.
  std::optional<build::EngineReport> report_;
  Status failure_;               // the worker's own, or the reason why it was ended
  bool is_own_failure_ = false;  // the worker's own
  WorkerProcess::Ending ending_{};
};

Result<EngineBlob> Build::run(const fs::path& program, const std::string& backend, const Model& model,
                              const BuildConfig& config) {
  TERN_RETURN_IF_ERROR(write_request(backend, model, config));
  wake_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.is_open()) return system_error("cannot make an event", errno);
  const std::stop_callback on_stop(stop_, [fd = wake_.get()] { ::eventfd_write(fd, 1); });
  TERN_ASSIGN_OR_RETURN(WorkerProcess worker, start(program));
  follow(worker);
  return outcome();
}

Status Build::write_request(const std::string& backend, const Model& model, const BuildConfig& config) {
  TERN_ASSIGN_OR_RETURN(const auto bytes, model.self_contained_bytes());
  const build::Request request{.tern_version = std::string(version()),
                               .parent = ::getpid(),
                               .backend = backend,
                               .model = identity_of(model),
                               .model_bytes = bytes.size(),
                               .config = config.to_json(),
                               .log_level = options_.logger->level(),
                               .memory_limit = options_.memory_limit_bytes};
  TERN_ASSIGN_OR_RETURN(const auto frame, build::encode(request));
  TERN_ASSIGN_OR_RETURN(request_, anonymous_file("tern-build-request"));
  TERN_RETURN_IF_ERROR(write_all(request_.get(), frame));
  TERN_RETURN_IF_ERROR(write_all(request_.get(), bytes));
  if (::lseek(request_.get(), 0, SEEK_SET) != 0) return system_error("cannot hand over the model", errno);
  TERN_ASSIGN_OR_RETURN(engine_, anonymous_file("tern-engine"));
  return {};
}

Result<WorkerProcess> Build::start(const fs::path& program) {
  const Descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null.is_open()) return system_error("cannot open /dev/null", errno);
  TERN_ASSIGN_OR_RETURN(Pipe answers, make_pipe());
  TERN_ASSIGN_OR_RETURN(Pipe output, make_pipe());
  static_assert(build::kAnswerDescriptor == 3 && build::kRequestDescriptor == 4 && build::kEngineDescriptor == 5);
  const std::array<int, 6> descriptors{null.get(),          output.write.get(), output.write.get(),
                                       answers.write.get(), request_.get(),     engine_.get()};
  TERN_ASSIGN_OR_RETURN(WorkerProcess worker, WorkerProcess::start(program, descriptors));
  answers_ = std::move(answers.read);
  output_ = std::move(output.read);
  request_.close();
  return worker;
}

void Build::follow(WorkerProcess& worker) {
  while (!report_ && failure_.ok()) {
    if (stop_.stop_requested()) {
      failure_ = Status(StatusCode::kCancelled, "stopped while building the engine");
    } else if (Clock::now() >= deadline_) {
      failure_ = make_error(StatusCode::kTimeout, "the build took longer than {} s", timeout_.count())
                     .with_hint("give it more time (timeout_s, --timeout)");
    } else {
      const bool has_ended = worker.has_ended();  // asked first: what it wrote before is then in the pipes
      drain();
      if (has_ended) break;
      if (!report_ && failure_.ok()) wait_for_work(deadline_);
    }
  }
  end_worker(worker, report_.has_value() || is_own_failure_);
}

void Build::wait_for_work(Clock::time_point until) {
  // A negative descriptor is skipped by poll: pipes that are at their end.
  std::array<pollfd, 3> waits{pollfd{answers_.get(), POLLIN, 0}, pollfd{output_.get(), POLLIN, 0},
                              pollfd{wake_.get(), POLLIN, 0}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  const auto wait = std::clamp<std::chrono::milliseconds>(left, 0ms, kHeartbeat);
  ::poll(waits.data(), waits.size(), static_cast<int>(wait.count()));
}

/// Reads what there is, and closes the pipe once its other side is closed.
void Build::read_pipe(Descriptor& pipe, const std::function<void(std::span<const char>)>& take) {
  std::array<char, 65536> buffer{};
  for (int rounds = 0; pipe.is_open() && rounds < 64; ++rounds) {  // a flood does not keep the clock from being read
    const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      pipe.close();
      return;
    }
    take({buffer.data(), static_cast<std::size_t>(got)});
  }
}

void Build::drain() {
  read_pipe(output_, [&](std::span<const char> text) { log_.feed({text.data(), text.size()}); });
  read_pipe(answers_, [&](std::span<const char> bytes) { take_answer(bytes); });
}

void Build::take_answer(std::span<const char> bytes) {
  if (report_ || !failure_.ok()) return;  // nothing counts after the answer, or after the build was given up
  frames_.feed(std::as_bytes(bytes));
  while (!report_ && failure_.ok()) {
    auto message = frames_.next();
    if (!message.ok()) {
      failure_ = message.status();
    } else if (!message->has_value()) {
      return;
    } else {
      take_message(std::move(**message));
    }
  }
}

void Build::take_message(build::Message message) {
  if (auto* progress = std::get_if<build::ProgressReport>(&message)) {
    if (std::isfinite(progress->fraction)) fraction_ = std::max(fraction_, std::clamp(progress->fraction, 0.0, 1.0));
    if (progress_) progress_(progress->phase, fraction_);
  } else if (auto* status = std::get_if<Status>(&message)) {
    failure_ = std::move(*status);
    is_own_failure_ = true;
  } else if (auto* report = std::get_if<build::EngineReport>(&message)) {
    report_ = std::move(*report);
  } else {
    failure_ = Status(StatusCode::kEngineBuildError, "the build process sent a request instead of an answer");
  }
}

void Build::end_worker(WorkerProcess& worker, bool is_answered) {
  if (!is_answered) worker.signal_group(SIGTERM);
  for (const auto until = Clock::now() + kGrace; Clock::now() < until && !worker.has_ended();) {
    drain();  // so that it does not wait for a reader
    // A stop that was asked for keeps its event readable, so this waits for the pipes and the clock alone.
    std::array<pollfd, 2> waits{pollfd{answers_.get(), POLLIN, 0}, pollfd{output_.get(), POLLIN, 0}};
    ::poll(waits.data(), waits.size(), answers_.is_open() || output_.is_open() ? 20 : 2);
  }
  drain();
  log_.finish();
  ending_ = worker.finish();
}

Status Build::with_log(const Status& status) const {
  const std::string lines = log_.text();
  return lines.empty() ? status : status.with_cause(lines);
}

Result<EngineBlob> Build::outcome() {
  const bool is_limited = options_.memory_limit_bytes > 0;
  if (report_) {
    const Status mapped = map_engine(engine_, report_->bytes, report_->blob);
    if (!mapped.ok()) return with_log(mapped);
    return std::move(report_->blob);
  }
  if (is_own_failure_ && failure_.code() == StatusCode::kOutOfMemoryError && is_limited) {
    const std::string lines = log_.text();
    return make_error(StatusCode::kEngineBuildError, "the build does not fit into its memory limit of {}",
                      format_byte_size(options_.memory_limit_bytes))
        .with_hint("raise build_memory_limit_bytes")
        .with_cause(failure_.message() + (lines.empty() ? "" : "\n" + lines));
  }
  if (is_own_failure_) return failure_;
  if (!failure_.ok()) return with_log(failure_);
  const Status crashed =
      make_error(StatusCode::kEngineBuildError, "the build process {} without an answer", ending_.text());
  if (is_limited) {
    return with_log(crashed.with_hint(fmt::format("it may have met its memory limit of {} (build_memory_limit_bytes)",
                                                  format_byte_size(options_.memory_limit_bytes))));
  }
  if (ending_.signal == SIGKILL)
    return with_log(crashed.with_hint("the kernel does so when the machine's memory runs out"));
  return with_log(crashed);
}

}  // namespace

Result<EngineBlob> compile_in_process(const std::string& backend, const Model& model, const BuildConfig& config,
                                      const Progress& progress, std::stop_token stop,
                                      const BuildProcessOptions& options) {
  if (config.timeout <= 0s) {
    return make_error(StatusCode::kConfigError, "is {} s; it must be more than 0", config.timeout.count())
        .at("timeout_s");
  }
  if (stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped before the build began");
  TERN_ASSIGN_OR_RETURN(const fs::path worker, find_worker(options));
  return Build(config, progress, std::move(stop), options).run(worker, backend, model, config);
}

}  // namespace tern
