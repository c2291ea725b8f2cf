// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
#include "quantize_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "evaluation.h"

namespace tern {
namespace {

constexpr std::size_t kBars = 128;
constexpr int kPictureWidth = 640;
constexpr int kJpegQuality = 80;
constexpr double kBestDb = 60;  // beyond it a bar is full

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #2a8a4a; --bad: #c0392b; --ink: #3568c0; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; } td, th { padding: .25rem .8rem; border-bottom: 1px solid var(--line); text-align: left; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
tr.chosen { background: var(--soft); font-weight: 600; }
.note { opacity: .75; } code { font-size: .9em; overflow-wrap: anywhere; }
.bar { display: inline-block; height: .7em; background: var(--ink); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: .8rem; }
figure { margin: 0; } figcaption { font-size: .8rem; overflow-wrap: anywhere; } svg { width: 100%; height: 5rem; background: var(--soft); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin-bottom: 1rem; } .pair img { width: 100%; }
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

std::string base64(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8U | (k < count ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= count ? kDigits[group >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

Result<std::string> image_tag(const cv::Mat& bgr, std::string_view alt) {
  cv::Mat small = bgr;
  if (bgr.cols > kPictureWidth)
    cv::resize(bgr, small, {kPictureWidth, std::max(1, bgr.rows * kPictureWidth / bgr.cols)}, 0, 0, cv::INTER_AREA);
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".jpg", small, bytes, {cv::IMWRITE_JPEG_QUALITY, kJpegQuality}))
    return Status(StatusCode::kInternalError, "cannot encode a picture of the report");
  return fmt::format(R"(<img alt="{}" src="data:image/jpeg;base64,{}">)", escaped(alt), base64(bytes));
}

void add_overview(const QuantizeReport& r, std::string& html) {
  html += fmt::format(
      "<h1>{} in int8</h1>\n<p class=note>for {}, ranges by {}; {} of {} layers with weights are int8</p>\n",
      escaped(r.model), escaped(r.target), escaped(r.method), r.summary.plan.layers.size(),
      r.summary.plan.layers.size() + r.summary.plan.float_layers.size());
  html += "<table>\n";
  const auto row = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) html += fmt::format("<tr><td>{}<td><code>{}</code>\n", name, escaped(value));
  };
  row("result", r.output);
  row("calibration pictures", r.images);
  row("labelled data", r.data);
  row("float model ran on", r.backend);
  row("floor", r.floor);
  html += "</table>\n";
}

void add_accuracy(const QuantizeReport& r, std::string& html) {
  if (r.accuracy.empty()) return;
  html +=
      fmt::format("<h2>Accuracy</h2>\n<table><tr><th>model<th class=n>{}<th class=n>change<th>\n", escaped(r.metric));
  const std::optional<double> before = r.accuracy.front().score;
  for (std::size_t i = 0; i < r.accuracy.size(); ++i) {
    const auto& [what, score, headline] = r.accuracy[i];
    const std::string change =
        i > 0 && score && before ? fmt::format("{:+.2f} pt", 100 * (*score - *before)) : std::string();
    html +=
        fmt::format("<tr{}><td>{}<td class=n>{}<td class=n>{}<td class=note>{}\n", r.chosen == i ? " class=chosen" : "",
                    escaped(what), score ? fmt::format("{:.2f}%", 100 * *score) : "-", change, escaped(headline));
  }
  html += "</table>\n";
}

Status add_comparison(const QuantizeReport& r, std::string& html) {
  if (!r.comparison) return {};
  const Comparison& c = *r.comparison;
  html += fmt::format(
      "<h2>Speed</h2>\n<table><tr><th><th>ran as<th class=n>one inference, median\n<tr><td>before<td>{}<td "
      "class=n>{:.2f} ms\n<tr><td>after<td>{}<td class=n>{:.2f} ms\n</table>\n<p class=note>{} pictures, both models "
      "in turns: {:.2f} times as fast.</p>\n",
      escaped(c.first_ran), c.first_ms, escaped(c.second_ran), c.second_ms, c.pictures,
      c.second_ms > 0 ? c.first_ms / c.second_ms : 0);
  html += fmt::format(
      "<h2>Most different pictures</h2>\n<p class=note>left before, right after; 0: the same results, 1: nothing in "
      "common; {:.4f} on average</p>\n",
      c.mean_difference);
  for (const ComparedPicture& picture : c.worst) {
    TERN_ASSIGN_OR_RETURN(const std::string left, image_tag(picture.first, "before"));
    TERN_ASSIGN_OR_RETURN(const std::string right, image_tag(picture.second, "after"));
    html += fmt::format("<p><code>{}</code>: {:.4f}</p>\n<div class=pair>{}{}</div>\n", escaped(picture.name),
                        picture.difference, left, right);
  }
  return {};
}

void add_layers(const QuantizeReport& r, std::string& html) {
  if (!r.layers.empty()) {
    html +=
        "<h2>Layers, the most disturbed first</h2>\n<p class=note>signal to quantisation noise in decibels, of the "
        "layer's input and its weights; below 20 is much</p>\n<table><tr><th>layer<th class=n>both<th class=n>input<th "
        "class=n>weights<th>\n";
    for (const LayerSensitivity& layer : r.layers) {
      const double part = std::isfinite(layer.sqnr_db) ? std::clamp(layer.sqnr_db / kBestDb, 0.0, 1.0) : 1;
      html += fmt::format(
          "<tr><td><code>{}</code><td class=n>{:.1f}<td class=n>{:.1f}<td class=n>{:.1f}<td><span class=bar "
          "style=\"width:{:.0f}px\"></span>\n",
          escaped(layer.node), layer.sqnr_db, layer.activation_db, layer.weight_db, 160 * part);
    }
    html += "</table>\n";
  }
  if (r.summary.plan.float_layers.empty()) return;
  html += "<h2>Layers that stay float</h2>\n<table><tr><th>layer<th>operator<th>why\n";
  for (const auto& layer : r.summary.plan.float_layers)
    html += fmt::format("<tr><td><code>{}</code><td>{}<td>{}\n", escaped(layer.node), escaped(layer.op),
                        escaped(layer.reason));
  html += "</table>\n";
}

/// Counts of |x| on a logarithmic scale, and the range as a line.
std::string histogram_svg(const TensorStatistics& tensor, float range) {
  std::string bars;
  double most = 1;
  std::vector<double> sums(kBars, 0);
  for (std::size_t i = 0; i < tensor.bins.size(); ++i)
    sums[i * kBars / tensor.bins.size()] += static_cast<double>(tensor.bins[i]);
  for (const double sum : sums)
    most = std::max(most, std::log1p(sum));
  for (std::size_t i = 0; i < kBars; ++i) {
    if (sums[i] == 0) continue;
    const double height = 100 * std::log1p(sums[i]) / most;
    bars += fmt::format("M{} 100v-{:.1f}h1v{:.1f}z", i, height, height);
  }
  const double at =
      tensor.amax() > 0 ? std::min(1.0, static_cast<double>(range) / static_cast<double>(tensor.amax())) * kBars : 0;
  return fmt::format(
      "<svg viewBox=\"0 0 {} 100\" preserveAspectRatio=none><path fill=\"var(--ink)\" d=\"{}\"/><path "
      "stroke=\"var(--bad)\" d=\"M{:.2f} 0V100\"/></svg>",
      kBars, bars, at);
}

void add_histograms(const QuantizeReport& r, std::string& html) {
  if (r.statistics.tensors.empty()) return;
  html +=
      "<h2>Activations and their ranges</h2>\n<p class=note>how often each |x| was seen, on a logarithmic scale; right "
      "of the red line values are clipped</p>\n<div class=grid>\n";
  for (const std::string& name : r.summary.plan.tensors) {
    const auto tensor = r.statistics.tensors.find(name);
    const auto scale = r.summary.scales.find(name);
    if (tensor == r.statistics.tensors.end() || scale == r.summary.scales.end()) continue;
    const float range = scale->second * 127;
    html +=
        fmt::format("<figure>{}<figcaption><code>{}</code><br>|x| up to {:.4g}, range {:.4g}</figcaption></figure>\n",
                    histogram_svg(tensor->second, range), escaped(name), tensor->second.amax(), range);
  }
  html += "</div>\n";
}

}  // namespace

Result<std::string> to_html(const QuantizeReport& report) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport "
      "content=\"width=device-width\">\n<title>{} in int8</title>\n<style>{}</style>\n",
      escaped(report.model), kStyle);
  add_overview(report, html);
  add_accuracy(report, html);
  TERN_RETURN_IF_ERROR(add_comparison(report, html));
  add_layers(report, html);
  add_histograms(report, html);
  return html;
}

}  // namespace tern
