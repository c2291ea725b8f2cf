// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Drawings as SVG, and words for numbers. Text reaches the page as text alone, never as HTML.

/** An element with a class, text, or children. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Sets the text where it differs, so that selections stay. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function shape(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Milliseconds in at most four letters: "0.042", "4.2", "118". */
export function milliseconds(value) {
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value >= 0.0995 ? value.toFixed(2) : value.toFixed(3);
}

export function percent(share, decimals = 1) {
  // 99.97 % is not 100 %.
  const unit = 10 ** -(decimals + 2);
  const shown = share < 1 ? Math.min(share, 1 - unit) : 1;
  return `${(100 * shown).toFixed(share < 1 ? decimals : 0)} %`;
}

export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (count >= 1024 && at < units.length - 1) { count /= 1024; at += 1; }
  return `${count.toFixed(at === 0 || count >= 100 ? 0 : 1)} ${units[at]}`;
}

export function count(value) {
  return value.toLocaleString("en").replaceAll(",", "\u2009");
}

export function duration(seconds) {
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

function niceTicks(low, high) {
  const ticks = [];
  for (let decade = 10 ** Math.floor(Math.log10(low)); decade <= high; decade *= 10)
    for (const step of [1, 2, 5]) if (step * decade >= low && step * decade <= high) ticks.push(step * decade);
  const every = Math.ceil(ticks.length / 3);
  return ticks.filter((_, i) => i % every === 0);
}

/** The counts of `latency`, over a logarithmic axis in ms, with lines at p50, p95 and p99. */
export function histogram(latency, label) {
  const [width, height] = [160, 60];
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" });
  const axis = element("div", "ticks");
  svg.append(shape("line", { class: "axis", x1: 0, x2: width, y1: height, y2: height }));
  if (latency.count === 0 || latency.buckets.length === 0) {
    svg.setAttribute("aria-label", `${label}: nothing measured yet`);
    return [svg, axis];
  }
  svg.setAttribute("aria-label", `${label}: p50 ${milliseconds(latency.p50)}, p95 ${milliseconds(latency.p95)}, ` +
                                 `p99 ${milliseconds(latency.p99)} ms of ${latency.count}`);
  const ratio = 2 ** 0.25;  // what stands alone still has a width
  const low = Math.min(latency.buckets[0][0], latency.p50) / ratio;
  const high = Math.max(latency.buckets.at(-1)[0], latency.p99) * 1.02;
  const share = (ms) => Math.max(0, Math.min(1, Math.log(ms / low) / Math.log(high / low)));
  const most = Math.max(...latency.buckets.map(([, n]) => n));
  let left = 0;
  for (const [upper, n] of latency.buckets) {
    const start = Math.max(left, width * share(upper / 2 ** 0.125));
    left = width * share(upper);
    if (n === 0) continue;
    const tall = Math.max(1.5, (height - 6) * n / most);
    svg.append(shape("rect", { class: "bar", x: start, y: height - tall, width: Math.max(0.8, left - start - 0.4), height: tall }));
  }
  for (const name of ["p99", "p95", "p50"]) {
    const at = width * share(latency[name]);
    svg.append(shape("line", { class: `mark ${name}`, x1: at, x2: at, y1: 2, y2: height }));
  }
  for (const tick of niceTicks(low, high)) {
    const text = element("span", "", String(Number(tick.toPrecision(2))));
    text.style.left = `${100 * Math.min(0.94, Math.max(0.06, share(tick)))}%`;
    axis.append(text);
  }
  return [svg, axis];
}

/** A bar for each interval: how much of it was in time (1: all), and what was not; null: nothing ended then. At most `most` bars. */
export function hitBars(shares, most, label) {
  const svg = shape("svg", { viewBox: `0 0 ${most} 30`, preserveAspectRatio: "none", role: "img", "aria-label": label });
  shares.slice(-most).forEach((share, i, { length }) => {
    if (share === null) return;
    const missed = share < 1 ? Math.max(2, 30 * (1 - share)) : 0;
    const x = most - length + i;
    svg.append(shape("rect", { class: "hit", x, y: missed, width: 0.86, height: 30 - missed }));
    if (missed > 0) svg.append(shape("rect", { class: "miss", x, y: 0, width: 0.86, height: missed }));
  });
  return svg;
}
