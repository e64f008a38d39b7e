/**
 * What is remembered of a filtered file: spans. `[from, to)` of a life was scanned, and these lines of it were kept.
 *
 * Invariants: spans of a life do not overlap or touch, they grow together; all of them hold a bounded number of lines, the
 * least recently used goes first. Pure.
 */

import { lowerBound } from './cache.js';

/** @typedef {import('./store.js').Item} Item */
/** @typedef {{life: number, from: number, to: number, items: Item[]}} Span */

const MOST_LINES = 30_000; // what is let go is read again
const MOST_UNITS = 16_000_000; // UTF-16 units of text: 32 MB

export class Spans {
  constructor() {
    /** @type {Span[]} least recently used first */
    this.all = [];
    /** The one at the end of the file, which grows with it. @type {Span|null} */
    this.tail = null;
  }

  /** The span that an offset lies in; `end` where an offset that ends a span counts too. @param {number} life @param {number} offset @param {boolean} [end] */
  at(life, offset, end = false) {
    const i = this.all.findLastIndex((span) => span.life === life && span.from <= offset && (offset < span.to || (offset === span.to && (end || span.from === span.to || span === this.tail))));
    if (i < 0) return null;
    const [span] = this.all.splice(i, 1);
    this.all.push(span);
    return span;
  }

  /** What was scanned joins what it touches. @param {Span} fresh @param {'down'|'up'} side  where it grew @returns {Span} */
  add(fresh, side) {
    let span = fresh;
    for (const other of this.all.filter((one) => one.life === fresh.life && one.from <= fresh.to && fresh.from <= one.to)) {
      const [a, b] = other.from <= span.from ? [other, span] : [span, other];
      const end = a.items.length ? a.items[a.items.length - 1].offset : -1;
      const merged = { life: a.life, from: a.from, to: Math.max(a.to, b.to), items: [...a.items, ...b.items.slice(lowerBound(b.items, end + 1))] };
      this.all.splice(this.all.indexOf(other), 1);
      if (other === this.tail) this.tail = merged;
      span = merged;
    }
    span.items.forEach((item, i) => { item.loose = i > 0 ? span.items[i - 1].next !== item.offset : item.offset !== span.from; });
    this.all.push(span);
    this.trim(span, side);
    return span;
  }

  get full() {
    let lines = 0;
    let units = 0;
    for (const { items } of this.all) {
      lines += items.length;
      for (const { text } of items) units += text.length;
    }
    return lines > MOST_LINES || units > MOST_UNITS;
  }

  /** @param {Span} kept @param {'down'|'up'} side */
  trim(kept, side) {
    while (this.all.length > 1 && this.full) {
      const [gone] = this.all.splice(this.all[0] === kept ? 1 : 0, 1);
      if (gone === this.tail) this.tail = null;
    }
    while (kept.items.length > 1000 && this.full) {
      const half = kept.items.length >> 1;
      if (side === 'down') {
        kept.items.splice(0, half);
        kept.from = kept.items[0].offset;
      } else {
        kept.items.length = half;
        kept.to = kept.items[half - 1].next;
        if (kept === this.tail) this.tail = null;
      }
    }
  }
}

/** The lines around an offset that were asked for, and no hole among them. @param {Item[]} items @param {number} offset @param {number} before @param {number} after */
export function near(items, offset, before, after) {
  const i = Number.isFinite(offset) ? lowerBound(items, offset) : items.length;
  const from = Math.max(0, i - Math.max(before, 1));
  return items.slice(from, Math.min(items.length, i + Math.max(after, 1)));
}
