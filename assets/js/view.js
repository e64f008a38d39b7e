/**
 * The list: at most 600 real rows in an endless native track.
 *
 * The track is only room; its height means nothing. The block of rows is in normal flow, anchored at its top while it
 * grows down and at its bottom while it grows up, so that nothing already on the screen moves and `scrollTop` is never
 * written while somebody scrolls. Invariants: the rows are contiguous items of the store; layout is read at the start of
 * a frame and written after. While following, the block hangs at the end of the track and CSS does the pinning.
 */

import { fill, make } from './row.js';

/** @typedef {import('./store.js').Item} Item */
/** @typedef {import('./store.js').Store} Store */
/**
 * @typedef {object} Hooks
 * @property {(follow: boolean, why: string) => void} follow   following began or ended
 * @property {() => void} drawn                                something changed on the screen
 * @property {(error: unknown) => void} failed                 lines could not be read
 */

export const MAX_ROWS = 600;
const TRACK = 8_000_000; // px; browsers clamp elements at 17.9 M (Firefox) and 33.5 M (Chromium)
const PAGE = 120; // lines in one request
const KEPT_PX = 600; // rows nearer than this to the screen are not recycled

export class View {
  /** @param {HTMLElement} log @param {HTMLElement} track @param {HTMLElement} block @param {Hooks} hooks */
  constructor(log, track, block, hooks) {
    this.log = log;
    this.track = track;
    this.block = block;
    this.hooks = hooks;
    /** @type {Store|null} */
    this.store = null;
    /** @type {Item[]} */
    this.items = [];
    /** @type {HTMLElement[]} */
    this.rows = [];
    /** @type {HTMLElement|null} */
    this.partial = null;
    this.follow = true;
    this.height = TRACK;
    this.atStart = false;
    this.atEnd = false;
    /** The first visible row and how far its top is above the screen's: what must not move. */
    this.first = { index: 0, over: 0 };
    this.expected = -1; // the scrollTop that was written last: its event is not the user's
    this.lastTop = 0;
    this.turn = 0; // answers of an earlier place are not shown at this one
    this.busy = { up: false, down: false, tail: false };
    this.pending = false;
    log.addEventListener('scroll', () => this.scrolled(), { passive: true });
    log.addEventListener('wheel', (event) => {
      if (this.follow && event.deltaY < 0 && log.scrollTop > 0) this.setFollow(false, 'scroll');
    }, { passive: true });
    new ResizeObserver(() => this.keepPlace()).observe(log);
  }

  /** @param {Store} store */
  show(store) {
    this.store = store;
    this.turn += 1;
    this.busy = { up: false, down: false, tail: false };
    this.clear();
    this.schedule();
  }

  clear() {
    this.setItems([]);
    this.atStart = false;
    this.atEnd = false;
  }

  schedule() {
    if (this.pending || document.hidden) return; // a hidden tab's frames would only queue up
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.frame();
    });
  }

  /** @param {boolean} on @param {string} why */
  setFollow(on, why = 'user') {
    if (this.follow === on) return;
    if (!on) {
      // From now on it grows downwards too, so it hangs at its top.
      const top = this.block.offsetTop;
      this.track.classList.remove('flow');
      this.setHeight(Math.max(this.track.offsetHeight, top + this.block.offsetHeight));
      this.anchor('top', top);
      this.atEnd = false;
    }
    this.follow = on;
    this.lastTop = this.log.scrollTop;
    this.hooks.follow(on, why);
    this.schedule();
  }

  scrolled() {
    const top = this.log.scrollTop;
    const ours = Math.abs(top - this.expected) <= 1;
    if (!ours) {
      this.expected = -1;
      if (this.follow && top < this.lastTop - 1 && this.items.length) this.setFollow(false, 'scroll');
      else if (!this.follow && this.atEnd && top > this.lastTop && top + this.log.clientHeight >= this.height - 2) this.setFollow(true, 'scroll');
    }
    this.lastTop = top;
    this.schedule();
  }

  frame() {
    if (!this.store) return;
    if (this.follow) this.frameFollow(this.store);
    else this.frameRead(this.store);
    this.hooks.drawn();
  }

  // ── following ──────────────────────────────────────────────────────────────────────────────────────────────────

  get wanted() {
    return Math.min(300, Math.max(60, Math.ceil(this.log.clientHeight / 16) + 30));
  }

  /** @param {Store} store */
  frameFollow(store) {
    const short = this.block.offsetHeight < this.log.clientHeight + KEPT_PX; // clean here
    const want = this.wanted;
    let last = this.items[this.items.length - 1];
    let rewrite = !last;
    for (let i = 0; last && i < 8; i += 1) {
      const more = store.peekAfter(last, want + 1);
      if (more === null || more.length > want) rewrite = true;
      if (more === null || more.length === 0 || rewrite) break;
      this.append(more, Math.max(0, this.rows.length + more.length - Math.max(want, 100)));
      last = this.items[this.items.length - 1];
    }
    if (rewrite) {
      const tail = store.peekTail(want);
      if (tail) this.setItems(tail);
      else this.readTail(store, want);
    }
    const first = this.items[0];
    const before = first && (short || this.items.length < want) ? store.peekBefore(first, PAGE) : null;
    this.atStart = first ? store.peekBefore(first, 1)?.length === 0 : store.life.tip <= store.life.from;
    if (before && before.length && this.rows.length + before.length <= MAX_ROWS) {
      this.insert(before);
      this.schedule();
    } else if (first && before === null && short && !this.atStart) {
      this.read('up', () => store.before(first, PAGE));
    }
    this.drawPartial(store);
    this.pin();
  }

  /** @param {Store} store @param {number} want */
  readTail(store, want) {
    if (this.busy.tail || (store.life.tip <= store.life.from && store.lives.length > 1 && this.items.length > 0)) return;
    this.busy.tail = true;
    const { turn } = this;
    store.around('end', Math.max(want, PAGE), 0).then(({ items }) => {
      if (turn !== this.turn) return;
      this.busy.tail = false;
      if (this.follow && items.length && !this.items.length) this.setItems(items);
      this.schedule();
    }, (error) => {
      if (turn !== this.turn) return;
      this.hooks.failed(error);
      setTimeout(() => { this.busy.tail = false; this.schedule(); }, 1000);
    });
  }

  /** Holds the end of the block at the end of the screen. */
  pin() {
    if (this.atStart && this.rows.length <= MAX_ROWS) {
      this.track.classList.add('flow');
    } else if (this.track.classList.contains('flow') || this.height !== TRACK || this.block.style.bottom !== '0px') {
      this.track.classList.remove('flow');
      this.setHeight(TRACK);
      this.anchor('bottom', 0);
    }
    this.scrollTo(TRACK);
  }

  /** @param {Store} store */
  drawPartial(store) {
    const last = this.items[this.items.length - 1];
    const text = last && last.next < store.life.tip ? '' : store.partial;
    if (!text) {
      this.partial?.remove();
      this.partial = null;
      return;
    }
    this.partial ??= make();
    fill(this.partial, { kind: 'partial', life: store.current, offset: store.life.tip, next: store.life.tip, text });
    if (this.block.lastElementChild !== this.partial) this.block.append(this.partial);
  }

  // ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {Store} store */
  frameRead(store) {
    const { log, block } = this;
    const top = log.scrollTop;
    const seen = log.clientHeight;
    const y = block.offsetTop;
    const h = block.offsetHeight;
    const margin = Math.max(1500, 2 * seen);
    this.locate(top - y);
    const first = this.items[0];
    const last = this.items[this.items.length - 1];
    if (!first || !last) return;

    if (top - y < margin) {
      const items = store.peekBefore(first, PAGE);
      this.atStart = items?.length === 0;
      if (items === null) this.read('up', () => store.before(first, PAGE));
      else if (items.length) return this.growUp(items, top, seen, y);
    } else {
      this.atStart = false;
    }
    if (this.atStart ? y !== 0 : y < 400_000) return this.shift((this.atStart ? 0 : TRACK / 2) - y, top, y);

    if (y + h - (top + seen) < margin) {
      const items = store.peekAfter(last, PAGE);
      this.atEnd = items?.length === 0;
      if (items === null) this.read('down', () => store.after(last, PAGE));
      else if (items.length) return this.growDown(items, top, y, h);
      else if (this.height !== y + h) {
        this.anchor('top', y);
        this.setHeight(y + h); // the native end is the file's end
      }
    } else {
      this.atEnd = false;
    }
    return undefined;
  }

  /** @param {Item[]} items @param {number} top @param {number} seen @param {number} y */
  growUp(items, top, seen, y) {
    let end = this.rows.length;
    while (end + items.length > MAX_ROWS && end > 1 && y + this.rows[end - 1].offsetTop > top + seen + KEPT_PX) end -= 1;
    const bottom = end < this.rows.length ? y + this.rows[end].offsetTop : y + this.block.offsetHeight;
    const spare = this.rows.slice(end);
    if (spare.length) this.dropPartial();
    this.anchor('bottom', this.height - bottom);
    this.rows.length = end;
    this.items.length = end;
    this.insert(items, spare);
    this.schedule();
  }

  /** @param {Item[]} items @param {number} top @param {number} y @param {number} h */
  growDown(items, top, y, h) {
    let start = 0;
    while (this.rows.length - start + items.length > MAX_ROWS && start < this.rows.length - 1 && y + this.rows[start + 1].offsetTop < top - KEPT_PX) start += 1;
    const gone = start ? this.rows[start].offsetTop : 0;
    this.anchor('top', y + gone);
    if (y + h > this.height - 1_000_000) this.setHeight(y + h + 2_000_000);
    this.append(items, start);
    this.schedule();
  }

  /** Moves block and screen together. @param {number} by @param {number} top @param {number} y */
  shift(by, top, y) {
    this.anchor('top', y + by);
    this.setHeight(this.height + by);
    this.scrollTo(top + by);
    this.schedule();
  }

  /** Shows lines around a place. @param {string|number} at @param {number} part where on the screen, 0 top … 1 bottom */
  async jump(at, part = 0.3) {
    const { store } = this;
    if (!store) return null;
    this.turn += 1;
    const { turn } = this;
    this.busy = { up: false, down: false, tail: false };
    const got = await store.around(at, 60, PAGE);
    if (turn !== this.turn || store !== this.store || !got.items.length) return null;
    return this.place(got.items, got.at, part);
  }

  /** @param {Item[]} items @param {number} offset @param {number} part */
  place(items, offset, part) {
    this.setFollow(false, 'jump');
    this.setItems(items);
    this.dropPartial();
    let index = items.findIndex((item) => item.offset >= offset && item.kind === 'line');
    if (index < 0) index = items.length - 1;
    this.setHeight(TRACK);
    this.anchor('top', TRACK / 2);
    this.scrollTo(TRACK / 2 + this.rows[index].offsetTop - Math.round(this.log.clientHeight * part));
    this.schedule();
    return items[index];
  }

  // ── parts ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {'up'|'down'} side @param {() => Promise<Item[]>} fetch */
  read(side, fetch) {
    if (this.busy[side]) return;
    this.busy[side] = true;
    const { turn } = this;
    fetch().then(() => {
      if (turn !== this.turn) return;
      this.busy[side] = false;
      this.schedule(); // what came is in the cache now
    }, (error) => {
      if (turn !== this.turn) return;
      this.hooks.failed(error);
      setTimeout(() => { this.busy[side] = false; this.schedule(); }, 1000);
    });
  }

  /** @param {'top'|'bottom'} side @param {number} px */
  anchor(side, px) {
    this.block.style[side] = `${px}px`;
    this.block.style[side === 'top' ? 'bottom' : 'top'] = 'auto';
  }

  /** @param {number} px */
  setHeight(px) {
    this.height = px;
    this.track.style.height = `${px}px`;
  }

  /** @param {number} px */
  scrollTo(px) {
    if (Math.abs(this.log.scrollTop - px) > 0.5) this.log.scrollTop = px;
    this.expected = this.log.scrollTop; // clamped
    this.lastTop = this.expected;
  }

  dropPartial() {
    this.partial?.remove();
    this.partial = null;
  }

  /** Index of the row at `px` below the block's top. @param {number} px */
  indexAt(px) {
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.rows[middle].offsetTop <= px) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Remembers the first visible row. @param {number} px */
  locate(px) {
    const index = this.indexAt(px);
    this.first = { index, over: this.rows[index] ? px - this.rows[index].offsetTop : 0 };
  }

  /** After heights changed: the first visible row stays where it was. @param {() => void} [change] */
  keepPlace(change) {
    if (this.follow || !this.rows.length) {
      change?.();
      if (this.store) this.schedule();
      return;
    }
    if (change) this.locate(this.log.scrollTop - this.block.offsetTop);
    const y = this.block.offsetTop;
    this.anchor('top', y);
    change?.();
    const row = this.rows[Math.min(this.first.index, this.rows.length - 1)];
    const h = y + this.block.offsetHeight;
    if (h > this.height || this.atEnd) this.setHeight(h);
    this.scrollTo(y + row.offsetTop + Math.min(this.first.over, row.offsetHeight));
    this.schedule();
  }

  /** @param {Item[]} items */
  setItems(items) {
    while (this.rows.length > items.length) this.release(/** @type {HTMLElement} */ (this.rows.pop()));
    items.forEach((item, i) => {
      if (i < this.rows.length) this.note(this.rows[i], item);
      else this.block.insertBefore(this.note(this.rows[i] = make(), item), this.partial);
    });
    this.items = items.slice();
  }

  /** @param {Item[]} items @param {number} drop how many rows at the top give their nodes */
  append(items, drop) {
    this.dropPartial();
    const spare = this.rows.splice(0, drop);
    this.items.splice(0, drop);
    for (const item of items) {
      const row = this.note(spare.shift() ?? make(), item);
      this.block.append(row);
      this.rows.push(row);
    }
    this.items.push(...items);
    for (const row of spare) this.release(row);
  }

  /** @param {Item[]} items @param {HTMLElement[]} [spare] */
  insert(items, spare = []) {
    const head = items.map((item) => this.note(spare.pop() ?? make(), item));
    this.block.prepend(...head);
    this.rows = [...head, ...this.rows];
    this.items = [...items, ...this.items];
    for (const row of spare) this.release(row);
  }

  /** @param {HTMLElement} row @param {Item} item */
  note(row, item) {
    if (row === document.activeElement) this.log.focus({ preventScroll: true });
    const { clock, level } = fill(row, item);
    if (clock) this.log.classList.add(clock.length > 8 ? 'has-ms' : 'has-clock');
    if (level) this.log.classList.add('has-level');
    return row;
  }

  /** @param {HTMLElement} row */
  release(row) {
    if (row === document.activeElement) this.log.focus({ preventScroll: true });
    row.remove();
  }

  /** Fills all rows again, after the look changed. */
  refill() {
    this.rows.forEach((row, i) => this.note(row, this.items[i]));
  }
}
