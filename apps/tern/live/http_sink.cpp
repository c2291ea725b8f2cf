// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "base/error.h"
#include "live/http_post.h"
#include "live/result_line.h"
#include "live/sinks.h"

namespace tern {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// After a try that may go better again, so long until the next one; after the last, the result is lost.
constexpr std::array<milliseconds, 2> kRetries{milliseconds(100), milliseconds(300)};
// So long nothing is sent once a result was lost; twice as long each time, up to the second.
constexpr milliseconds kFirstPause{1000}, kLongestPause{30000};

// A receiver that is away costs the results of that time. It is no failure of the sink: it may come back.
class HttpSink : public ResultSink {
 public:
  HttpSink(HttpPost post, LiveHooks hooks) : post_(std::move(post)), hooks_(std::move(hooks)) {}

  Status begin(const PipelineSpec& spec, const std::vector<PipelineModelInfo>& models) override {
    spec_ = &spec;
    models_ = &models;
    return {};
  }

  Status write(const FrameResult& result) override {
    if (Clock::now() < next_try_) {
      lose();
      return {};
    }
    const std::string line = result_line(result, *spec_, *models_);
    const Status status = send(line);
    if (!status.ok()) {
      hooks_.logger->log(LogLevel::kWarning, "http",
                         fmt::format("{}; results of the next {:.0f} s are lost", status.to_string(),
                                     0.001 * static_cast<double>(pause_.count())));
      last_failure_ = status;
      next_try_ = Clock::now() + pause_;
      pause_ = std::min(2 * pause_, kLongestPause);
      lose();
      return {};
    }
    if (pause_ != kFirstPause) {
      hooks_.logger->log(LogLevel::kInfo, "http",
                         fmt::format("{} takes results again; {} are lost", post_.host(), lost_));
    }
    pause_ = kFirstPause;
    ++sent_;
    return {};
  }

  Status finish() override {
    if (sent_ > 0 || lost_ == 0) return {};
    return make_error(StatusCode::kIoError, "not one of {} results could be posted", lost_)
        .at(post_.host())
        .with_cause(last_failure_.to_string());
  }

 private:
  Status send(const std::string& line) {
    HttpPost::Answer answer = post_.post(line);
    for (const milliseconds wait : kRetries) {
      if (answer.status.ok() || !answer.is_worth_retry) break;
      std::this_thread::sleep_for(wait);
      answer = post_.post(line);
    }
    return answer.status;
  }

  void lose() {
    ++lost_;
    if (counter_ == nullptr) {
      counter_ = find_counter(hooks_, "tern_pipeline_http_lost_total", "Results that could not be posted",
                              {{"host", post_.host()}});
    }
    if (counter_ != nullptr) counter_->add();
  }

  HttpPost post_;
  LiveHooks hooks_;
  const PipelineSpec* spec_ = nullptr;
  const std::vector<PipelineModelInfo>* models_ = nullptr;
  MetricCounter* counter_ = nullptr;
  Clock::time_point next_try_{};
  milliseconds pause_ = kFirstPause;
  Status last_failure_;
  std::uint64_t sent_ = 0, lost_ = 0;
};

}  // namespace

Result<SinkParts> make_http_sink(const PipelineSpec::Sink& spec, const std::filesystem::path&, const LiveHooks& hooks) {
  TERN_ASSIGN_OR_RETURN(HttpPost post, HttpPost::open(spec.url, spec.timeout));
  SinkParts parts;
  parts.name = "http";
  parts.sink = std::make_unique<HttpSink>(std::move(post), hooks);
  parts.is_lossless = false;
  return parts;
}

}  // namespace tern
