/**
 * The nearest line that a filter keeps, before or after a place, through all generations. One request for each 256 MiB that
 * hold none; the caller may stop it. Knows no DOM.
 */

import { learnName, newer, older } from './neighbours.js';

/** @typedef {{life: number, offset: number}} Spot */

const FAR = 400; // requests, about 100 GB; then the answer is "not found"
const FEW = 40; // lines in one request where the first one may not do

/**
 * @param {import('./store.js').Store} store @param {import('./api.js').Filters} filters
 * @param {Spot} from  forward: a line that begins here may be the one; backward: only lines before it
 * @param {1|-1} by
 * @param {{stopped: () => boolean, does?: (line: import('./api.js').WireLine, before: import('./api.js').WireLine|null) => boolean}} how
 * @returns {Promise<Spot|null>}
 */
export async function seek(store, filters, from, by, { stopped, does }) {
  let { life, offset } = from;
  const side = by > 0 ? 'after' : 'before';
  for (let i = 0; i < FAR && !stopped(); i += 1) {
    await learnName(store, life);
    const of = store.lives[life];
    const answer = await store.fetchLines({ file: store.name, at: offset, [side]: does ? FEW : 1, generation: of.generation, filters });
    store.ages.learn(life, answer);
    const { lines } = answer;
    const fits = (/** @type {import('./api.js').WireLine} */ line, /** @type {number} */ at) => !does || does(line, lines[at - 1] ?? null);
    const found = by > 0 ? lines.find(fits) : lines.findLast(fits);
    if (found) return { life, offset: found.offset };
    const on = by > 0 ? (lines.length && !answer.more ? lines[lines.length - 1].next : answer.to) : (lines.length && !answer.more ? lines[0].offset : answer.from);
    const moved = by > 0 ? on > offset : on < offset;
    if (moved && (lines.length || answer.more)) {
      offset = on;
      continue;
    }
    if (by > 0) {
      if (life === store.current) return null;
      if (of.up === undefined) await newer(store, life, 1);
      if (typeof of.up !== 'number') return null;
      life = of.up;
      offset = store.lives[life].from;
    } else {
      if (of.down === undefined) await older(store, life, 1);
      if (typeof of.down !== 'number' || store.lives[of.down].gone) return null;
      life = of.down;
      offset = store.lives[life].tip;
    }
  }
  return null;
}
