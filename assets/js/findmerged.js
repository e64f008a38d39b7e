/**
 * From match to match in the merged view: the files are woven by time once more, but only the lines that match. Knows no DOM.
 */

import { Kept } from './kept.js';
import { Merged } from './merged.js';
import { timeOf } from './weave.js';

/** @typedef {import('./store.js').Item} Item */
/** @typedef {import('./store.js').Store} Store */

const AROUND = 60; // lines read on each side

/**
 * @param {Merged} shown  all lines, or those that a filter keeps
 * @param {import('./query.js').Query} query  with the term
 * @param {Item|null} from  the cursor's line; null: the end
 * @param {1|-1} by
 * @returns {Promise<{item: Item, wrapped: boolean}|null>}
 */
export async function nextMerged(shown, query, from, by) {
  const hooks = { grew() {}, follows: () => false, failed(/** @type {unknown} */ error) { throw error; } };
  const bases = shown.stores.map((store) => ('base' in store ? store.base : store));
  const kepts = bases.map((base) => new Kept(base, query, hooks));
  const lines = new Merged(shown.name, kepts, () => {});
  try {
    const ms = from?.of ? timeOf(from.of) : null;
    const { items } = await lines.around(ms === null ? 'end' : `time:${new Date(ms).toISOString()}`, AROUND, AROUND);
    const all = /** @type {import('./weave.js').Line[]} */ (items).filter(({ kind }) => kind === 'line');
    const own = all.findIndex(({ file, of }) => file === from?.file && of.life === from?.of?.life && of.offset === from?.of?.offset);
    const beyond = by > 0 ? all.findIndex(({ key }) => ms !== null && key >= ms) : all.findLastIndex(({ key }) => ms === null || key < ms);
    const item = own >= 0 ? all[own + by] : all[beyond];
    if (item) return { item, wrapped: false };
    const edge = (await lines.around(by > 0 ? 0 : 'end', AROUND, AROUND)).items.filter(({ kind }) => kind === 'line');
    const again = by > 0 ? edge[0] : edge[edge.length - 1];
    return again ? { item: again, wrapped: true } : null;
  } finally {
    for (const one of kepts) one.close();
  }
}
