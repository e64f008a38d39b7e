/**
 * The weaving of several files into one order by time.
 *
 * A window of items lies between a place `start` and a place `end` in each file; it grows at either end by taking, of all
 * files' next lines, the one with the earliest (or upwards the latest) time. The order within a file is never changed, and what
 * was once placed never moves. A line without a time goes with the line before it; where a file knows no times, lines that came
 * live have the time they came, older ones stand before everything. Live lines are held back for `HOLD_MS`, so that a file that
 * is read a moment later can still come first. An item's `offset` is its number in the order. Knows no DOM.
 */

import { plain } from './group.js';
import { parse } from './line.js';

/** @typedef {import('./store.js').Item} Item */
/** @typedef {import('./store.js').Store | import('./kept.js').Kept} Store */
/** @typedef {Item & {of: Item, file: string, key: number}} Line */
/**
 * @typedef {object} Part one file
 * @property {Store} store
 * @property {Item} start   the first item in the window, or a place
 * @property {Item} end     the last one, or a place
 * @property {{item: Item, key: number}[]} up    read, before the window; the last one is next
 * @property {{item: Item, key: number}[]} down  read, behind it; the first one is next
 * @property {number} key   of the last line behind which the window ends
 * @property {{from: number, at: number}[]} came  the newest batches: from which offset on, and when
 */
/** @typedef {'item'|'read'|'end'|'held'} Step */

export const MOST_PARTS = 16;
export const HOLD_MS = 250;
const WINDOW = 12_000; // items; more are let go at the far end
export const PAGE = 120;
const CAME = 64;
const ANEW = 10_000_000; // a new window numbers its items from elsewhere: nothing opened or selected fits by chance

export class Weave {
  /** @param {Store[]} stores @param {() => void} wake  something that was held back may be shown @param {number} [first]  numbers begin behind this one */
  constructor(stores, wake, first = ANEW * 1000) {
    this.wake = wake;
    /** @type {Line[]} */
    this.items = [];
    this.first = first;
    this.waking = 0;
    /** @type {Part[]} */
    this.parts = stores.map((store) => ({ store, start: placeAt(store.current, store.life.tip), end: placeAt(store.current, store.life.tip), up: [], down: [], key: -Infinity, came: [] }));
  }

  /** A batch of a file came. @param {string} file @param {{from: number}} batch @param {number} now */
  heard(file, batch, now) {
    const part = this.parts.find(({ store }) => store.name === file);
    if (!part) return;
    part.came.push({ from: batch.from, at: now });
    if (part.came.length > CAME) part.came.shift();
  }

  /** Begins a new window between these places. @param {Item[]} places */
  begin(places) {
    this.first = (Math.floor(this.first / ANEW) + 1) * ANEW + ANEW / 2;
    this.items = [];
    this.parts.forEach((part, i) => Object.assign(part, { start: places[i], end: places[i], up: [], down: [], key: -Infinity }));
  }

  /** Grows the window by the next line. @returns {Step} */
  down() {
    /** @type {Part|null} */
    let best = null;
    let ended = false;
    for (const part of this.parts) {
      if (!part.down.length) {
        const more = part.store.peekAfter(part.end, PAGE);
        if (more === null) return 'read';
        if (!more.length) {
          ended = true;
          continue;
        }
        let carry = part.key;
        part.down = more.map((item) => {
          carry = Math.max(carry, timeOf(item) ?? (carry > -Infinity ? carry : this.arrival(part, item)));
          return { item, key: carry };
        });
      }
      if (!best || part.down[0].key < best.down[0].key) best = part;
    }
    if (!best) return 'end';
    if (ended && this.young(best, best.down[0].item)) return 'held';
    const { item, key } = /** @type {{item: Item, key: number}} */ (best.down.shift());
    best.end = item;
    best.key = key;
    this.items.push(this.line(best, item, key, this.first + this.items.length));
    if (this.items.length > WINDOW) this.drop(PAGE);
    return 'item';
  }

  /** @returns {Step} */
  up() {
    /** @type {Part|null} */
    let best = null;
    for (const part of this.parts) {
      if (!part.up.length) {
        const more = part.store.peekBefore(part.start, PAGE);
        if (more === null) return 'read';
        if (!more.length) continue;
        let carry = more.map(timeOf).find((ms) => ms !== null) ?? -Infinity;
        part.up = more.map((item) => {
          carry = Math.max(carry, timeOf(item) ?? (carry > -Infinity ? carry : this.arrival(part, item)));
          return { item, key: carry };
        });
      }
      if (!best || part.up[part.up.length - 1].key >= best.up[best.up.length - 1].key) best = part;
    }
    if (!best) return 'end';
    const { item, key } = /** @type {{item: Item, key: number}} */ (best.up.pop());
    best.start = item;
    this.first -= 1;
    this.items.unshift(this.line(best, item, key, this.first));
    if (this.items.length > WINDOW) this.cut(PAGE);
    return 'item';
  }

  /** @param {Part} part @param {Item} of @param {number} key @param {number} offset @returns {Line} */
  line(part, of, key, offset) {
    return { kind: of.kind, life: 0, offset, next: offset + 1, text: of.text, of, file: part.store.name, origin: of.origin, key, ...(of.cut ? { cut: true } : {}) };
  }

  /** Grows the window to so many items before and after one, reading what is lacking. @param {number} middle @param {number} before @param {number} after */
  async grow(middle, before, after) {
    for (const side of /** @type {const} */ (['down', 'up'])) {
      const enough = () => (side === 'down' ? this.first + this.items.length - middle >= after : middle - this.first >= before);
      for (let reads = 0; reads < 8 && !enough(); ) {
        const step = this[side]();
        if (step === 'read') await this.read(side);
        else if (step !== 'item') break;
        if (step === 'read') reads += 1;
      }
    }
  }

  /** Reads what the next step lacks. @param {'up'|'down'} side */
  async read(side) {
    await Promise.all(this.parts.map(async (part) => {
      if (part[side].length) return;
      const known = side === 'up' ? part.store.peekBefore(part.start, PAGE) : part.store.peekAfter(part.end, PAGE);
      if (known !== null) return;
      await (side === 'up' ? part.store.before(part.start, PAGE) : part.store.after(part.end, PAGE));
    }));
  }

  /** When a line of a file without times came, if it came live. @param {Part} part @param {Item} item */
  arrival({ store, came }, item) {
    if (item.life !== store.current) return -Infinity;
    return came.findLast(({ from }) => from <= item.offset)?.at ?? -Infinity;
  }

  /** Whether another file could still bring a line that goes before this one. @param {Part} part @param {Item} item */
  young({ store, came }, item) {
    if (item.life !== store.current) return false;
    const batch = came.findLast(({ from }) => from <= item.offset);
    const left = batch ? batch.at + HOLD_MS - Date.now() : 0;
    if (left > 0) {
      clearTimeout(this.waking);
      this.waking = setTimeout(this.wake, left + 5);
    }
    return left > 0;
  }

  /** Lets the first items go. @param {number} n */
  drop(n) {
    for (const { of, file } of this.items.splice(0, n)) {
      const part = /** @type {Part} */ (this.parts.find(({ store }) => store.name === file));
      part.start = { kind: of.kind === 'note' ? 'line' : 'note', life: of.life, offset: of.next, next: of.next, text: '' };
      part.up = [];
    }
    this.first += n;
  }

  /** Lets the last items go. @param {number} n */
  cut(n) {
    for (const { of, file } of this.items.splice(this.items.length - n).reverse()) {
      const part = /** @type {Part} */ (this.parts.find(({ store }) => store.name === file));
      part.end = { kind: of.kind === 'note' ? 'line' : 'note', life: of.life, offset: of.offset, next: of.offset, text: '' };
      part.down = [];
      part.key = -Infinity;
    }
  }
}

/** A place in a file. @param {number} life @param {number} offset @returns {Item} */
export function placeAt(life, offset) {
  return { kind: 'note', life, offset, next: offset, text: '' };
}

/** @param {Item} item @returns {number|null} */
export function timeOf(item) {
  return item.kind === 'line' ? parse(plain(item.text.slice(0, 300))).ms : null;
}
