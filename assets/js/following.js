/**
 * The end of the log while the page follows it: the block hangs at the end of the track, and CSS does the pinning.
 *
 * In the steady state nothing is measured here: a frame is laid out once, after all of it was written. When more comes in a
 * frame than the screen holds, only what covers it is written, ten times a second: nobody reads it. The rows above come back
 * when there is calm.
 */

import { KEPT_PX, LOWEST_PX, MAX_ROWS, PAGE } from './view.js';

/** @typedef {import('./view.js').View} View */
/** @typedef {import('./view.js').Store} Store */

const CALM_MS = 500;
const BLUR_MS = 80; // batches come every 50 ms: every other one is drawn

/** Rows enough for the screen and a piece above it, however low they are. @param {View} view */
export function wanted({ height }) {
  return Math.min(300, Math.max(60, Math.ceil(height / 16) + 30));
}

/** @param {View} view @param {Store} store @returns {boolean} whether what came is drawn */
export function followEnd(view, store) {
  const { block, height } = view;
  const want = wanted(view);
  const few = Math.min(want, Math.ceil(height / LOWEST_PX) + 10);
  const now = performance.now();
  const short = block.length < want && now - view.rewrote > CALM_MS && view.node.offsetHeight < height + KEPT_PX; // clean here
  let { last } = block;
  let rewrite = !last;
  for (let i = 0; last && i < 8; i += 1) {
    const more = store.peekAfter(last, few + 1);
    if (more === null || more.length > few) rewrite = true;
    if (more === null || more.length === 0 || rewrite) break;
    block.append(more, Math.max(0, block.length + more.length - want), true);
    last = block.last;
  }
  const soon = view.rewrote + BLUR_MS - now;
  if (rewrite && block.length && soon > 0) {
    view.later ||= window.setTimeout(() => {
      view.later = 0;
      view.schedule();
    }, soon);
    return false;
  }
  if (rewrite) write(view, store, block.length ? few : want);
  const { first } = block;
  // What folded as it came covers less of the screen than its lines would.
  const bare = short || block.length < few;
  const before = first && bare ? store.peekBefore(first, PAGE) : null;
  view.atStart = first ? store.peekBefore(first, 1)?.length === 0 : store.life.tip <= store.life.from;
  if (before && before.length && block.rows.length + before.length <= MAX_ROWS) {
    block.insert(before, [], block.length);
    view.schedule();
  } else if (first && before === null && bare && !view.atStart) {
    view.loader.load('up', first, () => store.before(first, PAGE));
  }
  drawPartial(view, store);
  view.track.pin(view.atStart);
  return true;
}

/** Writes the last lines anew. @param {View} view @param {Store} store @param {number} n */
function write(view, store, n) {
  const { block } = view;
  const tail = store.peekTail(n);
  if (!tail) return readTail(view, store);
  view.rewrote = block.length ? performance.now() : 0;
  block.set(tail);
  // What folds covers less of the screen than its lines would.
  if (tail.length === n && block.length < n) block.set(store.peekTail(MAX_ROWS) ?? tail);
}

/** @param {View} view @param {Store} store */
function readTail(view, store) {
  const { tip, from } = store.life;
  if ((tip <= from && store.size <= tip) || ('base' in store && store.scanning)) return; // nothing there, or it is looked for already
  view.loader.load('tail', null, () => store.around('end', Math.max(wanted(view), PAGE), 0).then(({ items }) => {
    if (view.store === store && view.follow && items.length && !view.block.length) view.block.set(items);
  }));
}

/** @param {View} view @param {Store} store */
function drawPartial({ block }, store) {
  const { last } = block;
  const text = last && last.next < store.life.tip ? '' : store.partial;
  const { tip } = store.life;
  block.setPartial(text ? { kind: 'partial', life: store.current, offset: tip, next: tip, text } : null);
}
