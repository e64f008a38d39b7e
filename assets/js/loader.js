/**
 * Reads for the view: at most one request for each end of the block is under way, and the answers of an earlier place
 * wake nobody. What was read is in the store's cache; the next frame finds it there. Knows no DOM.
 */

/** @typedef {'up'|'down'|'tail'} Side */

const AFTER_ERROR_MS = 1000;
const IN_VAIN_MS = 500; // the same was asked before and did not help: not at the speed of the wire

export class Loader {
  /** @param {() => void} wake @param {(error: unknown) => void} failed */
  constructor(wake, failed) {
    this.wake = wake;
    this.failed = failed;
    this.turn = 0;
    /** @type {Set<Side>} */
    this.busy = new Set();
    /** @type {Map<Side, unknown>} */
    this.asked = new Map();
  }

  /** Another place: what is under way is of no interest any more. @returns {number} */
  reset() {
    this.busy.clear();
    this.asked.clear();
    this.turn += 1;
    return this.turn;
  }

  /** @param {Side} side @param {unknown} place  what is asked for @param {() => Promise<unknown>} fetch */
  load(side, place, fetch) {
    if (this.busy.has(side)) return;
    this.busy.add(side);
    const { turn } = this;
    const again = place !== null && this.asked.get(side) === place;
    this.asked.set(side, place);
    const done = () => {
      if (turn !== this.turn) return;
      this.busy.delete(side);
      this.wake();
    };
    fetch().then(() => (again ? setTimeout(done, IN_VAIN_MS) : done()), (error) => {
      this.failed(error);
      setTimeout(done, AFTER_ERROR_MS);
    });
  }
}
