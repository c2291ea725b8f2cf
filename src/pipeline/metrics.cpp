// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <type_traits>
#include <variant>

#include <fmt/format.h>

#include "base/error.h"
#include "model/text.h"
#include "tern/pipeline_metrics.h"

namespace tern {
namespace {

using Labels = MetricRegistry::Labels;
using Metric = std::variant<MetricCounter, MetricGauge, MetricHistogram>;

constexpr std::size_t kMaxMetrics = 100'000;

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name(std::string_view text, bool allows_colon) noexcept {
  const auto fits = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || (allows_colon && c == ':'); };
  return !text.empty() && (text.front() < '0' || text.front() > '9') && std::ranges::all_of(text, fits);
}

Status check(std::string_view name, std::string_view help, const Labels& sorted, bool is_histogram) {
  const auto wrong = [&](std::string_view what) {
    return make_error(StatusCode::kConfigError, "metric {}: {}", in_quotes(name), what);
  };
  if (!is_name(name, true)) return wrong("the name must be of letters, digits, '_' and ':'");
  if (!is_utf8(help)) return wrong("the help is not UTF-8");
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& [label, value] = sorted[i];
    if (!is_name(label, false) || label.starts_with("__"))
      return wrong("a label's name must be of letters, digits and '_'");
    if (is_histogram && label == "le") return wrong("the label 'le' belongs to the buckets");
    if (i > 0 && sorted[i - 1].first == label) return wrong("a label is given twice");
    if (!is_utf8(value)) return wrong("a label's value is not UTF-8");
  }
  return {};
}

/// Backslash and line feed are escaped everywhere, quotes in label values alone.
std::string escaped(std::string_view text, bool is_quoted) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || (c == '"' && is_quoted)) out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);  // the shortest text that is read back as the same
}

/// {a="1",le="0.5"}; nothing without labels.
std::string braces(const Labels& labels, std::string_view le = {}) {
  std::string out;
  for (const auto& [label, value] : labels)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", label, escaped(value, true));
  if (!le.empty()) out += fmt::format("{}le=\"{}\"", out.empty() ? "" : ",", le);
  return out.empty() ? out : "{" + out + "}";
}

void write(std::string& out, std::string_view name, const Labels& labels, const MetricCounter& counter) {
  out += fmt::format("{}{} {}\n", name, braces(labels), counter.value());
}

void write(std::string& out, std::string_view name, const Labels& labels, const MetricGauge& gauge) {
  out += fmt::format("{}{} {}\n", name, braces(labels), number(gauge.value()));
}

void write(std::string& out, std::string_view name, const Labels& labels, const MetricHistogram& histogram) {
  std::uint64_t total = 0;
  const auto bounds = histogram.bounds();
  for (std::size_t bucket = 0; bucket <= bounds.size(); ++bucket) {
    total += histogram.count(bucket);
    const std::string le = bucket < bounds.size() ? number(bounds[bucket]) : "+Inf";
    out += fmt::format("{}_bucket{} {}\n", name, braces(labels, le), total);
  }
  out += fmt::format("{0}_sum{1} {2}\n{0}_count{1} {3}\n", name, braces(labels), number(histogram.sum()), total);
}

}  // namespace

MetricHistogram::MetricHistogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

void MetricHistogram::observe(double value) noexcept {
  // Not lower_bound alone: NaN is below nothing.
  const auto at = std::isnan(value) ? bounds_.end() : std::ranges::lower_bound(bounds_, value);
  counts_[static_cast<std::size_t>(at - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  if (!std::isnan(value)) sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<double> latency_bounds() {
  return {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};
}

struct MetricRegistry::State {
  struct Family {
    std::string help{};
    std::size_t type = 0;          // of Metric
    std::vector<double> bounds{};  // of histograms
    std::map<Labels, Metric*> metrics{};
  };

  template <typename M>
  Result<M*> get(std::string_view name, std::string_view help, Labels labels, const std::vector<double>& bounds) {
    std::ranges::sort(labels);
    TERN_RETURN_IF_ERROR(check(name, help, labels, std::is_same_v<M, MetricHistogram>));
    constexpr std::size_t kType = type_of<M>();
    const std::scoped_lock lock(mutex);
    auto found = families.find(name);
    if (found == families.end()) {
      found = families.emplace(std::string(name), Family{std::string(help), kType, bounds, {}}).first;
    } else if (found->second.type != kType || found->second.help != help || found->second.bounds != bounds) {
      return make_error(StatusCode::kConfigError, "metric {} is there already, of another type, help or bounds",
                        in_quotes(name));
    }
    Metric*& metric = found->second.metrics[labels];
    if (metric == nullptr) {
      if (storage.size() >= kMaxMetrics) {
        found->second.metrics.erase(labels);
        return make_error(StatusCode::kConfigError, "more than {} metrics", kMaxMetrics).at(name);
      }
      if constexpr (std::is_same_v<M, MetricHistogram>) {
        metric = &storage.emplace_back(std::in_place_type<M>, bounds);
      } else {
        metric = &storage.emplace_back(std::in_place_type<M>);
      }
    }
    return std::get_if<M>(metric);
  }

  template <typename M>
  static constexpr std::size_t type_of() {
    return std::is_same_v<M, MetricCounter> ? 0 : std::is_same_v<M, MetricGauge> ? 1 : 2;
  }

  mutable std::mutex mutex;
  std::deque<Metric> storage;  // never moves what it holds
  std::map<std::string, Family, std::less<>> families;
};

MetricRegistry::MetricRegistry() : state_(std::make_unique<State>()) {}
MetricRegistry::~MetricRegistry() = default;

Result<MetricCounter*> MetricRegistry::counter(std::string_view name, std::string_view help, Labels labels) {
  return state_->get<MetricCounter>(name, help, std::move(labels), {});
}

Result<MetricGauge*> MetricRegistry::gauge(std::string_view name, std::string_view help, Labels labels) {
  return state_->get<MetricGauge>(name, help, std::move(labels), {});
}

Result<MetricHistogram*> MetricRegistry::histogram(std::string_view name, std::string_view help,
                                                   std::vector<double> bounds, Labels labels) {
  const bool ascends = std::ranges::adjacent_find(bounds, std::greater_equal<>()) == bounds.end();
  if (bounds.empty() || !ascends || !std::ranges::all_of(bounds, [](double bound) { return std::isfinite(bound); }))
    return make_error(StatusCode::kConfigError, "metric {}: bounds must ascend and be finite", in_quotes(name));
  return state_->get<MetricHistogram>(name, help, std::move(labels), bounds);
}

std::string MetricRegistry::text() const {
  constexpr std::array<std::string_view, 3> kTypes{"counter", "gauge", "histogram"};
  std::string out;
  const std::scoped_lock lock(state_->mutex);
  for (const auto& [name, family] : state_->families) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(family.help, false), name, kTypes[family.type]);
    for (const auto& [labels, metric] : family.metrics)
      std::visit([&](const auto& of) { write(out, name, labels, of); }, *metric);
  }
  return out;
}

}  // namespace tern
