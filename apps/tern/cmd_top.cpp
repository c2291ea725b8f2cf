// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/file.h"
#include "command.h"
#include "web/status_client.h"
#include "web/top_table.h"

namespace tern {
namespace {

constexpr auto kInterval = std::chrono::seconds(1);
constexpr int kLookMs = 100;  // for keys, signals and a new size of the window

// The other screen of the terminal, keys as they are pressed; as it was before when destroyed.
class Screen {
 public:
  Screen() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    put("\x1B[?1049h\x1B[?25l");
  }
  ~Screen() {
    put("\x1B[?25h\x1B[?1049l");
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] static winsize size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
    return size;
  }

  /// Line by line, each cleared to its end, so that nothing flickers.
  static void draw(const std::string& text) {
    const winsize window = size();
    std::string out = "\x1B[H";
    for (const char c : fit_to_terminal(text, window.ws_col, window.ws_row)) {
      if (c == '\n') out += "\x1B[K\r";
      out += c;
    }
    put(out + "\x1B[K\x1B[J");
  }

 private:
  static void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
  termios before_{};
};

class TopCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("address", address_, "Where the live page is: http://HOST:PORT/ or HOST:PORT")
        ->type_name("URL")
        ->capture_default_str();
    app.add_option("--token-file", token_file_, "The file with the page's token")->type_name("FILE");
    app.add_flag("--once", is_once_, "Print it once, which is also what happens without a terminal");
    app.add_flag("--json", is_json_, "Print the status as it came, once");
  }

  Status run(const Environment& environment) override {
    TERN_ASSIGN_OR_RETURN(const ServerAddress address, ServerAddress::parse(address_));
    std::string token;
    if (token_file_) {
      TERN_ASSIGN_OR_RETURN(token, read_text_file(*token_file_, 4096));
      while (!token.empty() && (token.back() == '\n' || token.back() == '\r'))
        token.pop_back();
    }
    StatusClient client(address, std::move(token));
    const bool is_terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    if (is_once_ || is_json_ || !is_terminal) return print_once(client);
    return follow(client, address, environment.stop);
  }

 private:
  Status print_once(StatusClient& client) const {
    TERN_ASSIGN_OR_RETURN(std::string text, client.read());
    if (!is_json_) {
      TERN_ASSIGN_OR_RETURN(text, top_table(text));
    }
    text += '\n';
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      return make_error(StatusCode::kIoError, "standard output takes no more");
    return {};
  }

  static Result<std::string> table(StatusClient& client) {
    TERN_ASSIGN_OR_RETURN(const std::string status, client.read());
    return top_table(status);
  }

  // A server that goes away is waited for; one that answers something else, or not this user, is not.
  static Status follow(StatusClient& client, const ServerAddress& address, const std::stop_token& stop) {
    Result<std::string> last = table(client);
    if (!last.ok()) return last.status();
    const Screen screen;
    for (;;) {
      const Result<std::string> now = table(client);
      if (now.ok()) last = now;
      if (!now.ok() && now.status().code() != StatusCode::kIoError) return now.status();
      const std::string state = now.ok() ? "" : "  CONNECTION LOST, trying again";
      const std::string text = fmt::format("{}{}    q: quit\n{}", address.url(), state, *last);
      if (!show(text, stop)) return {};
    }
  }

  // For a second, and again whenever the window has another size; false: the user wants to quit.
  static bool show(const std::string& text, const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + kInterval;
    winsize drawn{};
    while (std::chrono::steady_clock::now() < until) {
      const winsize window = Screen::size();
      if (window.ws_col != drawn.ws_col || window.ws_row != drawn.ws_row) {
        Screen::draw(text);
        drawn = window;
      }
      pollfd keys{STDIN_FILENO, POLLIN, 0};
      char key = 0;
      const bool has_key = ::poll(&keys, 1, kLookMs) > 0;
      if (stop.stop_requested() || (has_key && (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q')))
        return false;
    }
    return true;
  }

  std::string address_ = "127.0.0.1:8080";
  std::optional<std::string> token_file_;
  bool is_once_ = false, is_json_ = false;
};

}  // namespace

const CommandInfo kTopCommand{"top", "Show how a running pipeline does, in the terminal",
                              "  tern top\n"
                              "  tern top http://192.168.1.20:8080/ --token-file token\n"
                              "  tern top --once\n"
                              "  tern top --json | jq .sources[0].hit_rate",
                              make_command<TopCommand>};

}  // namespace tern
