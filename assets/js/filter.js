/**
 * What is shown: all lines, or those that the query keeps. The query is one for all files; each file has its own `Kept`.
 *
 * A change of the query never loses the place: the line that somebody stood on, or the next one that is kept, stays at the
 * height where it was.
 */

import { Kept } from './kept.js';
import { Merged } from './merged.js';
import { MOST_TERMS, isNothing, nothing, sameTerm } from './query.js';
import { Store } from './store.js';
import { timeOf } from './weave.js';

/** @typedef {import('./query.js').Query} Query */
/** @typedef {import('./query.js').Term} Term */

const SLOW_MS = 250; // a filter that has found nothing yet after this shows that it works

/** @param {import('./app.js').App} app */
export function filter(app) {
  const { bus, sources, view } = app;
  /** The filtered files: one, or those of the merged view. @type {Kept[]} */
  let kepts = [];
  /** @type {Merged|null} */
  let merged = null;
  /** What was filtered for before somebody looked at a line among all others. @type {Query|null} */
  let rests = null;
  let query = nothing();
  let turn = 0;

  /** The lines of a file as they are shown now. @param {import('./sources.js').Source} source */
  function storeOf(source) {
    for (const one of kepts) one.close();
    kepts = [];
    merged = null;
    const { store } = source;
    if (isNothing(query)) return store;
    const hooks = { grew: () => { view.schedule(); app.say(); }, follows: () => view.follow && (view.store === merged || view.store === kepts[0]), failed: app.complain };
    kepts = (store instanceof Store ? [store] : /** @type {Store[]} */ (store.stores)).map((base) => new Kept(base, query, hooks));
    if (store instanceof Store) return kepts[0];
    merged = new Merged(store.name, kepts, () => view.schedule());
    return merged;
  }

  /** The line to hold on to, and where on the screen it is. */
  function here() {
    const { block } = view;
    const focused = /** @type {HTMLElement|null} */ (document.activeElement?.closest('#block .row'));
    const at = focused ? block.rows.indexOf(focused) : -1;
    const index = at >= 0 && block.items[at].kind === 'line' ? at : view.first.index;
    const item = block.items[index];
    if (!item) return null;
    const log = view.log.getBoundingClientRect();
    const part = (block.rows[index].getBoundingClientRect().top - log.top) / Math.max(1, log.height);
    return { item, part: Math.max(0, Math.min(0.9, part)), focus: at >= 0 };
  }

  /** @param {Query} next @param {{at: string|number, part: number, generation: string|null}} [go]  another place to show */
  async function set(next, go) {
    const mine = turn += 1;
    const place = view.follow || go ? null : here();
    const unfiltered = isNothing(next);
    query = next;
    bus.emit('query', query);
    view.log.ariaBusy = 'true';
    const source = sources.shown;
    if (!source) {
      view.log.ariaBusy = null;
      return;
    }
    const store = storeOf(source);
    // Old lines stay until the new ones are there; if that takes long, the page says what it does.
    const slow = window.setTimeout(() => { if (mine === turn && view.coming?.store === store && !view.coming.taken) view.show(store); }, SLOW_MS);
    try {
      const stands = await view.swap(store, go ?? (place && spot(place.item, place.part, store)));
      if (mine !== turn || !stands) return;
      if (place?.focus || (unfiltered && place)) app.point(place.item);
    } catch (error) {
      if (mine === turn) app.complain(error);
    } finally {
      window.clearTimeout(slow);
      if (mine === turn) view.log.ariaBusy = null;
      bus.emit('show');
      app.say();
    }
  }

  /** Where a line is found again; in the merged view by its time. @param {import('./store.js').Item} item @param {number} part @param {import('./view.js').Store} store */
  function spot(item, part, store) {
    if (!item.of) return { at: item.offset, part, generation: store.lives[item.life]?.generation ?? null };
    const ms = timeOf(item.of);
    return ms === null ? null : { at: `time:${new Date(ms).toISOString()}`, part, generation: null };
  }

  /** @param {Partial<Query>} part @param {{at: string|number, part: number, generation: string|null}} [go] */
  const change = (part, go) => {
    rests = null;
    return set({ ...query, ...part }, go);
  };

  /** @param {Term} term */
  function add(term) {
    if (!term.text || query.terms.some((one) => sameTerm(one, term))) return;
    if (query.terms.length >= MOST_TERMS) {
      app.toast(`No more than ${MOST_TERMS} filters at once`);
      return;
    }
    void change({ terms: [...query.terms, term] });
  }

  bus.on('keep', add);
  bus.on('event', ({ event, data }) => {
    if (event === 'batch') merged?.heard(data.file, data, Date.now());
    for (const one of kepts) one.grow();
  });

  return {
    get query() { return query; },
    /** The filtered file, where one file is shown. */
    get kept() { return merged ? null : kepts[0] ?? null; },
    /** How far the first lines were looked for; null without a filter. */
    get reach() {
      const sum = (/** @type {(one: Kept) => number} */ of) => kepts.reduce((all, one) => all + of(one), 0);
      return kepts.length ? { scanning: kepts.some(({ scanning }) => scanning), scanned: sum(({ scanned }) => scanned), size: sum(({ size }) => size), some: kepts.some(({ life }) => life.tip > life.from) } : null;
    },
    get rests() { return rests; },
    storeOf,
    set,
    change,
    add,
    /** @param {Term} term */
    remove: (term) => change({ terms: query.terms.filter((one) => !sameTerm(one, term)) }),
    /** @returns {boolean} whether there was a filter */
    clear() {
      rests = null;
      if (isNothing(query)) return false;
      void set(nothing());
      return true;
    },
    /** Shows the line among all others; again: back to the lines that are kept. */
    context() {
      if (rests) {
        const back = rests;
        rests = null;
        void set(back);
      } else if (isNothing(query)) app.toast('No filter is set: & sets one');
      else {
        rests = query;
        view.setFollow(false, 'user');
        void set(nothing());
        app.toast('All lines around this one: . goes back to the filter', 4000);
      }
    },
  };
}
