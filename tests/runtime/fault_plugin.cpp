// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// A backend whose compile() goes wrong in the way that the model's name says: what happens to a build process when a compiler
// does so. Phases of its progress carry what the test needs to know ("pid 123").
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <limits>
#include <map>
#include <new>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "runtime/build_protocol.h"
#include "tern/dev/backend.h"

namespace {

using namespace tern;
using namespace std::chrono_literals;

/// A long time, or for ever when nobody ends it.
void sleep_long() {
  std::this_thread::sleep_for(120s);
}

EngineBlob blob_of(std::string_view text) {
  EngineBlob blob;
  blob.backend = "faulty";
  blob.backend_version = "1.2.3-\xFF";  // not UTF-8: it must arrive all the same
  blob.engine_id = "model-0123456789ab";
  blob.precision = Precision::kI8;
  const auto bytes = std::as_bytes(std::span(text));
  blob.own({bytes.begin(), bytes.end()});
  blob.inputs = {{"x", DType::kU8, Shape{Shape::kDynamic, 3, 4}}, {"", DType::kBF16, Shape{}}};
  blob.outputs = {{"y", DType::kBool, Shape{1, 2, 3, 4, 5, 6, 7, 8}}};
  blob.layers = {{"f32", 2}, {"i8", 40}};
  blob.context_bytes = 1ULL << 40;
  return blob;
}

/// What this process looks like from inside: open descriptors, blocked and ignored signals, arguments of the build.
EngineBlob surroundings(const Model& model, const BuildConfig& config) {
  std::string text;
  for (int fd = 0; fd < 1024; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) text += "fd " + std::to_string(fd) + "\n";
  }
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action {};
    if (sigismember(&blocked, signal) == 1) text += "blocked " + std::to_string(signal) + "\n";
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      text += "ignored " + std::to_string(signal) + "\n";
  }
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  text += "core " + std::to_string(core.rlim_cur) + "\n";
  text += std::string("own group ") + (::getpgrp() == ::getpid() ? "yes" : "no") + "\n";
  text += "model " + model.stem() + " " + model.path().string() + " " + model.content_hash() + "\n";
  text += "config " + config.to_json() + "\n";
  return blob_of(text);
}

void write_noise(int fd) {
  std::string noise;
  for (int i = 0; i < 5000; ++i)
    noise += static_cast<char>(i * 7);
  noise += "\n\n\x1B[31mred\n";
  [[maybe_unused]] const auto ignored = ::write(fd, noise.data(), noise.size());
}

/// Until the limit, in pieces that are never touched.
void allocate_all() {
  constexpr std::size_t kPiece = 16 << 20;
  for (int pieces = 0; pieces < 65536; ++pieces) {
    if (::mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) ==
        MAP_FAILED) {
      std::fprintf(stderr, "stopped after %d pieces\n", pieces);
      throw std::bad_alloc();
    }
  }
}

[[noreturn]] void die_by(int signal) {
  std::signal(signal, SIG_DFL);  // a sanitizer's handler would make an exit code of it
  ::raise(signal);
  std::abort();
}

class FaultyBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "faulty"; }
  [[nodiscard]] BackendScore score() const override { return {1, "for tests"}; }
  [[nodiscard]] HostFacts host_facts() const override { return {"1.2.3", "none", {}, {}}; }

  [[nodiscard]] Result<EngineBlob> compile(const Model& model, const BuildConfig& config, const Progress& progress,
                                           std::stop_token) override {
    progress("pid " + std::to_string(::getpid()), 0.1);
    const auto fault = faults().find(model.stem());
    if (fault != faults().end()) fault->second(progress);
    if (model.stem() == "fail") {
      return Status(StatusCode::kInferenceError, "message \xFF\n\x01")
          .at("node 'a'")
          .at("model.onnx")
          .with_hint("hint")
          .with_cause(std::string("cause\n\0!", 8));
    }
    if (model.stem() == "long_cause")
      return Status(StatusCode::kEngineBuildError, "m").with_cause(std::string(40 << 20, 'c'));
    if (model.stem() == "empty") return EngineBlob{};
    if (model.stem() == "big") return blob_of(std::string(64 << 20, 'b'));
    return surroundings(model, config);
  }
  [[nodiscard]] Result<std::shared_ptr<Engine>> load(const EngineBlob&, const LoadOptions&) override {
    return Status(StatusCode::kEngineGateError, "this backend loads nothing");
  }

 private:
  using Fault = void (*)(const Progress& progress);
  static const std::map<std::string, Fault>& faults() {
    static const std::map<std::string, Fault> map{
        {"sleep", [](const Progress&) { sleep_long(); }},
        {"deaf",
         [](const Progress& progress) {
           std::signal(SIGTERM, SIG_IGN);
           progress("deaf", 0.2);
           sleep_long();
         }},
        {"stopped", [](const Progress&) { ::raise(SIGSTOP); }},
        {"short_sleep", [](const Progress&) { std::this_thread::sleep_for(400ms); }},
        {"crash",
         [](const Progress&) {
           std::fprintf(stderr, "about to crash\nlast words");  // no line end
           std::fflush(stderr);
           die_by(SIGSEGV);
         }},
        {"abort",
         [](const Progress&) {
           for (int i = 0; i < 1000; ++i)
             std::fprintf(stderr, "line %d of the log\n", i);
           std::fprintf(stderr, "assertion failed: moon == full\n");
           die_by(SIGABRT);
         }},
        {"kill", [](const Progress&) { ::raise(SIGKILL); }},
        {"allocate", [](const Progress&) { allocate_all(); }},
        {"exit",
         [](const Progress&) {
           std::fprintf(stdout, "leaving\n");
           std::fflush(stdout);
           ::_exit(7);
         }},
        {"quiet_exit", [](const Progress&) { ::_exit(0); }},
        {"throw", [](const Progress&) { throw std::runtime_error("thrown by the backend"); }},
        {"garbage", [](const Progress&) { write_noise(3); }},
        {"half_a_message",
         [](const Progress&) {
           const std::array<unsigned char, 16> head{'B', 'T', 'R', 'N', build::kProtocolVersion, 0, 4, 0, 100, 0, 0, 0,
                                                    1,   2,   3,   4};
           [[maybe_unused]] const auto ignored = ::write(3, head.data(), head.size());
           ::_exit(0);
         }},
        {"scribble", [](const Progress&) { write_noise(5); }},
        {"noise",
         [](const Progress&) {
           write_noise(1);
           write_noise(2);
         }},
        {"wandering",
         [](const Progress& progress) {
           for (const double f : {0.5, 0.3, std::numeric_limits<double>::quiet_NaN(), 7.0, -1.0})
             progress("p", f);
         }},
        {"flood",
         [](const Progress& progress) {
           for (;;) {
             progress("again and again", 0.5);
             std::fprintf(stderr, "again and again\n");
           }
         }},
        {"grandchild",
         [](const Progress& progress) {
           const pid_t pid = ::fork();
           if (pid == 0) {
             ::pause();  // with both pipes open
             ::_exit(0);
           }
           progress("grandchild " + std::to_string(pid), 0.2);
         }},
        {"orphan", [](const Progress& progress) {
           const pid_t pid = ::fork();
           if (pid == 0) {
             ::pause();
             ::_exit(0);
           }
           progress("grandchild " + std::to_string(pid), 0.2);
           ::_exit(9);
         }}};
    return map;
  }
};

}  // namespace

extern "C" TERN_API const dev::BackendPlugin* tern_backend_v1() noexcept {
  static const dev::BackendPlugin plugin{dev::kBackendAbi, TERN_VERSION_STRING, TERN_COMPILER_TAG,
                                         [](const char**) noexcept -> Backend* { return new FaultyBackend; },
                                         [](Backend* backend) noexcept { delete backend; }};
  return &plugin;
}
