// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/build_process.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <mutex>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Sets a variable of the environment, and puts back what was there.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* before = std::getenv(name_.c_str()); before != nullptr) before_ = before;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~ScopedVariable() {
    if (before_) {
      ::setenv(name_.c_str(), before_->c_str(), 1);
    } else {
      ::unsetenv(name_.c_str());
    }
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  std::string name_;
  std::optional<std::string> before_;
};

class LineLogger final : public Logger {
 public:
  void log(LogLevel level, std::string_view component, std::string_view message) noexcept override {
    const std::lock_guard lock(mutex_);
    if (level == LogLevel::kDebug && component == "build") lines_ += std::string(message) + "\n";
  }
  [[nodiscard]] LogLevel level() const noexcept override { return LogLevel::kDebug; }
  [[nodiscard]] std::string lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::string lines_;
};

fs::path source_path(const std::string& name) {
  return fs::path(TERN_SOURCE_DIR) / name;
}

/// A sound model whose name tells the faulty backend what to do.
Model named_model(std::string_view name) {
  std::ifstream file(source_path("tests/data/affine.onnx"), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  return Model::from_bytes(std::as_bytes(std::span(text)), name).value();
}

class FaultyBuild : public ::testing::Test {
 protected:
  Result<EngineBlob> build(std::string_view name, const BuildConfig& config = {}, const Progress& progress = {},
                           std::stop_token stop = {}) {
    return compile_in_process("faulty", named_model(name), config, progress, std::move(stop), options_);
  }
  Status failure(std::string_view name, const BuildConfig& config = {}) {
    const auto blob = build(name, config);
    EXPECT_FALSE(blob.ok()) << name;
    return blob.status();
  }

  BuildProcessOptions options_;

 private:
  ScopedVariable plugins_{"TERN_PLUGIN_PATH", FAULT_FOLDER};
};

std::string text_of(const EngineBlob& blob) {
  return {reinterpret_cast<const char*>(blob.bytes.data()), blob.bytes.size()};
}

pid_t number_after(std::string_view phase, std::string_view word) {
  return phase.starts_with(word) ? std::stoi(std::string(phase.substr(word.size()))) : 0;
}

/// Runs and waits until the process is gone, or is a zombie that somebody else has to reap.
bool is_gone_soon(pid_t pid) {
  for (const auto until = Clock::now() + 10s; Clock::now() < until; std::this_thread::sleep_for(10ms)) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    if (!std::getline(stat, text) || text.substr(text.rfind(')') + 2, 1) == "Z") return true;
  }
  return false;
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

std::shared_ptr<Backend> openvino() {
  return BackendRegistry::load().find("openvino").value();
}

std::vector<float> run_on(const EngineBlob& blob, const Tensor& input) {
  const auto engine = openvino()->load(blob, {.threads = 1}).value();
  const auto context = engine->create_context().value();
  EXPECT_TRUE(context->bind_input(0, input.view()).ok());
  EXPECT_TRUE(context->infer().ok());
  const auto values = context->output(0).value().as<float>();
  return {values.begin(), values.end()};
}

void expect_equal(const std::vector<TensorSpec>& a, const std::vector<TensorSpec>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].dtype, b[i].dtype);
    EXPECT_EQ(a[i].shape, b[i].shape);
  }
}

TEST(BuildProcess, gives_the_engine_that_a_build_in_this_process_gives) {
  const Model model = Model::from_file(source_path("models/overhead-obstruction.onnx")).value();
  const BuildConfig config{.threads = 1};
  const EngineBlob here = openvino()->compile(model, config, {}, {}).value();
  const auto built = compile_in_process("openvino", model, config, {}, {}, {});
  ASSERT_TRUE(built.ok()) << built.status().to_string();
  const EngineBlob& there = *built;
  EXPECT_EQ(there.backend, here.backend);
  EXPECT_EQ(there.backend_version, here.backend_version);
  EXPECT_EQ(there.engine_id, here.engine_id);
  EXPECT_EQ(there.precision, here.precision);
  EXPECT_EQ(there.context_bytes, here.context_bytes);
  EXPECT_EQ(there.layers, here.layers);
  EXPECT_GT(there.bytes.size(), 1000U);
  expect_equal(there.inputs, here.inputs);
  expect_equal(there.outputs, here.outputs);

  Tensor input = Tensor::create(DType::kF32, here.inputs[0].shape).value();
  float value = 0;
  for (float& v : input.as<float>())
    v = (value += 0.37F) > 1 ? (value -= 1) : value;
  const auto a = run_on(here, input), b = run_on(there, input);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-5F * (1 + std::abs(a[i])));
}

TEST(BuildProcess, progress_rises_to_one_in_the_calling_thread) {
  const Model model = Model::from_file(source_path("tests/data/affine.onnx")).value();
  std::vector<double> fractions;
  const Progress progress = [&, caller = std::this_thread::get_id()](std::string_view phase, double fraction) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_FALSE(phase.empty());
    fractions.push_back(fraction);
  };
  const auto blob = compile_in_process("openvino", model, {}, progress, {}, {});
  ASSERT_TRUE(blob.ok()) << blob.status().to_string();
  ASSERT_GE(fractions.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(fractions));
  EXPECT_EQ(fractions.back(), 1.0);
}

TEST(BuildProcess, the_failure_of_a_broken_model_arrives_unchanged) {
  const Model model = Model::from_file(source_path("tests/data/unknown_op.onnx")).value();
  const Status here = openvino()->compile(model, {}, {}, {}).status();
  const Status there = compile_in_process("openvino", model, {}, {}, {}, {}).status();
  EXPECT_EQ(there.code(), StatusCode::kEngineBuildError);
  EXPECT_EQ(there.code(), here.code());
  EXPECT_EQ(there.message(), here.message());
  EXPECT_EQ(there.where(), here.where());
  EXPECT_EQ(there.hint(), here.hint());
  EXPECT_EQ(there.cause(), here.cause());
  EXPECT_THAT(there.where(), HasSubstr("unknown_op.onnx"));
}

TEST(BuildProcess, a_backend_that_is_not_there_is_named) {
  const Status status = compile_in_process("fpga", named_model("m"), {}, {}, {}, {}).status();
  EXPECT_EQ(status.code(), StatusCode::kBackendError);
  EXPECT_THAT(status.message(), HasSubstr("'fpga'"));
}

TEST_F(FaultyBuild, every_field_of_an_engine_arrives) {
  const auto blob = build("model").value();
  EXPECT_EQ(blob.backend, "faulty");
  EXPECT_EQ(blob.backend_version, "1.2.3-\xFF");
  EXPECT_EQ(blob.engine_id, "model-0123456789ab");
  EXPECT_EQ(blob.precision, Precision::kI8);
  expect_equal(blob.inputs, {{"x", DType::kU8, Shape{Shape::kDynamic, 3, 4}}, {"", DType::kBF16, Shape{}}});
  expect_equal(blob.outputs, {{"y", DType::kBool, Shape{1, 2, 3, 4, 5, 6, 7, 8}}});
  EXPECT_EQ(blob.layers, (std::map<std::string, int>{{"f32", 2}, {"i8", 40}}));
  EXPECT_EQ(blob.context_bytes, 1ULL << 40);
}

TEST_F(FaultyBuild, an_engine_of_64_mib_arrives_whole) {
  const auto blob = build("big").value();
  ASSERT_EQ(blob.bytes.size(), 64U << 20);
  EXPECT_EQ(blob.bytes[0], std::byte{'b'});
  EXPECT_EQ(std::memcmp(blob.bytes.data(), blob.bytes.data() + 1, blob.bytes.size() - 1), 0) << "all are alike";
}

TEST_F(FaultyBuild, model_and_config_arrive) {
  const Model model = Model::from_file(source_path("tests/data/two_ports.onnx")).value();
  const BuildConfig config{.precision = Precision::kBF16,
                           .profiles = {{"x", Shape{1, 2}, Shape{3, 4}, Shape{5, 6}}},
                           .max_batch = 7,
                           .threads = 2,
                           .hint = PerformanceHint::kThroughput,
                           .workspace = Workspace{.bytes = 0, .percent = 90},
                           .timeout = 77s,
                           .isolation = BuildConfig::Isolation::kProcess};
  const auto blob = compile_in_process("faulty", model, config, {}, {}, options_);
  ASSERT_TRUE(blob.ok()) << blob.status().to_string();
  EXPECT_THAT(text_of(*blob),
              HasSubstr("model two_ports " + model.path().string() + " " + model.content_hash() + "\n"));
  EXPECT_THAT(text_of(*blob), HasSubstr("config " + config.to_json() + "\n"));
}

TEST_F(FaultyBuild, the_worker_has_a_group_of_its_own_clean_signals_and_no_descriptor_of_this_process) {
  const int leaking = ::open("/dev/null", O_RDONLY);  // no close-on-exec, as applications do
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGINT);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto old_handler = std::signal(SIGPIPE, SIG_IGN);
  const auto blob = build("model");
  std::signal(SIGPIPE, old_handler);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(leaking);
  ASSERT_TRUE(blob.ok()) << blob.status().to_string();
  const std::string text = text_of(*blob);
  EXPECT_THAT(text, HasSubstr("own group yes\n"));
  EXPECT_THAT(text, HasSubstr("core 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("blocked")));
  EXPECT_THAT(text, HasSubstr("ignored " + std::to_string(SIGINT) + "\n"));
  EXPECT_THAT(text, Not(HasSubstr("ignored " + std::to_string(SIGPIPE) + "\n")));
  // Standard input, output, error; answers, engine. The request is closed by then.
  EXPECT_THAT(text, ::testing::StartsWith("fd 0\nfd 1\nfd 2\nfd 3\nfd 5\nignored"));
}

TEST_F(FaultyBuild, a_failure_arrives_with_all_its_parts) {
  const Status status = failure("fail");
  EXPECT_EQ(status.code(), StatusCode::kInferenceError);
  EXPECT_EQ(status.message(), "message \xFF\n\x01");
  EXPECT_EQ(status.where(), "model.onnx: node 'a'");
  EXPECT_EQ(status.hint(), "hint");
  EXPECT_EQ(status.cause(), std::string("cause\n\0!", 8));
}

TEST_F(FaultyBuild, a_cause_that_is_too_long_is_cut) {
  const Status status = failure("long_cause");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_EQ(status.message(), "m");
  EXPECT_EQ(status.cause(), std::string(1 << 20, 'c'));
}

TEST_F(FaultyBuild, a_crash_names_the_signal_and_the_last_words) {
  const auto logger = std::make_shared<LineLogger>();
  options_.logger = logger;
  const Status status = failure("crash");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("SIGSEGV"));
  EXPECT_THAT(status.cause(), HasSubstr("about to crash\nlast words"));
  EXPECT_THAT(logger->lines(), HasSubstr("about to crash\nlast words\n"));
}

TEST_F(FaultyBuild, an_abort_keeps_the_last_twenty_lines) {
  const auto logger = std::make_shared<LineLogger>();
  options_.logger = logger;
  const Status status = failure("abort");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("SIGABRT"));
  EXPECT_THAT(status.cause(), HasSubstr("assertion failed: moon == full"));
  EXPECT_EQ(std::ranges::count(status.cause(), '\n'), 19);
  EXPECT_THAT(logger->lines(), HasSubstr("line 0 of the log\n"));
}

TEST_F(FaultyBuild, a_kill_from_outside_is_told_as_such) {
  const Status status = failure("kill");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("SIGKILL"));
  EXPECT_THAT(status.hint(), HasSubstr("memory"));
}

TEST_F(FaultyBuild, an_end_without_an_answer_names_the_exit_code) {
  Status status = failure("exit");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("exit code 7"));
  EXPECT_EQ(status.cause(), "leaving");
  status = failure("quiet_exit");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("exit code 0 without an answer"));
}

TEST_F(FaultyBuild, an_exception_of_the_backend_is_a_failure) {
  const Status status = failure("throw");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.cause(), HasSubstr("thrown by the backend"));
}

TEST_F(FaultyBuild, the_memory_limit_ends_the_build_with_its_number) {
  options_.memory_limit_bytes = 1 << 30;
  const Status status = failure("allocate");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.to_string(), HasSubstr("1.0 GiB"));
  EXPECT_THAT(status.hint(), HasSubstr("build_memory_limit_bytes"));
  // The pieces are 16 MiB: at most 64 fit, and most of them do.
  int pieces = 0;
  const std::size_t at = status.cause().find("stopped after ");
  ASSERT_NE(at, std::string::npos) << status.cause();
  pieces = std::stoi(status.cause().substr(at + 14));
  EXPECT_LE(pieces, 64);
  EXPECT_GE(pieces, 40);
}

TEST_F(FaultyBuild, a_build_within_its_memory_limit_succeeds) {
  options_.memory_limit_bytes = 1 << 30;
  const auto blob = build("big");
  EXPECT_TRUE(blob.ok()) << blob.status().to_string();
}

TEST_F(FaultyBuild, garbage_among_the_answers_is_refused) {
  Status status = failure("garbage");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("what is no message"));
  status = failure("half_a_message");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("without an answer"));
}

TEST_F(FaultyBuild, an_engine_of_another_size_than_told_is_refused) {
  const Status status = failure("scribble");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("bytes; it told of"));
}

TEST_F(FaultyBuild, an_empty_engine_is_refused) {
  const Status status = failure("empty");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("empty engine"));
}

TEST_F(FaultyBuild, noise_on_the_standard_streams_does_no_harm) {
  const auto logger = std::make_shared<LineLogger>();
  options_.logger = logger;
  const auto blob = build("noise");
  ASSERT_TRUE(blob.ok()) << blob.status().to_string();
  const std::string lines = logger->lines();
  EXPECT_THAT(lines, HasSubstr("red\n"));
  EXPECT_TRUE(std::ranges::none_of(lines, [](char c) { return c != '\n' && static_cast<unsigned char>(c) < 0x20; }));
}

TEST_F(FaultyBuild, progress_never_falls_whatever_the_backend_says) {
  std::vector<double> fractions;
  ASSERT_TRUE(build("wandering", {}, [&](std::string_view, double fraction) { fractions.push_back(fraction); }).ok());
  EXPECT_EQ(fractions, (std::vector<double>{0.1, 0.5, 0.5, 0.5, 1, 1}));
}

TEST_F(FaultyBuild, a_build_takes_no_longer_than_its_timeout) {
  const auto start = Clock::now();
  const Status status = failure("sleep", {.timeout = 1s});
  EXPECT_EQ(status.code(), StatusCode::kTimeout);
  EXPECT_THAT(status.message(), HasSubstr("the build took longer than 1 s"));
  EXPECT_GE(Clock::now() - start, 1s);
  EXPECT_LT(Clock::now() - start, 30s);
}

TEST_F(FaultyBuild, a_flood_of_words_does_not_hold_up_the_timeout) {
  const auto start = Clock::now();
  EXPECT_EQ(failure("flood", {.timeout = 1s}).code(), StatusCode::kTimeout);
  EXPECT_LT(Clock::now() - start, 30s);
}

TEST_F(FaultyBuild, a_timeout_that_is_not_positive_is_refused) {
  for (const auto timeout : {0s, -1s}) {
    const Status status = failure("model", {.timeout = timeout});
    EXPECT_EQ(status.code(), StatusCode::kConfigError);
    EXPECT_EQ(status.where(), "timeout_s");
  }
  EXPECT_TRUE(build("model", {.timeout = 7 * 24h}).ok());
}

TEST_F(FaultyBuild, a_worker_that_is_deaf_or_stopped_is_killed_two_seconds_later) {
  for (const char* name : {"deaf", "stopped"}) {
    pid_t pid = 0;
    const auto start = Clock::now();
    const auto blob = build(name, {.timeout = 1s}, [&](std::string_view phase, double) {
      if (const pid_t told = number_after(phase, "pid "); told > 0) pid = told;
    });
    EXPECT_EQ(blob.status().code(), StatusCode::kTimeout);
    EXPECT_GE(Clock::now() - start, 3s) << name;
    EXPECT_LT(Clock::now() - start, 40s) << name;
    ASSERT_GT(pid, 0);
    EXPECT_TRUE(is_gone_soon(pid)) << name;
  }
}

TEST_F(FaultyBuild, a_stop_before_the_build_starts_nothing) {
  std::stop_source stop;
  stop.request_stop();
  bool is_called = false;
  const auto blob = build(
      "model", {}, [&](std::string_view, double) { is_called = true; }, stop.get_token());
  EXPECT_EQ(blob.status().code(), StatusCode::kCancelled);
  EXPECT_FALSE(is_called);
}

TEST_F(FaultyBuild, a_stop_while_building_ends_the_worker_at_once) {
  std::stop_source stop;
  pid_t pid = 0;
  std::jthread canceller;
  const auto start = Clock::now();
  const auto blob = build(
      "sleep", {},
      [&](std::string_view phase, double) {
        pid = number_after(phase, "pid ");
        canceller = std::jthread([&] {
          std::this_thread::sleep_for(200ms);
          stop.request_stop();
        });
      },
      stop.get_token());
  EXPECT_EQ(blob.status().code(), StatusCode::kCancelled);
  EXPECT_LT(Clock::now() - start, 30s);
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(is_gone_soon(pid));
}

TEST_F(FaultyBuild, an_exception_of_the_progress_callback_leaves_no_worker_behind) {
  pid_t pid = 0;
  EXPECT_THROW((void)build("sleep", {},
                           [&](std::string_view phase, double) {
                             pid = number_after(phase, "pid ");
                             throw std::runtime_error("of the application");
                           }),
               std::runtime_error);
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(is_gone_soon(pid));
}

TEST_F(FaultyBuild, ctrl_c_is_left_to_the_parent) {
  const auto blob = build("short_sleep", {}, [](std::string_view phase, double) {
    if (const pid_t pid = number_after(phase, "pid "); pid > 0) {
      EXPECT_EQ(::kill(pid, SIGINT), 0);
    }
  });
  EXPECT_TRUE(blob.ok()) << blob.status().to_string();
}

TEST_F(FaultyBuild, processes_that_a_backend_starts_end_with_the_worker) {
  for (const char* name : {"grandchild", "orphan"}) {
    pid_t grandchild = 0;
    const auto start = Clock::now();
    const auto blob = build(name, {}, [&](std::string_view phase, double) {
      if (const pid_t told = number_after(phase, "grandchild "); told > 0) grandchild = told;
    });
    EXPECT_LT(Clock::now() - start, 30s) << name;  // though the grandchild keeps the pipes open
    EXPECT_EQ(blob.ok(), std::string(name) == "grandchild") << blob.status().to_string();
    ASSERT_GT(grandchild, 0);
    EXPECT_TRUE(is_gone_soon(grandchild)) << name;
  }
}

TEST_F(FaultyBuild, a_killed_parent_leaves_no_worker_behind) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that the orphan comes to us
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    const auto blob = build("deaf", {}, [&](std::string_view phase, double) {
      static pid_t pid = 0;
      if (const pid_t told = number_after(phase, "pid "); told > 0) pid = told;
      if (phase == "deaf") [[maybe_unused]]
        const auto ignored = ::write(ends[1], &pid, sizeof(pid));
    });
    ::_exit(blob.ok() ? 1 : 0);
  }
  pid_t worker = 0;
  pollfd wait{ends[0], POLLIN, 0};
  ASSERT_EQ(::poll(&wait, 1, 60'000), 1);
  ASSERT_EQ(::read(ends[0], &worker, sizeof(worker)), static_cast<ssize_t>(sizeof(worker)));
  ASSERT_EQ(::kill(worker, 0), 0);
  ASSERT_EQ(::kill(parent, SIGKILL), 0);
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
  int status = 0;
  ASSERT_EQ(::waitpid(worker, &status, 0), worker);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  ::close(ends[0]);
  ::close(ends[1]);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(FaultyBuild, an_application_that_ignores_sigchld_can_build) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  const auto blob = build("model");
  const auto crashed = build("exit");
  std::signal(SIGCHLD, before);
  EXPECT_TRUE(blob.ok()) << blob.status().to_string();
  EXPECT_EQ(crashed.status().code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(crashed.status().message(), HasSubstr("ended without an answer"));
}

TEST_F(FaultyBuild, builds_leave_no_descriptor_and_no_zombie) {
  ASSERT_TRUE(build("model").ok());
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(build("model").ok());
    EXPECT_FALSE(build("exit").ok());
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(FaultyBuild, engines_are_read_only_and_outlive_the_build) {
  EngineBlob blob = build("model").value();
  const std::string text = text_of(blob);
  ASSERT_TRUE(build("big").ok());
  EXPECT_EQ(text_of(blob), text);
  std::ifstream maps("/proc/self/maps");
  const auto address = reinterpret_cast<std::uintptr_t>(blob.bytes.data());
  bool is_found = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t from = 0, to = 0;
    char mode[5] = {};
    ASSERT_EQ(std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, mode), 3);
    if (address < from || address >= to) continue;
    is_found = true;
    EXPECT_STREQ(mode, "r--p");
  }
  EXPECT_TRUE(is_found);
}

TEST_F(FaultyBuild, builds_run_beside_each_other) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const std::string name = i % 2 == 0 ? "exit" : "model" + std::to_string(i);
      const auto blob = build(name);
      EXPECT_EQ(blob.ok(), i % 2 != 0) << blob.status().to_string();
      if (blob.ok()) {
        EXPECT_THAT(text_of(*blob), HasSubstr("model " + name + " "));
      }
    });
  }
}

TEST_F(FaultyBuild, a_missing_worker_is_named_with_the_cure) {
  const auto expect_missing = [&](const Status& status, const std::string& path) {
    EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
    EXPECT_EQ(status.where(), path);
    EXPECT_THAT(status.hint(), AllOf(HasSubstr("TERN_BUILD_WORKER"), HasSubstr("in_process")));
  };
  for (const std::string path : {"/nonexistent/tern-build-worker", "/tmp", "/etc/passwd"}) {
    options_.worker = path;
    expect_missing(failure("model"), path);
  }
  options_.worker.clear();
  const ScopedVariable variable("TERN_BUILD_WORKER", "/nonexistent/worker");
  expect_missing(failure("model"), "/nonexistent/worker");
}

TEST_F(FaultyBuild, a_relative_worker_in_the_environment_is_refused) {
  const ScopedVariable variable("TERN_BUILD_WORKER", "bin/worker");
  const Status status = failure("model");
  EXPECT_EQ(status.code(), StatusCode::kConfigError);
  EXPECT_EQ(status.where(), "TERN_BUILD_WORKER");
}

TEST_F(FaultyBuild, an_empty_variable_is_none) {
  const ScopedVariable variable("TERN_BUILD_WORKER", "");
  EXPECT_TRUE(build("model").ok());
}

TEST_F(FaultyBuild, another_program_in_the_workers_place_is_found_out) {
  const fs::path script = fs::path(testing::TempDir()) / "tern-not-a-worker";
  std::ofstream(script) << "#!/bin/sh\necho I am no worker\nexit 3\n";
  fs::permissions(script, fs::perms::owner_all);
  const ScopedVariable variable("TERN_BUILD_WORKER", script);
  Status status = failure("model");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("exit code 3"));
  EXPECT_EQ(status.cause(), "I am no worker");

  std::ofstream(script) << "no program at all";
  status = failure("model");
  EXPECT_EQ(status.code(), StatusCode::kEngineBuildError);
  EXPECT_THAT(status.message(), HasSubstr("does not start"));
  fs::remove(script);
}

}  // namespace
}  // namespace tern
