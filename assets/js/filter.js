/**
 * What is shown: all lines, or those that the query keeps. The query is one for all files; each file has its own `Kept`.
 *
 * A change of the query never loses the place: the line that somebody stood on, or the next one that is kept, stays at the
 * height where it was.
 */

import { Kept } from './kept.js';
import { Store } from './store.js';
import { MOST_TERMS, isNothing, nothing, sameTerm } from './query.js';

/** @typedef {import('./query.js').Query} Query */
/** @typedef {import('./query.js').Term} Term */

const SLOW_MS = 250; // a filter that has found nothing yet after this shows that it works

/** @param {import('./app.js').App} app */
export function filter(app) {
  const { bus, sources, view } = app;
  /** @type {Kept|null} */
  let kept = null;
  /** What was filtered for before somebody looked at a line among all others. @type {Query|null} */
  let rests = null;
  let query = nothing();
  let turn = 0;

  /** The lines of a file as they are shown now. @param {import('./sources.js').Source} source */
  function storeOf(source) {
    kept?.close();
    kept = isNothing(query) || !(source.store instanceof Store) ? null : new Kept(source.store, query, {
      grew: () => { view.schedule(); app.say(); },
      follows: () => view.follow && view.store === kept,
      failed: app.complain,
    });
    return kept ?? source.store;
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
    const slow = window.setTimeout(() => { if (mine === turn) view.show(store); }, SLOW_MS);
    try {
      await view.swap(store, go ?? (place && { at: place.item.offset, part: place.part, generation: store.lives[place.item.life]?.generation ?? null }));
      if (mine !== turn) return;
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
  bus.on('event', () => { if (kept && view.store === kept) kept.grow(); });

  return {
    get query() { return query; },
    get kept() { return kept; },
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
