/**
 * Where the screen stands: going to another place, showing other lines at the same one, and keeping it when heights change.
 */

import { wanted } from './following.js';
import { keyOf } from './group.js';
import { LOWEST_PX, PAGE } from './view.js';
import { TRACK } from './track.js';

const AROUND = 100; // lines before a place: as many as the screen's margin takes
const HEAD = 30; // of them drawn at once, so that most traces have their heads
const FOOT = 12; // drawn at once below the screen

/** @typedef {import('./store.js').Item} Item */
/** @typedef {import('./view.js').View} View */
/** @typedef {import('./view.js').Store} Store */

/** Shows lines around a place. @param {View} view @param {string|number} at @param {number} part where on the screen, 0 top … 1 bottom @param {string|null} [generation] */
export async function jump(view, at, part = 0.3, generation) {
  // What is about to be shown is meant: its chips and its counts stand there already.
  const store = view.coming?.store ?? view.store;
  if (!store) return null;
  if (view.coming) view.coming.taken = true;
  view.moves += 1;
  const turn = view.loader.reset();
  const got = await store.around(at, AROUND, PAGE, generation ?? undefined);
  if (turn !== view.loader.turn) return null;
  if (store !== view.store) {
    take(view, store);
    view.block.set([]);
    view.block.dropPartial();
  }
  if (!got.items.length) return null;
  return place(view, got.items, got.at, part);
}

/** Shows another choice of lines at a place, or at the end, without an empty screen between. @param {View} view @param {Store} store @param {{at: string|number, part: number, generation: string|null}|null} to @returns {Promise<boolean>} whether nobody went elsewhere meanwhile */
export async function swap(view, store, to) {
  const coming = { store, taken: false };
  view.coming = coming;
  const mine = view.moves += 1;
  const turn = view.loader.reset();
  const want = Math.max(wanted(view), PAGE);
  const got = await (to ? store.around(to.at, AROUND, PAGE, to.generation) : store.around('end', want, 0)).catch((error) => {
    if (view.coming === coming) view.coming = null;
    throw error;
  });
  if (mine !== view.moves || (turn !== view.loader.turn && view.store !== store)) return false;
  take(view, store);
  if (to && got.items.length) {
    place(view, got.items, got.at, to.part);
    return true;
  }
  view.block.set(got.items);
  view.block.dropPartial();
  if (!view.follow) view.setFollow(true, 'user');
  view.schedule();
  return true;
}

/** @param {View} view @param {Store} store */
function take(view, store) {
  view.use(store);
  view.atStart = view.atEnd = false;
}

/**
 * Draws what the screen shows first; what is around it is there, and comes a moment later or with the first turn of the wheel.
 * @param {View} view @param {Item[]} all @param {number} offset @param {number} part
 */
export function place(view, all, offset, part) {
  view.setFollow(false, 'jump');
  const found = all.findIndex((item) => item.offset >= offset);
  const middle = found < 0 ? all.length : found; // nothing is at or behind the place: what is before it
  const rows = (/** @type {number} */ share) => Math.ceil((view.height * share) / LOWEST_PX);
  const items = all.slice(Math.max(0, middle - rows(part) - HEAD), middle + rows(1 - part) + FOOT);
  view.block.set(items);
  view.block.dropPartial();
  view.rest();
  const at = () => view.block.items.findIndex((item) => item.kind === 'line' && (item.offset >= offset || (item.under !== undefined && item.next > offset)));
  let index = at();
  if (view.block.items[index]?.under && view.block.items[index].offset < offset) {
    view.block.shape.open.add(keyOf(view.block.items[index])); // the line itself is wanted, not the head that it is folded under
    view.block.set(items);
    index = at();
  }
  if (index < 0) index = view.block.items.length - 1;
  view.track.setHeight(TRACK);
  view.track.anchor('top', TRACK / 2);
  // Near the end the track ends with the lines at once: else the screen would move again.
  const { last } = view.block;
  if (last && view.store?.peekAfter(last, 1)?.length === 0) view.track.setHeight(TRACK / 2 + view.node.offsetHeight);
  view.track.scrollTo(TRACK / 2 + view.block.rows[index].offsetTop - Math.round(view.log.clientHeight * part));
  view.schedule();
  return view.block.items[index];
}

/** Where an item stands among others, or what took it in. @param {Item[]} items @param {Item} item */
export function indexOf(items, item) {
  return Math.max(0, items.findIndex(({ life, next }) => life > item.life || (life === item.life && next > item.offset)));
}

/** Remembers the first visible row. @param {View} view @param {number} px */
export function locate(view, px) {
  const index = view.block.indexAt(px);
  view.first = { index, over: view.block.rows[index] ? px - view.block.rows[index].offsetTop : 0 };
}

/** After heights changed: the first visible row stays where it was. @param {View} view @param {() => void} [change] */
export function keepPlace(view, change) {
  if (view.follow || !view.block.rows.length) {
    change?.();
    if (view.store) view.schedule();
    return;
  }
  if (change) locate(view, view.log.scrollTop - view.node.offsetTop);
  const y = view.node.offsetTop;
  const was = view.top;
  const { index: at, over } = view.first;
  // Scrolled on to where lines are still to come: no row is there that must show its end.
  const beyond = at === view.block.rows.length - 1;
  view.track.anchor('top', y);
  change?.();
  const row = view.block.rows[was ? indexOf(view.block.items, was) : 0];
  const h = y + view.node.offsetHeight;
  if (h > view.track.height || view.atEnd) view.track.setHeight(h);
  // A row that is lower now shows at least its end.
  view.track.scrollTo(y + row.offsetTop + (beyond ? over : Math.min(over, Math.max(0, row.offsetHeight - 4))));
  view.schedule();
}
