// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/build_worker.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <limits>
#include <mutex>
#include <new>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/error.h"
#include "runtime/build_protocol.h"
#include "tern/version.h"

namespace tern {
namespace {

using build::kAnswerDescriptor;
using build::kEngineDescriptor;
using build::kRequestDescriptor;

constexpr int kNoRequest = 64;              // EX_USAGE: started by hand
constexpr std::size_t kMaxCause = 1 << 20;  // a backend's own words; a failure has to fit into one message

/// Lines for the process that reads them, without time or colour.
class PlainLogger final : public Logger {
 public:
  explicit PlainLogger(LogLevel level) : level_(level) {}
  void log(LogLevel level, std::string_view component, std::string_view message) noexcept override {
    if (level > level_) return;
    std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(component.size()), component.data(),
                 static_cast<int>(message.size()), message.data());
  }
  [[nodiscard]] LogLevel level() const noexcept override { return level_; }

 private:
  LogLevel level_;
};

bool write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), std::min<std::size_t>(bytes.size(), std::size_t{1} << 30));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

bool send(const build::Message& message) {
  static std::mutex mutex;  // backends may tell their progress from threads of their own
  const auto frame = build::encode(message);
  const std::lock_guard lock(mutex);
  return frame.ok() && write_all(kAnswerDescriptor, *frame);
}

bool send_failure(Status status) {
  if (status.cause().size() > kMaxCause) {
    status = status.with_cause(std::string_view(status.cause()).substr(0, kMaxCause));
  }
  return send(status);
}

struct Job {
  build::Request request;
  std::vector<std::byte> model;
};

Result<Job> read_job() {
  const auto no_request = [](std::string_view why) {
    return make_error(StatusCode::kInternalError, "no request ({})", why)
        .with_hint("tern starts this program by itself");
  };
  struct stat info {};
  if (::fstat(kRequestDescriptor, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= 0)
    return no_request("descriptor 4 is no file");
  const auto size = static_cast<std::size_t>(info.st_size);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, kRequestDescriptor, 0);
  if (data == MAP_FAILED) return no_request(std::generic_category().message(errno));
  const std::span<const std::byte> file(static_cast<const std::byte*>(data), size);

  Job job;
  build::FrameReader frames;
  const std::size_t head = std::min(size, build::kFrameHeaderBytes + build::kMaxPayloadBytes);
  frames.feed(file.first(head));
  auto message = frames.next();
  Status status = message.status();
  if (status.ok() && (!message->has_value() || !std::holds_alternative<build::Request>(**message)))
    status = no_request("the file holds something else");
  if (status.ok()) {
    job.request = std::get<build::Request>(std::move(**message));
    const auto model = file.subspan(head - frames.pending());
    if (model.size() != job.request.model_bytes) status = no_request("the model is cut off");
    job.model.assign(model.begin(), model.end());
  }
  ::munmap(data, size);
  ::close(kRequestDescriptor);
  if (!status.ok()) return status;
  return job;
}

/// The limit counts from here on: libraries that every worker maps, and the terabytes that a sanitizer reserves, are no part of
/// a build.
Status limit_memory(std::uint64_t limit) {
  if (limit == 0) return {};
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const auto used = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  rlimit bounds{};
  if (pages == 0 || ::getrlimit(RLIMIT_AS, &bounds) != 0) {
    return make_error(StatusCode::kEngineBuildError, "cannot limit the memory of the build: {}",
                      std::generic_category().message(errno));
  }
  const std::uint64_t wanted = limit > std::numeric_limits<std::uint64_t>::max() - used ? RLIM_INFINITY : used + limit;
  bounds.rlim_cur = std::min<rlim_t>(wanted, bounds.rlim_max);
  if (::setrlimit(RLIMIT_AS, &bounds) == 0) return {};
  return make_error(StatusCode::kEngineBuildError, "cannot limit the memory of the build: {}",
                    std::generic_category().message(errno));
}

Result<build::EngineReport> compile(Job& job) {
  const build::Request& request = job.request;
  if (request.tern_version != version()) {
    return make_error(StatusCode::kEngineBuildError, "tern-build-worker is of tern {}; this is tern {}", version(),
                      request.tern_version)
        .with_hint("install libtern and tern-build-worker together");
  }
  TERN_RETURN_IF_ERROR(limit_memory(request.memory_limit));
  TERN_ASSIGN_OR_RETURN(const BuildConfig config, BuildConfig::from_json(request.config, ""));
  TERN_ASSIGN_OR_RETURN(const Model model, restore_model(std::move(job.model), request.model));
  const BackendRegistry registry = BackendRegistry::load(std::make_shared<PlainLogger>(request.log_level));
  TERN_ASSIGN_OR_RETURN(const auto backend, registry.find(request.backend));
  const Progress progress = [](std::string_view phase, double fraction) {
    send(build::ProgressReport{std::string(phase), fraction});
  };
  TERN_ASSIGN_OR_RETURN(EngineBlob blob, backend->compile(model, config, progress, {}));
  if (blob.bytes.empty()) {
    return make_error(StatusCode::kEngineBuildError, "backend {} gave an empty engine", request.backend);
  }
  if (!write_all(kEngineDescriptor, blob.bytes)) {
    return make_error(StatusCode::kEngineBuildError, "the engine of {} bytes cannot be handed over: {}",
                      blob.bytes.size(), std::generic_category().message(errno))
        .with_hint("engines pass through memory: close other programs");
  }
  build::EngineReport report{std::move(blob), 0};
  report.bytes = report.blob.bytes.size();
  return report;
}

/// What a backend throws against its promise is its failure, not ours.
Result<build::EngineReport> compile_guarded(Job& job) {
  try {
    return compile(job);
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kOutOfMemoryError, "there is no more memory for the build");
  } catch (const std::exception& e) {
    return make_error(StatusCode::kEngineBuildError, "backend {} threw an exception", job.request.backend)
        .with_cause(e.what());
  }
}

bool answer() {
  auto job = read_job();
  if (!job.ok()) {
    std::fprintf(stderr, "tern-build-worker: %s\n", job.status().to_string().c_str());
    return false;
  }
  // The signal is sent when the parent ends from now on; it may have ended already.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != static_cast<pid_t>(job->request.parent)) return false;
  auto report = compile_guarded(*job);
  return report.ok() ? send(*report) : send_failure(report.status());
}

}  // namespace

void run_build_worker() noexcept {
  std::signal(SIGINT, SIG_IGN);  // a terminal sends it to everybody; the parent decides
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);  // a crash of a backend leaves no file in the user's folder
  bool is_answered = false;
  try {
    is_answered = answer();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tern-build-worker: %s\n", e.what());
  }
  std::fflush(nullptr);
  // Backends' threads and destructors have nothing to add; some hang or crash here.
  ::_exit(is_answered ? 0 : kNoRequest);
}

}  // namespace tern
