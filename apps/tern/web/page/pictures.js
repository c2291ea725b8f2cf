// SPDX-FileCopyrightText: 2026 The tern authors
// SPDX-License-Identifier: Apache-2.0
// The newest picture of each source that is on the screen. A browser holds few connections to one server, and a stream each would leave none
// for anything else: so pictures are asked for one by one, a few at a time, each answered once there is a newer one.
import { element, setText } from "./charts.js";

const kAtOnce = 3;
const kTimeout = 5000;
const kPause = 1000;  // after a failure
const kStale = 3000;  // ms without a new picture

export class Pictures {
  constructor() {
    this.tiles = new Map();
    this.observer = new IntersectionObserver((entries) => {
      for (const entry of entries) entry.target.tile.isVisible = entry.isIntersecting;
      this.wake();
    }, { rootMargin: "100px" });
    document.addEventListener("visibilitychange", () => this.wake());
    this.waiting = [];
  }

  add(name) {
    const image = element("img", "");
    const none = element("p", "none", "no picture yet");
    const caption = element("figcaption", "", "");
    const root = element("figure", "picture", none, image, caption);
    image.alt = `What the models see in ${name}`;
    image.hidden = true;
    caption.hidden = true;
    const tile = { name, root, image, none, caption, id: "0", isVisible: false, isBusy: false, asked: 0, after: 0, came: -Infinity };
    root.tile = tile;
    this.tiles.set(name, tile);
    this.observer.observe(root);
    return { root, show: (source) => Pictures.#describe(tile, source) };
  }

  remove(name) {
    this.observer.unobserve(this.tiles.get(name).root);
    this.tiles.delete(name);
  }

  /** Asks for pictures from now on. */
  run() {
    for (let i = 0; i < kAtOnce; i += 1) this.#serve();
    setInterval(() => this.wake(), kPause);
  }

  wake() {
    for (const go of this.waiting.splice(0)) go();
  }

  // Of those on the screen that nobody asks for now, the one asked for longest ago.
  #next() {
    if (document.hidden) return null;
    const now = performance.now();
    const free = [...this.tiles.values()].filter((tile) => tile.isVisible && !tile.isBusy && tile.after <= now);
    return free.reduce((best, tile) => (best === null || tile.asked < best.asked ? tile : best), null);
  }

  async #serve() {
    for (;;) {
      const tile = this.#next();
      if (tile === null) {
        await new Promise((go) => { this.waiting.push(go); });
        continue;
      }
      tile.isBusy = true;
      tile.asked = performance.now();
      try {
        await this.#ask(tile);
      } catch {
        tile.after = performance.now() + kPause;
      }
      tile.isBusy = false;
      this.wake();
    }
  }

  async #ask(tile) {
    const visible = [...this.tiles.values()].filter((one) => one.isVisible).length;
    const wait = visible > kAtOnce ? 200 : 1000;  // a source that stands still must not keep the others waiting
    const response = await fetch(`/frame/${encodeURIComponent(tile.name)}.jpg?after=${tile.id}&wait=${wait}`,
                                 { cache: "no-store", signal: AbortSignal.timeout(kTimeout) });
    if (response.status === 204) return;
    if (!response.ok) throw new Error(`${response.status}`);
    const url = URL.createObjectURL(await response.blob());
    tile.image.src = url;
    try {
      await tile.image.decode();
    } finally {
      URL.revokeObjectURL(url);
    }
    tile.id = (response.headers.get("ETag") ?? "").replaceAll('"', "");
    tile.image.hidden = false;
    tile.none.hidden = true;
    tile.came = performance.now();
  }

  static #describe(tile, source) {
    if (source.width > 0) tile.root.style.aspectRatio = `${source.width} / ${source.height}`;
    const isStale = performance.now() - tile.came > kStale;
    tile.root.classList.toggle("stale", isStale && !tile.image.hidden);
    tile.caption.hidden = tile.image.hidden || !isStale;
    setText(tile.caption, source.state === "running" ? "an old picture" : `an old picture: ${source.state}`);
    setText(tile.none, source.state === "running" ? "no picture yet" : `no picture: ${source.state}`);
  }
}
