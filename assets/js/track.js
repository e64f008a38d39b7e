/**
 * The endless native track: where the block hangs, how high the track is, and which `scrollTop` was ours.
 *
 * The height means nothing: it is room to scroll in, except at the ends, where the browser's own clamps become the file's.
 * In `flow` the whole file is in the block, and the track is as high as the block. Invariant: the height never changes while
 * the block hangs at the bottom, because that would move it.
 */

export const TRACK = 8_000_000; // px; browsers clamp elements at 17.9 M (Firefox) and 33.5 M (Chromium)

export class Track {
  /** @param {HTMLElement} log @param {HTMLElement} node @param {HTMLElement} block */
  constructor(log, node, block) {
    this.log = log;
    this.node = node;
    this.block = block;
    this.height = TRACK;
    /** The scrollTop that was written last: its event is not the user's. */
    this.expected = -1;
    this.lastTop = 0;
    /** Whether it is as `pin` left it, and nothing scrolled it or took its size since. */
    this.pinned = false;
  }

  /** @param {'top'|'bottom'} side @param {number} px */
  anchor(side, px) {
    this.pinned = false;
    this.block.style[side] = `${px}px`;
    this.block.style[side === 'top' ? 'bottom' : 'top'] = 'auto';
  }

  /** @param {number} px */
  setHeight(px) {
    this.pinned = false;
    this.height = px;
    this.node.style.height = `${px}px`;
  }

  /** @param {boolean} on */
  flow(on) {
    this.node.classList.toggle('flow', on);
  }

  /** @param {number} px */
  scrollTo(px) {
    this.pinned = false;
    if (Math.abs(this.log.scrollTop - px) > 0.5) this.log.scrollTop = px;
    this.expected = this.log.scrollTop; // clamped
    this.lastTop = this.expected;
  }

  /** The place where it is now was the page's doing, not the user's. */
  own() {
    this.expected = this.log.scrollTop;
    this.lastTop = this.expected;
  }

  /** Moves block and screen together. @param {number} by @param {number} top the scrollTop @param {number} y the block's top */
  shift(by, top, y) {
    this.anchor('top', y + by);
    this.setHeight(this.height + by);
    this.scrollTo(top + by);
  }

  /**
   * Holds the end of the block at the end of the screen. Once it hangs there nothing is asked or written: to ask where it is
   * scrolled to would have the rows laid out that were written a moment ago, before the rest of the frame is.
   * @param {boolean} whole  the block begins where the file begins
   */
  pin(whole) {
    if (this.pinned && !whole) return;
    this.flow(whole);
    if (!whole && (this.height !== TRACK || this.block.style.bottom !== '0px')) {
      this.setHeight(TRACK);
      this.anchor('bottom', 0);
    }
    this.scrollTo(TRACK);
    this.pinned = !whole;
  }
}
