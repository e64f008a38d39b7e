/**
 * Finding and going: search, filters, levels, range, errors, line numbers, links and downloads, put together.
 *
 * One place decides which lines a file shows (`storeOf`) and what the address bar says; all else listens.
 */

import { Problem } from './api.js';
import { bar } from './bar.js';
import { timeOfRow } from './clock.js';
import { download } from './download.js';
import { filter as makeFilter } from './filter.js';
import { findBox } from './findbox.js';
import { percent } from './format.js';
import { goal } from './goto.js';
import { highlight } from './highlight.js';
import { hist as makeHist } from './hist.js';
import { isContinuation, parse } from './line.js';
import { hashOf, shownOf } from './link.js';
import { numbers as makeNumbers } from './numbers.js';
import { params } from './query.js';
import { railMarks } from './railmarks.js';
import { saved as makeSaved } from './saved.js';
import { seek } from './seek.js';
import { choices, choose } from './settings.js';
import { plain } from './group.js';
import { rangeWords } from './when.js';

const HASH_MS = 250; // browsers throttle what changes the address bar more often

/** @param {import('./app.js').App} app @param {{span: () => {first: import('./store.js').Item, last: import('./store.js').Item}|null, note: (words: string) => void}} of */
export function finding(app, { span, note }) {
  const { bus, sources, view } = app;
  const filter = makeFilter(app);
  const box = findBox(app, filter);
  const saved = makeSaved(app, filter);
  const numbers = makeNumbers(app);
  const down = download(app, filter, span);
  const hist = makeHist(app, {
    range: () => filter.query,
    choose: (since, until) => void range(since === null ? '' : new Date(since).toISOString(), until === null ? '' : new Date(until).toISOString()),
    go: (at, place) => void app.goTo(place ? at : `time:${new Date(at).toISOString()}`, 0.1).catch(app.complain),
    here(place) {
      if (place) return view.follow ? sources.file?.life.tip ?? null : view.top?.offset ?? null;
      const row = view.block.rows[view.follow ? view.block.length - 1 : view.first.index];
      return (row && timeOfRow(row)?.ms) ?? null;
    },
  });
  const levels = bar(app, filter, { rangeWords: chip, openSaved: saved.open });
  highlight(app, filter, box.find);
  railMarks(app, { find: box.find, hist, range: rangeOnRail, life: () => shownLife() });

  /** The life that the screen stands in. */
  function shownLife() {
    const store = sources.file;
    const top = view.follow ? null : view.top;
    return store ? store.lives[top?.life ?? store.current] ?? store.life : null;
  }

  // ── range of time ──────────────────────────────────────────────────────────────────────────────────────────────

  function chip() {
    const { since, until } = filter.rests ?? filter.query;
    if (!since && !until) return '';
    const [from, to] = [Date.parse(since), Date.parse(until)];
    if (from && to) return rangeWords(from, to);
    const short = (/** @type {string} */ time) => time.replace(/^\d{4}-\d\d-\d\dT(\d\d:\d\d)(:00)?$/, '$1').replace('T', ' ');
    return `${short(since)}–${short(until)}`.replace(/^–/, 'until ').replace(/–$/, ' on');
  }

  /** @param {string} since @param {string} until */
  async function range(since, until) {
    if (since && since === until) return;
    if (since) await filter.change({ since, until }, { at: `time:${since}`, part: 0, generation: null });
    else await filter.change({ since, until });
  }

  /** @returns {Promise<[number, number]|null>} parts of the file */
  async function rangeOnRail() {
    const { since, until } = filter.query;
    const store = sources.file;
    if (!store || (!since && !until)) return null;
    const { from, tip, generation } = store.life;
    /** @param {string} time @param {number} none */
    const part = async (time, none) => {
      if (!time) return none;
      const answer = await store.fetchLines({ file: store.name, at: `time:${time}`, after: 1 });
      return (answer.generation || null) === generation ? (answer.at - from) / Math.max(1, tip - from) : 0;
    };
    return [await part(since, 0), await part(until, 1)];
  }

  // ── going ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {string} typed @returns {Promise<string>} what is wrong with it, or '' */
  async function go(typed) {
    const to = goal(typed, { zone: sources.zone });
    const store = sources.file;
    if (to.kind === 'wrong') return to.words;
    if (to.kind === 'end') view.setFollow(true);
    try {
      if (to.kind === 'range') await range(to.since, to.until);
      const here = app.cursor() ?? view.block.last;
      if (to.kind === 'at' && !(await app.goTo(to.at, String(to.at).startsWith('line:') || to.at === 0 ? 0 : 0.3))) return 'There is no line at this place.';
      if (to.kind === 'lines' && here && store) await app.goTo(await app.offsetBy(here, to.by), 0.3, store.lives[here.life]?.generation ?? null);
      return '';
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 409 && store) return store.size > store.indexed && store.indexed ? `That line is not counted yet: ${percent(store.indexed, store.size)} of the file is.` : error.message;
      return `The server said: ${error.message}`;
    }
  }

  let turn = 0;
  /** The next or previous line that begins an error. @param {1|-1} by */
  async function error(by) {
    const store = sources.file;
    const item = app.cursor() ?? view.block.last;
    if (!store || !item) return;
    const mine = turn += 1;
    const filters = params({ ...filter.query, levels: ['fatal', 'error'] });
    const from = { life: item.life, offset: by > 0 ? (app.pointed() ? item.next : item.offset) : view.follow ? store.life.tip : item.offset };
    if (view.follow) Object.assign(from, { life: store.current, offset: store.life.tip });
    /** The lines of its trace are errors too, but not the next one. @param {import('./api.js').WireLine} line @param {import('./api.js').WireLine|null} before */
    const begins = (line, before) => {
      const text = plain(line.text.slice(0, 400));
      if (isContinuation(text)) return false;
      return parse(text).level !== null || !before || before.next !== line.offset;
    };
    const slow = window.setTimeout(() => app.toast('Looking for an error…', 60_000), 700);
    try {
      const found = await seek(store, filters, from, view.follow && by > 0 ? -1 : by, { stopped: () => mine !== turn, does: begins });
      if (mine !== turn) return;
      app.toast(found ? '' : by > 0 ? 'No error after this line' : 'No error before this line');
      if (found) await app.goTo(found.offset, 0.3, store.lives[found.life].generation);
    } catch (problem) {
      app.complain(problem);
    } finally {
      window.clearTimeout(slow);
    }
  }

  // ── the address bar ────────────────────────────────────────────────────────────────────────────────────────────

  let timer = 0;
  let written = '';
  /** Where the link in the address bar points, until something else is shown. @type {import('./link.js').Place|null} */
  let linked = null;

  /** @param {import('./link.js').Place|null} place */
  function hash(place) {
    return hashOf({ file: sources.active === sources.names[0] && !place ? '' : sources.active, place, query: filter.query, find: box.find.term });
  }

  function write() {
    timer = 0;
    if (linked && linked.file !== sources.active) linked = null;
    const url = new URL(location.href);
    url.hash = hash(linked);
    if (url.href === location.href) return;
    history.replaceState(history.state, '', url);
    written = location.hash;
  }
  for (const name of ['query', 'searched', 'show']) bus.on(name, () => { timer ||= window.setTimeout(write, HASH_MS); });

  /** Shows what the address bar says. @param {string} text */
  async function open(text) {
    const shown = shownOf(text);
    const file = shown.file || sources.active;
    if (!sources.all.has(file)) {
      if (shown.file) note(`The link points into ${shown.file}, which is not served here.`);
      return;
    }
    linked = shown.place;
    if (JSON.stringify(shown.query) !== JSON.stringify(filter.query)) {
      if (shown.file) app.select(file);
      await filter.set(shown.query);
    } else app.select(file);
    box.show(shown.find);
    if (!shown.place) return;
    try {
      if (await app.goTo(shown.place.offset, 0.3, shown.place.generation)) return;
    } catch (error) {
      if (/** @type {Problem} */ (error).status !== 410) return void app.complain(error);
    }
    linked = null;
    const { time } = shown.place;
    const near = time ? await app.goTo(`time:${new Date(time).toISOString()}`, 0.3).catch(() => false) : false;
    note(`The line of this link was rotated away: its file is gone.${near ? ' This is the nearest line by its time.' : ''}`);
    app.say();
  }

  return {
    storeOf: filter.storeOf,
    numbers,
    go,
    open,
    get filter() { return filter; },
    /** Whether the address bar says what this page wrote there. */
    own: () => location.hash === written,
    /** @param {import('./link.js').Place} place */
    link(place) {
      linked = place;
      const url = new URL(location.href);
      url.hash = hash(place);
      return url;
    },
    /** Ends the search, then the filter. @returns {boolean} whether there was one */
    close: () => box.clear() || filter.clear(),
    /** @type {Record<string, () => unknown>} */
    acts: {
      ...box.acts,
      ...levels.acts,
      context: () => filter.context(),
      'next-error': () => error(1),
      'previous-error': () => error(-1),
      histogram: () => hist.toggle(),
      saved: () => saved.open(),
      save: () => down.open(),
      numbers: () => view.keepPlace(() => {
        choose({ numbers: !choices.numbers });
        numbers.draw();
        if (choices.numbers && !numbers.top()) app.toast('The numbers come when the index has passed');
      }),
    },
  };
}
