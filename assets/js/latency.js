/**
 * How long a line takes from the file to the screen, and whether this page falls behind.
 *
 * A batch carries when the server read its first line. The clocks of the two machines differ, so the ticks, which carry the
 * server's time, tell by how much: the smallest distance seen lately, which holds the fastest way of the network too, so
 * that over a slow line the figure is a lower bound. Pure.
 */

const TICKS = 30;
const PAINTS = 15;

export class Latency {
  constructor() {
    /** @type {number[]} */
    this.ticks = [];
    /** @type {number[]} */
    this.paints = [];
    /** When the oldest line was read that is not painted yet, 0 for none. */
    this.waiting = 0;
    /** How old the last batch was when it came. */
    this.behind = 0;
  }

  /** @param {number} at server's time @param {number} now */
  tick(at, now) {
    if (!Number.isFinite(at)) return;
    this.ticks.push(now - at);
    if (this.ticks.length > TICKS) this.ticks.shift();
    if (!this.waiting) this.behind = 0;
  }

  /** @param {number|undefined} at @param {number} now @returns {number} how old it is, in ms */
  batch(at, now) {
    if (at === undefined || this.ticks.length === 0) return 0;
    this.waiting ||= at;
    this.behind = Math.max(0, now - at - this.skew);
    return this.behind;
  }

  get skew() {
    return Math.min(...this.ticks);
  }

  /** A frame with all that came is on the screen. @param {number} now */
  painted(now) {
    if (!this.waiting) return;
    this.paints.push(Math.max(0, now - this.waiting - this.skew));
    if (this.paints.length > PAINTS) this.paints.shift();
    this.waiting = 0;
  }

  /** Nothing is painted while nobody looks. */
  skip() {
    this.waiting = 0;
    this.behind = 0;
  }

  /** What is usual of late, null before anything was painted. @returns {number|null} */
  get usual() {
    if (!this.paints.length) return null;
    return [...this.paints].sort((a, b) => a - b)[this.paints.length >> 1];
  }
}
