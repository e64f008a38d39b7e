/**
 * A search over the whole file: how many lines match, where they are, and the way from one to the next.
 *
 * The server scans from the newest byte to the oldest and tells the places as it goes; while it works, and where there are
 * more matches than are kept here, the next one is asked for by itself (`seek.js`). Invariant: `count` and the places belong
 * to `term`; the result of the term before stays until the server took the new one. Knows no DOM.
 */

import { Problem, search } from './api.js';
import { params } from './query.js';
import { seek } from './seek.js';

/** @typedef {import('./query.js').Term} Term */
/** @typedef {{hits: number[], part: number, density: Map<number, number>}} Place  of one generation; `hits`: offsets of lines */
/**
 * @typedef {object} Result
 * @property {Term} term
 * @property {string[]} files
 * @property {Map<string, Place>} places  by generation, newest first; of several files only their numbers count
 * @property {number} hits
 * @property {number} bytes  scanned so far, of `of`
 * @property {number} of
 * @property {boolean} done
 * @property {boolean} whole  all places are known
 * @property {string} stopped
 */

const LIMIT = 10_000; // places that the server tells
const MORE_MS = 1000; // a file that grows is searched on, this often at most
const TRIES = 3; // where the server is busy

export class Find {
  /** @param {{changed: () => void, failed: (error: Problem) => void, query: () => import('./query.js').Query, store: () => import('./store.js').Store|undefined, files: () => string[]}} hooks  `files`: those that are shown; `store`: of the one, if it is one */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {Term|null} */
    this.term = null;
    /** @type {Result|null} */
    this.result = null;
    this.stop = new AbortController();
    this.turn = 0;
    this.more = 0;
    /** Offsets of all places in the order of the file, made when they are needed. @type {[string, number][]|null} */
    this.flat = null;
  }

  /** @param {Term|null} term */
  set(term) {
    this.stop.abort();
    clearTimeout(this.more);
    this.turn += 1;
    this.term = term?.text ? term : null;
    if (this.term) this.run(this.term, this.turn).catch((error) => { if (error.name !== 'AbortError') throw error; });
    else this.result = null;
    this.hooks.changed();
  }

  /** The same again: other lines are shown. */
  again() {
    if (this.term) this.set(this.term);
  }

  get filters() {
    return this.term ? params(this.hooks.query(), [this.term]) : [];
  }

  /** @param {Term} term @param {number} turn */
  async run(term, turn) {
    const store = this.hooks.store();
    const files = this.hooks.files();
    if (!files.length) return;
    this.stop = new AbortController();
    /** @type {Result} */
    const result = { term, files, places: new Map(), hits: 0, bytes: 0, of: 0, done: false, whole: true, stopped: '' };
    let taken = false;
    if (store?.life.generation) this.ended(result, store.life.generation, store.life.tip);
    for (let i = 1; ; i += 1) {
      try {
        await search([...files.map((file) => /** @type {[string, string]} */ (['file', file])), ...this.filters, ['mode', 'find'], ['limit', String(LIMIT)]], this.stop.signal, (record) => {
          if (turn !== this.turn) return;
          if (!taken) this.result = result; // the pattern is one: what was there before may go
          taken = true;
          this.take(result, record);
          this.hooks.changed();
        });
        break;
      } catch (error) {
        if (turn !== this.turn) return;
        const { status, more } = /** @type {Problem} */ (error);
        if (!(error instanceof Problem)) {
          result.stopped = 'error';
          break;
        }
        if (status !== 503 || i >= TRIES) {
          this.term = this.result?.term ?? null; // the old one and its places stay
          return void this.hooks.failed(error);
        }
        await new Promise((resolve) => setTimeout(resolve, Math.min(5, more.after ?? 1) * 1000));
      }
    }
    if (turn !== this.turn) return;
    result.done = true;
    this.hooks.changed();
  }

  /** @param {Result} result @param {any} record */
  take(result, record) {
    if (record.progress) Object.assign(result, { bytes: record.progress.bytes, of: record.progress.of, hits: record.progress.hits });
    if (record.done) {
      Object.assign(result, { done: true, hits: record.hits, bytes: record.bytes, stopped: record.stopped ?? '' });
      result.of ||= record.bytes;
    }
    if (record.generation === undefined) {
      if (record.done) result.whole = !result.stopped && [...result.places.values()].reduce((sum, { hits }) => sum + hits.length, 0) >= result.hits;
      return;
    }
    let place = result.places.get(record.generation);
    if (!place) result.places.set(record.generation, place = { hits: [], part: 0, density: new Map() });
    if (record.hits) {
      for (const offset of record.hits) place.hits.push(offset);
      this.flat = null;
    }
    if (record.density) {
      if (place.part !== record.part) place.density.clear();
      place.part = record.part;
      for (const [part, n] of record.density) place.density.set(part, n);
    }
  }

  /** The file grew: what is new is searched too. */
  grew() {
    const { result, term, turn } = this;
    if (this.more || !result?.done || !term || result.stopped) return;
    this.more = window.setTimeout(() => {
      this.more = 0;
      if (turn === this.turn) this.on(result, turn).catch(() => {}); // the next growth tries again
    }, MORE_MS);
  }

  /** @param {Result} result @param {number} turn */
  async on(result, turn) {
    const store = this.hooks.store();
    const generation = store?.life.generation;
    if (!store || !generation || store.name !== result.files[0]) return;
    /** @type {Place} */
    const place = result.places.get(generation) ?? { hits: [], part: 0, density: new Map() };
    const from = this.ends.get(result)?.get(generation) ?? null;
    const { tip } = store.life;
    if (from !== null && tip <= from) return;
    const at = from ?? store.life.from; // a new generation is searched from its start
    const answer = await store.fetchLines({ file: store.name, at, after: 2000, generation, filters: this.filters });
    if (turn !== this.turn) return;
    // The search itself may have seen the first of them.
    const known = new Set(place.hits);
    const lines = answer.lines.filter(({ offset }) => !known.has(offset));
    if (!result.places.has(generation)) result.places = new Map([[generation, place], ...result.places]); // the newest first
    place.hits.push(...lines.map(({ offset }) => offset));
    result.hits += lines.length;
    result.bytes = result.of += Math.max(0, answer.to - at);
    this.flat = null;
    this.ended(result, generation, Math.max(at, answer.to));
    this.hooks.changed();
    if (answer.to < tip) this.grew();
  }

  /** Where the search of each generation ended. @type {WeakMap<Result, Map<string, number>>} */
  ends = new WeakMap();

  /** @param {Result} result @param {string} generation @param {number} offset */
  ended(result, generation, offset) {
    const all = this.ends.get(result) ?? new Map();
    all.set(generation, offset);
    this.ends.set(result, all);
  }

  /** All places in the order of the file, if they are known. */
  get all() {
    const { result } = this;
    if (!result?.done || !result.whole || result.files.length > 1) return null;
    this.flat ??= [...result.places].reverse().flatMap(([generation, { hits }]) => hits.sort((a, b) => a - b).map((offset) => /** @type {[string, number]} */ ([generation, offset])));
    return this.flat;
  }

  /** Which of all places this is, from 1; 0 if it is none. @param {string|null} generation @param {number} offset */
  number(generation, offset) {
    return (this.all?.findIndex((place) => place[0] === generation && place[1] === offset) ?? -1) + 1;
  }

  /**
   * The next match from a place. @param {import('./seek.js').Spot & {next: number}} from @param {1|-1} by
   * @returns {Promise<{generation: string|null, offset: number, wrapped: boolean}|null>}
   */
  async next(from, by) {
    const store = this.hooks.store();
    if (!store || !this.term) return null;
    const { turn, all } = this;
    if (all) {
      if (!all.length) return null;
      const order = [...new Set(all.map(([generation]) => generation))];
      const here = order.indexOf(store.lives[from.life].generation ?? '');
      // A generation without any match stands where the lives say.
      const rank = (/** @type {string} */ generation) => (here >= 0 ? order.indexOf(generation) - here : (store.ages.known(generation) ?? -Infinity) - from.life);
      const after = by > 0 ? all.find(([g, o]) => rank(g) > 0 || (rank(g) === 0 && o >= from.next)) : all.findLast(([g, o]) => rank(g) < 0 || (rank(g) === 0 && o < from.offset));
      const [generation, offset] = after ?? all[by > 0 ? 0 : all.length - 1];
      return { generation, offset, wrapped: !after };
    }
    const how = { stopped: () => turn !== this.turn };
    const { filters } = this;
    const found = await seek(store, filters, { life: from.life, offset: by > 0 ? from.next : from.offset }, by, how);
    if (found || turn !== this.turn) return found && { generation: store.lives[found.life].generation, offset: found.offset, wrapped: false };
    const ids = store.ages.ids;
    const edge = by > 0 ? ids[ids.length - 1] : store.current;
    const again = await seek(store, filters, { life: edge, offset: by > 0 ? store.lives[edge].from : store.lives[edge].tip }, by, how);
    return again && { generation: store.lives[again.life].generation, offset: again.offset, wrapped: true };
  }
}
