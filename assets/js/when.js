/**
 * Times for people, and the axis of time: counts per bucket summed into the columns that fit. Pure.
 */

import { choices } from './settings.js';

/** Day and clock of a moment in the zone that is shown. @param {number} ms */
function parts(ms) {
  const utc = choices.zone === 'utc';
  const date = new Date(utc ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString();
  return { day: date.slice(0, 10), clock: date.slice(11, 19) };
}

/** @param {number} ms @param {boolean} [day]  with its day */
export function clockWords(ms, day = false) {
  const { day: date, clock } = parts(ms);
  return day ? `${date} ${clock}` : clock;
}

/** @param {number} from @param {number} to */
export function spanWords(from, to) {
  const [a, b] = [parts(from), parts(to)];
  if (a.day === b.day) return `${a.day} ${a.clock} – ${b.clock}`;
  return `${a.day} ${a.clock.slice(0, 5)} – ${b.day} ${b.clock.slice(0, 5)}`;
}

/** A range as its chip says it: no more than is needed. @param {number} from @param {number} to */
export function rangeWords(from, to) {
  const [a, b] = [parts(from), parts(to)];
  const cut = to - from >= 600_000 ? 5 : 8;
  if (a.day === b.day) return `${a.clock.slice(0, cut)}–${b.clock.slice(0, cut)}`;
  return `${a.day.slice(5)} ${a.clock.slice(0, 5)} – ${b.day.slice(5)} ${b.clock.slice(0, 5)}`;
}

/** @typedef {{start: number, end: number, all: number, of: Record<string, number>}} Column */

export class Scale {
  /** @param {import('./api.js').Bars|null} bars @param {number} columns */
  constructor(bars, columns) {
    /** @type {Column[]} */
    this.columns = [];
    this.first = bars?.start ?? null;
    /** Whether it is an axis of bytes. */
    this.place = bars?.place === true;
    this.last = bars && bars.start !== null ? bars.start + bars.bucket * bars.counts.length : null;
    if (!bars || this.first === null || this.last === null) return;
    const n = bars.counts.length;
    for (let i = 0; i < columns; i += 1) {
      const from = Math.floor((i * n) / columns);
      const to = Math.max(from + 1, Math.floor(((i + 1) * n) / columns));
      /** @type {Column} */
      const column = { start: this.first + from * bars.bucket, end: this.first + to * bars.bucket, all: 0, of: {} };
      for (let j = from; j < to; j += 1) {
        bars.levels.forEach((level, k) => {
          const count = bars.counts[j][k] ?? 0;
          column.of[level] = (column.of[level] ?? 0) + count;
          column.all += count;
        });
      }
      this.columns.push(column);
    }
  }

  get days() {
    return this.place || this.first === null || this.last === null || clockWords(this.first, true).slice(0, 10) === clockWords(this.last, true).slice(0, 10) ? 1 : 2;
  }

  /** Where a moment is on the axis, 0 to 1 if it is on it. @param {number} ms */
  part(ms) {
    if (this.first === null || this.last === null) return -1;
    return (ms - this.first) / Math.max(1, this.last - this.first);
  }

  /** @param {number} part @returns {number} ms */
  at(part) {
    return Math.round((this.first ?? 0) + part * ((this.last ?? 0) - (this.first ?? 0)));
  }

  /** About when the byte at this share of the file was written: lines are about equally long. @param {number} part */
  timeAtByte(part) {
    const all = this.place ? 0 : this.columns.reduce((sum, column) => sum + column.all, 0);
    if (!all) return null;
    let sum = 0;
    for (const column of this.columns) {
      if (sum + column.all >= part * all) return column.start + ((part * all - sum) / Math.max(1, column.all)) * (column.end - column.start);
      sum += column.all;
    }
    return this.last;
  }
}
