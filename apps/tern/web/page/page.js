// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// Asks /status.json once a second and shows it; pictures come by themselves (pictures.js).
import { bytes, count, duration, element, histogram, hitBars, milliseconds, percent, setText } from "./charts.js";
import { Pictures } from "./pictures.js";

const kInterval = 1000;
const kTimeout = 4000;
const kHistory = 60;   // seconds that are looked back on
const kRecent = 10;    // seconds that "now" means
const kDrops = ["late", "superseded", "queue_full", "hopeless", "overload", "failed", "no_slot", "limited", "stopped"];
const kCauses = {
  late: "late", superseded: "superseded by a newer frame", queue_full: "queue full", hopeless: "hopeless: dropped early",
  overload: "gave way", failed: "a model failed", no_slot: "no place free", limited: "limited by a thermal step", stopped: "stopped",
};
const kStates = {
  opening: "plain", running: "good", reconnecting: "warn", ended: "plain", failed: "bad",
};
const kStages = { preprocess_ms: "preprocess", infer_ms: "infer", postprocess_ms: "postprocess" };

const at = (id) => document.getElementById(id);
const pictures = new Pictures();
const history = [];  // of statuses, the newest last

// ---- what is counted

/** Delivered over all that ended, less what a limit or a stop ended; null where there were none. */
function hitRate(ends, before = null) {
  let all = 0;
  for (const [end, n] of Object.entries(ends))
    if (end !== "limited" && end !== "stopped") all += n - (before?.[end] ?? 0);
  return all > 0 ? (ends.delivered - (before?.delivered ?? 0)) / all : null;
}

function sum(list) {
  return list.reduce((a, b) => a + b, 0);
}

/** The ends of all sources together. */
function allEnds(status) {
  const ends = {};
  for (const source of status.sources) for (const [end, n] of Object.entries(source.ends)) ends[end] = (ends[end] ?? 0) + n;
  return ends;
}

/** Hit rates of each interval in the history, by what `endsOf` picks. */
function hitHistory(endsOf) {
  const rates = [];
  for (let i = 1; i < history.length; i += 1) {
    const [before, now] = [endsOf(history[i - 1]), endsOf(history[i])];
    rates.push(before && now ? hitRate(now, before) : null);
  }
  return rates;
}

function recentHitRate(endsOf) {
  const before = history.at(-1 - Math.min(kRecent, history.length - 1));
  return history.length > 1 ? hitRate(endsOf(history.at(-1)), endsOf(before)) : null;
}

function toneOf(rate) {
  if (rate === null) return "plain";
  return rate >= 0.995 ? "good" : rate >= 0.95 ? "warn" : "bad";
}

// ---- parts of the page, made once for each name and changed in place

const parts = new Map();

/** The part of this name in `parent`, made by `make` where it is new; those not named any more are removed by sweep(). */
function part(parent, name, make) {
  const key = `${parent.id}/${name}`;
  let found = parts.get(key);
  if (!found) {
    found = make();
    parts.set(key, found);
    parent.append(found.root);
  }
  found.seen = true;
  return found;
}

function sweep() {
  for (const [key, one] of parts) {
    if (!one.seen) { one.root.remove(); one.gone?.(); parts.delete(key); }
    one.seen = false;
  }
}

function tile(label) {
  const value = element("dd", "value", "");
  const note = element("dd", "", "");
  const root = element("div", "tile", element("dt", "", label), value, note);
  return { root, show(text, more, tone = "plain") { setText(value, text); setText(note, more); root.dataset.tone = tone; } };
}

function facts(columns, ...labels) {
  const values = labels.map(() => element("dd", "", ""));
  const root = element("dl", `facts in-${columns}`, ...labels.map((label, i) => element("div", "", element("dt", "", label), values[i])));
  return { root, show(...texts) { texts.forEach((text, i) => setText(values[i], text)); } };
}

function badge() {
  const root = element("span", "badge", "");
  return { root, show(text, tone) { setText(root, text); root.dataset.tone = tone; } };
}

// Ages against the deadline.
function ageScale() {
  const bars = ["p99", "p95", "p50"].map((name) => [name, element("i", name)]);
  const mark = element("i", "mark");
  const scale = element("div", "scale", ...bars.map(([, bar]) => bar), mark);
  const note = element("p", "scale-note");
  return {
    root: element("div", "", scale, note),
    show(age, deadline) {
      const end = Math.max(1.25 * deadline, age.p99, 0.001);
      for (const [name, bar] of bars) bar.style.width = `${100 * Math.min(1, age[name] / end)}%`;
      mark.style.left = `calc(${100 * deadline / end}% - 1px)`;
      const words = age.count === 0 ? [["age of results", "none yet"]]
        : ["p50", "p95", "p99"].map((name) => [`age ${name}`, `${milliseconds(age[name])} ms`]);
      words.push(["deadline", `${milliseconds(deadline)} ms`]);
      note.replaceChildren(...words.map(([label, value]) => element("span", "", `${label} `, element("b", "", value))));
    },
  };
}

// Frames that were not delivered in time, by cause.
function drops() {
  const heading = element("p", "small muted", "");
  const stack = element("div", "stack");
  const legend = element("ul", "legend");
  return {
    root: element("div", "", heading, stack, legend),
    show(ends) {
      const total = sum(kDrops.map((end) => ends[end]));
      setText(heading, total === 0 ? "Every frame was in time." : `Not in time: ${count(total)} of ${count(total + ends.delivered)}`);
      const there = kDrops.filter((end) => ends[end] > 0);
      stack.hidden = total === 0;
      stack.replaceChildren(...there.map((end) => {
        const bar = element("i", "");
        bar.style.flex = `${ends[end]} 1 0`;
        bar.style.background = `var(--${end})`;
        return bar;
      }));
      legend.replaceChildren(...there.map((end) => {
        const colour = element("i", "");
        colour.style.background = `var(--${end})`;
        return element("li", "", colour, `${kCauses[end]} `, element("b", "", count(ends[end])));
      }));
    },
  };
}

function sourceCard(name) {
  const picture = pictures.add(name);
  const state = badge();
  const message = element("p", "message", "");
  const hits = element("span", "", "");
  const words = element("small", "", "");
  const since = element("div", "muted small", "");
  const spark = element("div", "spark");
  const figure = element("div", "figure", element("div", "value", hits, " ", words), since);
  const [age, lost, numbers] = [ageScale(), drops(), facts(4, "Rate", "Frames", "Size", "Reconnects")];
  const root = element("article", "card", picture.root, element("div", "body",
    element("div", "head", element("h3", "", name), state.root), message,
    element("div", "hits", figure, spark), age.root, lost.root, numbers.root));
  return {
    root,
    gone() { pictures.remove(name); },
    show(source) {
      const endsOf = (status) => status.sources.find((one) => one.name === name)?.ends;
      const now = recentHitRate(endsOf);
      state.show(source.state, kStates[source.state] ?? "plain");
      setText(message, source.message);
      message.hidden = source.message === "";
      setText(hits, now === null ? "–" : percent(now));
      setText(words, now !== null ? "in time" : history.length === 1 ? "" : "no frames now");
      figure.dataset.tone = toneOf(now);
      setText(since, `${percent(source.hit_rate, 2)} since the start`);
      spark.replaceChildren(hitBars(hitHistory(endsOf), kHistory - 1, "Frames in time and not, each second of the last minute"));
      age.show(source.age_ms, source.deadline_ms);
      lost.show(source.ends);
      numbers.show(`${source.rate_hz.toFixed(1)} /s`, count(source.frames),
                   source.width > 0 ? `${source.width}×${source.height}` : "not known", count(source.reconnects));
      picture.show(source);
    },
  };
}

function stage(label) {
  const drawing = element("div", "");
  const values = ["p50", "p95", "p99"].map((name) => [name, element("dd", "", "")]);
  const numbers = element("dl", "numbers", ...values.flatMap(([name, value]) => [element("dt", name, name), value]));
  return {
    root: element("div", "stage", element("h4", "", label), drawing, numbers),
    show(latency) {
      drawing.replaceChildren(...histogram(latency, label));
      for (const [name, value] of values) setText(value, latency.count > 0 ? `${milliseconds(latency[name])} ms` : "–");
    },
  };
}

function modelCard(name) {
  const [state, kind] = [badge(), element("p", "muted small", "")];
  const numbers = facts(3, "Items", "Batch size", "Busy", "Slowdown", "Failures", "Reloads");
  const stages = Object.entries(kStages).map(([key, label]) => [key, stage(label)]);
  const root = element("article", "card", element("div", "body",
    element("div", "head", element("h3", "", name), state.root), kind, numbers.root,
    element("div", "stages", ...stages.map(([, one]) => one.root))));
  let batches = { items: 0, batches: 0 };
  return {
    root,
    show(model) {
      root.classList.toggle("off", !model.is_running);
      state.show(model.is_running ? "on" : "off", model.is_running ? "good" : "plain");
      setText(kind, [model.precision, model.backend, model.engine_id].filter(Boolean).join(" · "));
      const before = history.at(-1 - Math.min(kRecent, history.length - 1)).models.find((one) => one.name === name);
      batches = model.batches > (before?.batches ?? 0) && history.length > 1
        ? { items: model.items - before.items, batches: model.batches - before.batches } : model;
      numbers.show(count(model.items), batches.batches > 0 ? (batches.items / batches.batches).toFixed(1) : "–",
                   percent(model.busy_share), `× ${model.slowdown.toFixed(2)}`, count(model.failures), count(model.reloads));
      for (const [key, one] of stages) one.show(model[key]);
    },
  };
}

function ledgerPart(device) {
  const amount = element("span", "muted small", "");
  const [stack, legend] = [element("div", "stack"), element("ul", "legend")];
  const colours = ["--delivered", "--queue_full", "--late", "--overload", "--limited", "--hopeless", "--no_slot", "--superseded"];
  return {
    root: element("div", "ledger", element("div", "head", element("h3", "", device), amount), stack, legend),
    show(ledger) {
      setText(amount, `${bytes(ledger.resident_bytes)} of ${bytes(ledger.budget_bytes)}`);
      const whole = Math.max(ledger.budget_bytes, ledger.resident_bytes, 1);
      const bar = (size, colour) => {
        const one = element("i", "");
        one.style.flex = `${size} 1 0`;
        if (colour) one.style.background = colour;
        return one;
      };
      const colourOf = (i) => `var(${colours[i % colours.length]})`;
      stack.replaceChildren(...ledger.items.map((item, i) => bar(item.bytes, colourOf(i))),
                            bar(whole - sum(ledger.items.map((item) => item.bytes)), ""));
      legend.replaceChildren(...ledger.items.map((item, i) => {
        const colour = element("i", "");
        colour.style.background = colourOf(i);
        return element("li", "", colour, `${item.name} `, element("b", "", bytes(item.bytes)));
      }));
    },
  };
}

function sinkRow(name) {
  const state = badge();
  const failure = element("span", "message", "");
  const cells = Array.from({ length: 5 }, () => element("td", "", ""));
  const heading = element("th", "", name);
  heading.scope = "row";
  return {
    root: element("tr", "", heading, element("td", "", state.root, " ", failure), ...cells),
    show(sink) {
      state.show(sink.failure ? "failed" : "writing", sink.failure ? "bad" : "good");
      setText(failure, sink.failure);
      const write = sink.write_ms;
      const texts = [count(sink.written), count(sink.missed), count(sink.waiting),
                     ...[write.p50, write.p99].map((ms) => (write.count > 0 ? `${milliseconds(ms)} ms` : "–"))];
      texts.forEach((text, i) => setText(cells[i], text));
    },
  };
}

function thermalPanel() {
  const value = element("span", "value", "");
  const state = badge();
  const reasons = element("p", "muted", "");
  const step = element("p", "", "");
  const now = element("div", "thermal-now", value, state.root);
  return {
    root: element("div", "", now, reasons, step),
    show(thermal) {
      const why = thermal.reasons.join("; ");
      if (thermal.available) {
        setText(value, `${thermal.temperature_c.toFixed(0)} °C`);
        state.show(thermal.throttled ? "slows itself down" : "full speed", thermal.throttled ? "bad" : "good");
        const clock = thermal.clock_mhz === null ? "" : `${thermal.clock_mhz.toFixed(0)} MHz` +
          (thermal.max_clock_mhz === null ? "" : ` of ${thermal.max_clock_mhz.toFixed(0)}`);
        setText(reasons, [clock, `from ${thermal.source}`, thermal.throttled ? why : ""].filter(Boolean).join(" · "));
      } else {
        setText(value, "no telemetry");
        state.show("not known", "warn");
        setText(reasons, why || "this machine tells no temperature");
      }
      now.dataset.tone = thermal.available && thermal.throttled ? "bad" : "plain";
      const held = thermal.available ? "" : ": without telemetry it stays there";
      setText(step, thermal.step === 0 ? `The pipeline runs at the top step${held}.`
        : `The pipeline is on step ${thermal.step} of its ladder${held}.` + (thermal.step_reason ? ` ${thermal.step_reason}` : ""));
    },
  };
}

// ---- the whole page

function showSummary(status) {
  const list = at("summary");
  const show = (label, ...texts) => part(list, label, () => tile(label)).show(...texts);
  const now = recentHitRate(allEnds);
  const total = hitRate(allEnds(status));
  show("Frames in time", now === null ? "–" : percent(now), total === null ? "none ended yet" : `${percent(total, 2)} since the start`, toneOf(now));
  const running = status.sources.filter((source) => source.state === "running").length;
  show("Frames", `${sum(status.sources.map((source) => source.rate_hz)).toFixed(0)} /s`, `${running} of ${status.sources.length} sources run`);
  show("Frames inside", `${status.frames_inside}`, `at most ${status.max_frames_inside}`);
  show("Overhead", percent(status.overhead_share), "of the models' time");
  show("Process memory", bytes(status.process_bytes), "resident");
  const thermal = status.thermal;
  show("Temperature", thermal.available ? `${thermal.temperature_c.toFixed(0)} °C` : "not known",
       thermal.step === 0 ? "top step" : `thermal step ${thermal.step}`,
       thermal.throttled ? "bad" : thermal.step > 0 ? "warn" : "plain");
}

function show(status) {
  history.push(status);
  if (history.length > kHistory) history.shift();
  setText(at("run-state"), status.is_draining ? `draining after ${duration(status.uptime_s)}` : `runs for ${duration(status.uptime_s)}`);
  setText(at("version"), `tern ${status.tern}`);
  showSummary(status);
  for (const source of status.sources) part(at("sources"), source.name, () => sourceCard(source.name)).show(source);
  for (const model of status.models) part(at("models"), model.name, () => modelCard(model.name)).show(model);
  for (const ledger of status.ledgers) part(at("memory"), ledger.device, () => ledgerPart(ledger.device)).show(ledger);
  for (const sink of status.sinks) part(at("sinks"), sink.name, () => sinkRow(sink.name)).show(sink);
  part(at("thermal"), "thermal", thermalPanel).show(status.thermal);
  sweep();
}

function showConnection(problem) {
  const [pill, banner] = [at("connection"), at("lost")];
  setText(pill, problem === "" ? "live" : "lost");
  pill.dataset.tone = problem === "" ? "good" : "bad";
  setText(banner, problem);
  banner.hidden = problem === "";
  document.body.classList.toggle("lost", problem !== "");
}

async function ask() {
  let response;
  try {
    response = await fetch("/status.json", { cache: "no-store", signal: AbortSignal.timeout(kTimeout) });
  } catch {
    return showConnection("Connection lost: what is shown is old. Trying again each second.");
  }
  if (response.status === 401) return showConnection("The token is no longer valid: open the page with ?token= again.");
  if (!response.ok) return showConnection(`The pipeline does not answer (${response.status}): what is shown is old.`);
  const status = await response.json();
  const last = history.at(-1);
  if (last && status.uptime_s < last.uptime_s) history.length = 0;  // it was started anew
  show(status);
  showConnection("");
}

async function run() {
  for (;;) {
    const started = performance.now();
    if (!document.hidden) {
      try {
        await ask();
      } catch (error) {
        showConnection(`This page failed: ${error.message}`);
        throw error;
      }
    }
    await new Promise((done) => { setTimeout(done, Math.max(50, kInterval - (performance.now() - started))); });
  }
}

pictures.run();
run();
