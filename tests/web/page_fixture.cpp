// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// page_fixture [--token-file FILE] [--address ADDRESS] [--port PORT]: the live page of a made-up pipeline. Prints its URL, serves until
// standard input ends, then prints how many pictures were drawn. "still" and "cold" on standard input end the frames, and telemetry.
#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "support/made_up_pipeline.h"
#include "tern/pipeline_spec.h"
#include "web/live_view.h"
#include "web/web_server.h"

namespace {

using namespace tern;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

constexpr double kBefore = 3'725;  // it has run for an hour already

Result<WebServerOptions> options_of(int argc, char** argv) {
  WebServerOptions options;
  options.port = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--token-file") {
      TERN_ASSIGN_OR_RETURN(options.access, WebAccess::from_file(argv[i + 1]));
    }
    if (name == "--address") options.address = argv[i + 1];
    if (name == "--port") options.port = std::stoi(argv[i + 1]);
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = options_of(argc, argv);
  auto server = options.ok() ? WebServer::open(*options) : Result<WebServer>(options.status());
  if (!server.ok()) {
    std::cerr << server.status().to_string() << '\n';
    return 1;
  }
  const auto start = std::chrono::steady_clock::now();
  std::atomic<bool> is_moving{true}, has_telemetry{true};
  const auto snapshot = [&] {
    PipelineSnapshot now = test::made_up_snapshot(kBefore + seconds_since(start));
    if (!has_telemetry) now.thermal = {false, 0, false, {"no sensor under /sys/class/thermal"}, 0, 0, "none"};
    return now;
  };
  auto pictures = std::make_shared<LivePictures>(std::vector<std::string>{"north-gate", "yard", "roof", "flight"});
  LiveView view(pictures);
  if (!view.begin({}, test::made_up_models()).ok()) return 1;
  server->start({snapshot, [] { return std::string("# TYPE made_up counter\nmade_up 1\n"); },
                 []() -> Result<std::string> { return Status(StatusCode::kConfigError, "tracing is off"); }, pictures});
  std::cout << server->url() << std::endl;
  std::jthread frames([&](const std::stop_token& stop) {
    test::MadeUpFrames made(960, 540);
    while (!stop.stop_requested()) {
      for (int source = 0; source < 2 && is_moving; ++source) {
        if (!view.write(made.at(source, seconds_since(start))).ok()) return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(33));
    }
  });
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "still") is_moving = false;
    if (line == "cold") has_telemetry = false;
  }
  frames.request_stop();
  frames.join();
  std::cout << pictures->published() << std::endl;
  return 0;
}
