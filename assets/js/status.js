/**
 * The words around the log: state, pill, banner, foot line, title. Written at most ten times a second, and only
 * where they changed.
 */

import { bytes, count, percent } from './format.js';
import { words as queryWords } from './query.js';
import { isBinary } from './line.js';
import { look } from './row.js';
import { describe } from './state.js';

/** @param {string} id */
export const el = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {Element|null} node @param {string} text */
export function put(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

/** @typedef {{phase: import('./stream.js').Phase, tries: number, why: string, trouble: string, note: string, title: string, latency: number|null, behind: number, unread: number, alert: boolean}} Facts  `trouble`: what failed; `note`: what the user should know; `latency`, `behind`: ms; `unread`: lines that came while nobody looked; `alert`: a line came that was waited for */

const EVERY_MS = 100;
const FLOOD_MS = 1500;
const BLUR = 500; // lines a second: nobody reads values in them, so they have no colours of their own
const ENOUGH = 20; // lines that show what a file is

/**
 * @param {{sources: import('./sources.js').Sources, view: import('./view.js').View, facts: Facts, retryAt: () => number, rail: ReturnType<typeof import('./rail.js').rail>, tabs: ReturnType<typeof import('./tabs.js').tabs>, line: () => number, filter: () => ReturnType<typeof import('./filter.js').filter>}} app  `line`: number of the first line on the screen
 */
export function status({ sources, view, facts, retryAt, rail, tabs, line, filter }) {
  let last = 0;
  let later = 0;
  /** Which lines last came too fast to read, and when. @type {{store: object|undefined, at: number}} */
  let blurred = { store: undefined, at: 0 };
  /** Files that look binary; false once somebody wants to see them. @type {WeakMap<object, boolean>} */
  const verdicts = new WeakMap();

  /** @param {boolean} [at]  at once: somebody did something */
  function words(at = false) {
    const now = Date.now();
    if (!at && now - last < EVERY_MS) {
      later ||= window.setTimeout(() => { later = 0; words(); }, EVERY_MS);
      return;
    }
    last = now;
    const source = sources.shown;
    const store = source?.store;
    const rate = source ? source.rate.at(now) : 0;
    const flood = source ? now - source.flooded < FLOOD_MS : false;
    if (view.follow && (flood || rate > BLUR)) blurred = { store, at: now };
    const tint = blurred.store !== store || now - blurred.at > FLOOD_MS;
    const chosen = getSelection();
    // To fill rows again would end what somebody selected in them.
    if (look.tint !== tint && (!tint || !chosen || chosen.isCollapsed)) {
      look.tint = tint;
      if (tint) view.block.refill();
    }
    const said = describe({
      ...facts, retryAt: retryAt(), online: navigator.onLine, file: store?.state ?? 'following', follow: view.follow,
      rate, flood, lastLine: source?.lastLine ?? 0, now,
    });
    const state = el('state');
    // Only a change of state is spoken; the words beside it change each second.
    if (state.dataset.state !== said.state) put(el('said'), said.words.split(' · ')[0]);
    state.dataset.state = said.state;
    state.dataset.tone = said.tone;
    put(state.lastElementChild, said.words);
    el('follow').setAttribute('aria-pressed', String(view.follow));
    tabs.draw(sources.tabs, sources.active, (name) => sources.get(name)?.store.state ?? 'following');
    drawBanner(store);
    drawEmpty(store);
    view.log.classList.toggle('none', !el('empty').hidden);
    const fresh = drawPill();
    put(el('total'), store ? [sources.file ? totalWords(sources.file) : '', bytes(store.size)].filter(Boolean).join(' · ') : '');
    const pace = Math.round(rate);
    put(el('lines'), rate > 0 ? `${count(pace)} ${pace === 1 ? 'line' : 'lines'}/s` : '');
    const name = [store?.label, facts.title].filter(Boolean).join(' · ') || 'logcast';
    const unread = Math.max(fresh, facts.unread);
    const title = `${facts.alert ? '● ' : ''}${unread > 0 ? `(${count(unread)}) ` : ''}${name}`;
    if (document.title !== title) document.title = title;
  }

  /** @param {import('./sources.js').Source['store']|undefined} store */
  function drawBanner(store) {
    let loud = facts.trouble;
    if (!loud && store?.state === 'waiting' && (store.life.tip > 0 || store.current > 0)) loud = `${store.label} is gone. Waiting for it to come back…`;
    if (!loud && store?.state === 'refused') loud = `The server cannot read ${store.label}.`;
    if (!loud && sources.updated) loud = 'logcast was updated. Reload the page to get the new one.';
    const binary = !loud && looksBinary();
    if (binary) loud = `${store?.label} looks binary (NUL bytes or no text).`;
    view.log.classList.toggle('veiled', binary);
    if (!loud) loud = facts.note;
    const node = el('banner');
    node.hidden = !loud;
    node.dataset.tone = facts.trouble ? 'red' : 'amber';
    put(node.firstElementChild, loud);
    el('retry').hidden = !facts.trouble && !binary && loud !== facts.note;
    put(el('retry'), facts.trouble ? 'Retry' : binary ? 'Show anyway' : 'Close');
  }

  /** What is shown, whatever the filter. */
  const base = () => (view.store && 'base' in view.store ? view.store.base : view.store);

  /** Whether the lines on the screen are no text, and nobody asked for them all the same. */
  function looksBinary() {
    const key = base();
    if (!key || !view.block.length) return false;
    const known = verdicts.get(key);
    if (known !== undefined) return known;
    const binary = isBinary(view.block.items.map(({ text }) => text));
    // A few lines say little of those to come.
    if (binary || view.block.length >= ENOUGH) verdicts.set(key, binary);
    return binary;
  }

  /** @param {import('./sources.js').Source['store']|undefined} store */
  function drawEmpty(store) {
    const filtered = filter().reach;
    if (filtered) {
      const nothing = !view.block.length && filtered.some;
      const part = filtered.size > 0 ? Math.min(99, Math.floor((100 * filtered.scanned) / filtered.size)) : 0;
      el('empty').hidden = !nothing;
      const what = queryWords(filter().query);
      put(el('empty'), !nothing ? '' : filtered.scanning ? `Looking for lines ${what}… ${part} % searched` : `No line ${what} (searched ${bytes(filtered.size)}). New ones will appear here.`);
      return;
    }
    const none = !view.block.length && !view.block.partial && facts.phase === 'open';
    const waits = store?.state === 'waiting';
    const words = !store ? 'No file is served.'
      : waits && store.life.tip === 0 ? `${store.label} is not there yet. Its lines will appear here.`
      : !waits && store.life.tip <= store.life.from && store.current === 0 ? `${store.label} is empty. New lines will appear here.` : '';
    el('empty').hidden = !none || !words;
    put(el('empty'), words);
  }

  /** @returns {number} lines that nobody has seen */
  function drawPill() {
    const { lines, about } = filter().kept?.fresh ?? sources.fresh(sources.shown);
    const paused = !view.follow && view.block.length > 0;
    const text = paused && lines > 0 ? `↓ ${about ? '≈ ' : ''}${count(lines)} new ${lines === 1 ? 'line' : 'lines'}` : paused && !view.atEnd ? '↓ To the end' : '';
    const node = el('pill');
    node.hidden = !text;
    if (text && node.dataset.text !== text) {
      node.dataset.text = text;
      const key = document.createElement('kbd');
      key.textContent = 'G';
      node.replaceChildren(text, key);
    }
    return lines;
  }

  /** The foot line and the rail: where the screen stands. */
  function place() {
    const store = sources.shown?.store;
    if (!store) return;
    const item = view.top;
    if ('reach' in store) {
      const { from, at, tip } = store.reach(view.follow || view.atBottom ? null : item);
      rail.show(from, at, tip, 0);
      put(el('place'), view.follow ? 'Following the end' : `${percent(at, tip)} of ${store.parts.length} files`);
      return words();
    }
    const older = !view.follow && item !== null && item.life < store.current;
    const life = older ? store.lives[item.life] ?? store.life : store.life;
    const at = view.follow || !item || (view.atBottom && !older) ? life.tip : item.offset;
    const n = view.follow ? 0 : line();
    rail.show(life.from, at, life.tip, n);
    const where = view.follow ? 'Following the end' : `${n ? `Line ${count(n)}` : `byte ${count(at)}`} · ${percent(at - life.from, life.tip - life.from)}`;
    put(el('place'), older ? `${where} of an older file` : where);
    return words();
  }

  return {
    words,
    place,
    /** Shows the lines of a file that looks binary. @returns {boolean} whether they were hidden */
    unveil() {
      const key = base();
      if (!key || !verdicts.get(key)) return false;
      verdicts.set(key, false);
      return true;
    },
  };
}

/** How many lines there are, or how far the index is. @param {import('./store.js').Store} store */
function totalWords(store) {
  if (store.lines !== null) return `${count(store.lines)} ${store.lines === 1 ? 'line' : 'lines'}`;
  const part = store.life.tip > 0 && store.indexed > 0 ? Math.floor((100 * store.indexed) / store.life.tip) : 100;
  return part < 100 ? `indexing ${part} %` : '';
}
