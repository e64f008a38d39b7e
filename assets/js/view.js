/**
 * The list: at most 600 real rows in an endless native track.
 *
 * The track is only room; its height means nothing. The block of rows is in normal flow, anchored at its top while it
 * grows down and at its bottom while it grows up, so that nothing already on the screen moves and `scrollTop` is never
 * written while somebody scrolls. Invariants: the rows are contiguous items of the store; layout is read at the start of
 * a frame and written after. While following, the block hangs at the end of the track and CSS does the pinning.
 */

import { Block } from './block.js';
import { followEnd, wanted } from './following.js';
import { shape, tailStart } from './group.js';
import { Loader } from './loader.js';
import { indexOf, jump, keepPlace, locate, swap } from './places.js';
import { TRACK, Track } from './track.js';

/** @typedef {import('./store.js').Item} Item */
/** @typedef {import('./store.js').Store | import('./kept.js').Kept | import('./merged.js').Merged} Store */
/**
 * @typedef {object} Hooks
 * @property {(follow: boolean, why: string) => void} follow   following began or ended
 * @property {() => void} drawn                                something changed on the screen
 * @property {(error: unknown) => void} failed                 lines could not be read
 */

export const MAX_ROWS = 600;
export const PAGE = 120; // lines in one request
export const LOWEST_PX = 18; // of a row, whatever the density
const REST_MS = 150; // after a jump the screen alone is drawn, for so long
const REST_PX = 100;
export const KEPT_PX = 600; // rows nearer than this to the screen are not recycled

export class View {
  /** @param {HTMLElement} log @param {HTMLElement} track @param {HTMLElement} block @param {Hooks} hooks */
  constructor(log, track, block, hooks) {
    this.log = log;
    this.track = new Track(log, track, block);
    this.node = block;
    this.block = new Block(block, log);
    this.hooks = hooks;
    /** @type {Store|null} */
    this.store = null;
    /** @type {{store: Store, taken: boolean}|null} what is shown once its lines are there, and whether somebody goes to another place of it */
    this.coming = null;
    this.moves = 0;
    /** @type {WeakMap<object, import('./group.js').Shape>} what is folded, for each file */
    this.shapes = new WeakMap();
    this.follow = true;
    this.atStart = false;
    this.atEnd = false;
    /** The first visible row and how far its top is above the screen's: what must not move. */
    this.first = { index: 0, over: 0 };
    this.loader = new Loader(() => this.schedule(), hooks.failed);
    this.pending = false;
    this.resting = 0;
    this.later = 0;
    this.rewrote = 0; // when all rows were last written anew, in ms of the page's clock
    log.addEventListener('scroll', () => this.scrolled(), { passive: true });
    log.addEventListener('wheel', ({ deltaY }) => {
      if (this.follow && deltaY < 0 && log.scrollTop > 0) this.setFollow(false, 'scroll');
      else if (!this.follow && deltaY > 0 && this.atBottom) this.setFollow(true, 'scroll');
    }, { passive: true });
    this.width = log.clientWidth;
    this.height = log.clientHeight;
    new ResizeObserver(() => this.resized()).observe(log);
  }

  /** @param {Store} store */
  use(store) {
    this.store = store;
    this.coming = null;
    const file = 'base' in store ? store.base : store;
    let known = this.shapes.get(file);
    if (!known) this.shapes.set(file, known = shape());
    this.block.shape = known;
    return this.loader.reset();
  }

  /** @param {Store} store */
  show(store) {
    this.use(store);
    this.block.set([]);
    this.block.dropPartial();
    this.atStart = false;
    this.atEnd = false;
    this.schedule();
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
      const top = this.node.offsetTop;
      locate(this, this.log.scrollTop - top);
      this.track.flow(false);
      this.track.setHeight(Math.max(this.track.node.offsetHeight, top + this.node.offsetHeight));
      this.track.anchor('top', top);
      this.atEnd = false;
    }
    this.follow = on;
    this.track.lastTop = this.log.scrollTop;
    this.hooks.follow(on, why);
    this.schedule();
  }

  get atBottom() {
    return this.atEnd && this.log.scrollTop + this.log.clientHeight >= this.track.height - 2;
  }

  /** The first visible item, or null. */
  get top() {
    return this.block.items[this.first.index] ?? null;
  }

  scrolled() {
    const top = this.log.scrollTop;
    const ours = Math.abs(top - this.track.expected) <= 1;
    if (!ours) {
      this.track.expected = -1;
      this.track.pinned = false;
      this.rest(0);
      // A screen that grew clamps the place without anybody scrolling; then it is still at the end.
      const atEnd = top + this.log.clientHeight >= this.log.scrollHeight - 2;
      if (this.follow && top < this.track.lastTop - 1 && !atEnd && this.block.length) this.setFollow(false, 'scroll');
      else if (!this.follow && top > this.track.lastTop && this.atBottom) this.setFollow(true, 'scroll');
    }
    this.track.lastTop = top;
    this.schedule();
  }

  resized() {
    const was = this.width;
    this.width = this.log.clientWidth;
    this.height = this.log.clientHeight;
    this.track.pinned = false;
    // Rows are as high as before in a screen that is only higher or lower: what stands at its top stays there.
    if (this.width !== was) this.keepPlace();
    else this.schedule();
  }

  frame() {
    if (!this.store) return;
    if (!this.follow) this.frameRead(this.store);
    else if (!followEnd(this, this.store)) return;
    this.hooks.drawn();
  }

  // ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** For so long the rows around the screen may wait: whoever drags the rail passes many places by. @param {number} [ms] */
  rest(ms = REST_MS) {
    window.clearTimeout(this.resting);
    this.resting = ms && window.setTimeout(() => {
      this.resting = 0;
      this.schedule();
    }, ms);
  }

  /** @param {Store} store */
  frameRead(store) {
    const { log, node } = this;
    // A frame may come before the observer: what it measures then has moved already.
    if (log.clientWidth !== this.width) this.resized();
    const top = log.scrollTop;
    const seen = log.clientHeight;
    const y = node.offsetTop;
    const h = node.offsetHeight;
    const margin = this.resting ? REST_PX : Math.max(1500, 2 * seen);
    locate(this, top - y);
    const first = this.block.first;
    const last = this.block.last;
    if (!first || !last) {
      // A filter kept nothing yet: what comes now moves nothing that somebody reads.
      const tail = 'base' in store ? store.peekTail(wanted(this)) : null;
      if (tail?.length) {
        this.block.set(tail);
        this.schedule();
      }
      return;
    }

    if (top - y < margin) {
      const items = store.peekBefore(first, PAGE);
      this.atStart = items?.length === 0;
      if (items === null) this.loader.load('up', first, () => store.before(first, PAGE));
      else if (items.length) return this.growUp(items, top, seen, y);
    } else {
      this.atStart = false;
    }
    if (this.atStart ? y !== 0 : y < 400_000) {
      this.track.shift((this.atStart ? 0 : TRACK / 2) - y, top, y);
      return this.schedule();
    }

    if (y + h - (top + seen) < margin) {
      const items = store.peekAfter(last, PAGE);
      this.atEnd = items?.length === 0;
      if (items === null) this.loader.load('down', last, () => store.after(last, PAGE));
      else if (items.length) return this.growDown(items, top, seen, y, h);
      else if (this.track.height !== y + h) {
        this.track.anchor('top', y);
        this.track.setHeight(y + h); // the native end is the file's end
      }
    } else {
      this.atEnd = false;
    }
    return undefined;
  }

  /** @param {Item[]} items @param {number} top @param {number} seen @param {number} y */
  growUp(items, top, seen, y) {
    let end = this.block.rows.length;
    while (end + items.length > MAX_ROWS && end > 1 && y + this.block.rows[end - 1].offsetTop > top + seen + KEPT_PX) end -= 1;
    const first = this.top;
    const bottom = end < this.block.rows.length ? y + this.block.rows[end].offsetTop : y + this.node.offsetHeight;
    // Rows that are above the screen anyway may fold into their head, which comes now.
    const above = Math.max(0, this.block.indexAt(top - y));
    const spare = this.block.cut(end);
    if (spare.length) this.block.dropPartial();
    this.track.anchor('bottom', this.track.height - bottom);
    this.block.insert(items, spare, Math.min(above, end));
    this.recount(first);
    this.schedule();
  }

  /** @param {Item[]} items @param {number} top @param {number} seen @param {number} y @param {number} h */
  growDown(items, top, seen, y, h) {
    let start = 0;
    while (this.block.rows.length - start + items.length > MAX_ROWS && start < this.block.rows.length - 1 && y + this.block.rows[start + 1].offsetTop < top - KEPT_PX) start += 1;
    const gone = start ? this.block.rows[start].offsetTop : 0;
    const join = y + this.block.rows[tailStart(this.block.items, this.block.shape)].offsetTop > top + seen || Boolean(this.block.last?.under);
    this.track.anchor('top', y + gone);
    if (y + h > this.track.height - 1_000_000) this.track.setHeight(y + h + 2_000_000);
    const first = this.top;
    this.block.append(items, start, join);
    this.recount(first);
    this.schedule();
  }

  /** The first visible row has another number now: the screen may get another size before the next frame looks. @param {Item|null} item */
  recount(item) {
    if (item) this.first.index = indexOf(this.block.items, item);
  }

  /** Shows lines around a place. @param {string|number} at @param {number} [part] where on the screen, 0 top … 1 bottom @param {string|null} [generation] */
  jump(at, part, generation) {
    return jump(this, at, part, generation);
  }

  /** Shows another choice of lines. @param {Store} store @param {{at: string|number, part: number, generation: string|null}|null} to */
  swap(store, to) {
    return swap(this, store, to);
  }

  /** After heights changed: the first visible row stays where it was. @param {() => void} [change] */
  keepPlace(change) {
    keepPlace(this, change);
  }
}
