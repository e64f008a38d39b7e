/**
 * Connects the parts: stream → stores → view, keys → acts, facts → words. The only module that knows all the others.
 */

import * as api from './api.js';
import { ask, exchange } from './auth.js';
import { bytes, count, percent } from './format.js';
import { actOf, fillSheet } from './keys.js';
import { rail as makeRail } from './rail.js';
import { look } from './row.js';
import { apply, choices, choose, density, isDark, nextTheme } from './settings.js';
import { Rate, describe } from './state.js';
import { Store } from './store.js';
import { Stream } from './stream.js';
import { tabs as makeTabs } from './tabs.js';
import { View } from './view.js';

/** @param {string} id */
const el = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * @typedef {object} Source
 * @property {Store} store
 * @property {Rate} rate
 * @property {number} lastLine  when the last line came
 * @property {number} flooded   when lines were last skipped
 * @property {{received: number, skipped: number, tip: number}|null} paused  the counts when following ended
 * @property {{life: number, offset: number}|null} place  where it was left, null for the end
 */
/** @type {Map<string, Source>} */
const sources = new Map();
let active = '';
let version = '';
let why = '';
/** @type {import('./stream.js').Phase} */
let phase = 'connecting';
let tries = 0;
let trouble = '';
let hiddenSince = 0;
const HIDDEN_MS = 60_000; // then the stream is let go: browsers give one server six connections

const view = new View(el('log'), el('track'), el('block'), {
  follow(on, reason) {
    const source = sources.get(active);
    why = reason;
    if (source) source.paused = on ? null : { received: source.store.received, skipped: source.store.skippedBytes, tip: source.store.life.tip };
    words();
  },
  drawn: place,
  failed: (error) => complain(error),
});
const rail = makeRail(el('rail'), el('thumb'), { jump: (part) => (part >= 1 ? end() : jumpTo(part)), key: (name) => act(name) });
const tabs = makeTabs(el('tabs'), select);
const stream = new Stream({
  url: api.streamUrl,
  event: received,
  phase(now, n) {
    phase = now;
    tries = n;
    words();
  },
  refused: probe,
});

/** @param {api.FileInfo[]} files @param {boolean} first */
function meet(files, first) {
  for (const info of files) {
    let source = sources.get(info.name);
    const fresh = !source;
    if (!source) {
      source = { store: new Store(info.name, api.lines), rate: new Rate(), lastLine: 0, flooded: 0, paused: null, place: null };
      sources.set(info.name, source);
    }
    source.store.meet(info, fresh || first);
  }
  if (!active && files.length) select(files[0].name);
}

/** @param {string} name */
function select(name) {
  const source = sources.get(name);
  if (!source || name === active) return;
  const left = sources.get(active);
  if (left) left.place = view.follow ? null : (view.items[view.first.index] ?? null);
  active = name;
  why = source.place ? 'user' : '';
  view.follow = true;
  const { paused, place: was } = source;
  view.show(source.store);
  if (was) {
    view.jump(was.offset, 0).then(() => { source.paused = paused; words(); }, complain);
  }
  el('log').classList.remove('has-ms', 'has-clock', 'has-level');
  words();
}

/** @param {string} event @param {any} data */
function received(event, data) {
  const now = Date.now();
  if (event === 'hello') {
    if (version && version !== data.version) say('logcast was updated. Reload the page to get the new one.', 'amber');
    version ||= data.version;
    meet(data.files, false);
    trouble = '';
  } else if (event === 'tick') {
    meet(data.files, false);
  } else {
    const source = sources.get(data.file);
    if (!source) return;
    if (event === 'batch') {
      source.store.batch(data, !document.hidden);
      const { lines, skip, from, to } = data;
      const average = lines.length ? (to - from - skip) / lines.length : 100;
      source.rate.add(lines.length + (skip ? skip / Math.max(1, average) : 0), now);
      source.lastLine = now;
      if (skip > 0 && lines.length) source.flooded = now;
    } else {
      noticed(event, data, source);
    }
  }
  if (!data.file || data.file === active) view.schedule();
}

/** @param {string} event @param {any} data @param {Source} source */
function noticed(event, data, source) {
  const { store } = source;
  const at = new Date(data.at ?? Date.now()).toLocaleTimeString('en-GB');
  if (event === 'rotated') store.begin(data.generation ?? null, `${store.name} was rotated at ${at}`);
  else if (event === 'truncated') {
    const was = store.size;
    store.begin(data.generation ?? null, `${store.name} was truncated at ${at} (it was ${bytes(was)})`);
  } else if (event === 'gap') {
    store.note(`Here lines are missing${data.bytes ? ` (${bytes(data.bytes)})` : ''}: ${data.reason ?? 'unknown'}`);
  } else if (event === 'waiting') store.state = 'waiting';
  else if (event === 'resumed') store.state = 'following';
  else if (event === 'ended') store.state = 'ended';
}

// ── words ──────────────────────────────────────────────────────────────────────────────────────────────────────────

let banner = { words: '', tone: '' };

/** @param {string} text @param {'amber'|'red'} tone */
function say(text, tone) {
  banner = { words: text, tone };
  words();
}

/** @param {unknown} error */
function complain(error) {
  const { message, status } = /** @type {Error & {status?: number}} */ (error);
  if (status === 401) return void login();
  if (status === 0 || phase !== 'open') return undefined; // the stream's state says it
  trouble = `The server said: ${message}`;
  return words();
}

/** @param {HTMLElement} node @param {string} text */
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let lastWords = 0;
let later = 0;
/** Status text, at most ten times a second. */
function words() {
  const now = Date.now();
  if (now - lastWords < 100) {
    later ||= window.setTimeout(() => { later = 0; words(); }, 100);
    return;
  }
  lastWords = now;
  const source = sources.get(active);
  const store = source?.store;
  const rate = source ? source.rate.at(now) : 0;
  const flood = source ? now - source.flooded < 1500 : false;
  look.tint = !flood;
  const said = describe({
    phase, tries, retryAt: stream.retryAt, online: navigator.onLine, file: store?.state ?? 'following', follow: view.follow, why,
    rate, flood, lastLine: source?.lastLine ?? 0, now,
  });
  const state = el('state');
  state.dataset.state = said.state;
  state.dataset.tone = said.tone;
  put(/** @type {HTMLElement} */ (state.lastElementChild), said.words);
  el('follow').setAttribute('aria-pressed', String(view.follow));
  tabs.draw([...sources.keys()], active, (name) => sources.get(name)?.store.state ?? '');
  const fresh = pill(source);
  const gone = store?.state === 'waiting' && store.life.tip > 0 ? `${store.name} is gone. Waiting for it to come back…`
    : store?.state === 'refused' ? `${store.name} cannot be read by the server.` : '';
  const loud = trouble || banner.words || gone;
  el('banner').hidden = !loud;
  el('banner').dataset.tone = trouble ? 'red' : banner.tone;
  put(/** @type {HTMLElement} */ (el('banner').firstElementChild), loud);
  el('retry').hidden = !trouble;
  const none = !view.items.length && !view.partial;
  el('empty').hidden = !(none && phase === 'open' && store);
  if (none && store) {
    put(el('empty'), store.state === 'waiting' ? `${store.name} is not there yet. Its lines will appear here.`
      : store.life.tip > 0 ? '' : `${store.name} is empty. New lines will appear here.`);
  }
  put(el('total'), store ? bytes(store.size) : '');
  put(el('lines'), rate > 0 ? `${count(Math.round(rate))} lines/s` : '');
  const title = store ? `${fresh > 0 ? `(${count(fresh)}) ` : ''}${store.name}` : 'logcast';
  if (document.title !== title) document.title = title;
}

/** @param {Source|undefined} source @returns {number} lines that nobody has seen */
function pill(source) {
  const mark = source?.paused;
  const node = el('pill');
  let fresh = 0;
  let text = '';
  if (source && mark) {
    const { store } = source;
    fresh = store.received - mark.received;
    const skipped = store.skippedBytes - mark.skipped;
    if (skipped > 0) fresh += Math.round(skipped / Math.max(1, store.receivedBytes / Math.max(1, store.received)));
    if (fresh > 0) text = `↓ ${skipped > 0 ? '≈ ' : ''}${count(fresh)} new ${fresh === 1 ? 'line' : 'lines'}`;
    else if (!view.atEnd) text = '↓ To the end';
  }
  node.hidden = !text;
  if (text && node.dataset.text !== text) {
    node.dataset.text = text;
    const key = document.createElement('kbd');
    key.textContent = 'G';
    node.replaceChildren(text, key);
  }
  return fresh;
}

/** The foot line and the rail: where the screen stands. */
function place() {
  const store = sources.get(active)?.store;
  if (!store) return;
  const { from, tip } = store.life;
  const item = view.items[view.first.index];
  const older = !view.follow && item && item.life < store.current;
  const at = view.follow || !item || (view.atEnd && view.items.length < 20) ? tip : older ? from : item.offset;
  rail.show(from, at, tip);
  put(el('place'), older ? 'In a file that was rotated away' : view.follow ? 'Following the end' : `${percent(at - from, tip - from)} · byte ${count(at)}`);
  words();
}

// ── acts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function end() {
  view.setFollow(true);
  return Promise.resolve();
}

/** @param {number} part of the file */
function jumpTo(part) {
  const { from, tip } = /** @type {Source} */ (sources.get(active)).store.life;
  return view.jump(Math.floor(from + part * (tip - from)), 0).catch(complain);
}

/** @param {number} pages */
function scroll(pages) {
  const log = el('log');
  const by = pages * (log.clientHeight - 40);
  if (by < 0 && view.follow && log.scrollTop > 0) view.setFollow(false, 'scroll');
  if (!view.follow) log.scrollBy({ top: by });
}

/** Moves the focused row. @param {number} by */
function step(by) {
  if (!view.rows.length) return;
  view.setFollow(false, 'user');
  const at = view.rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const index = at >= 0 ? at + by : by > 0 ? Math.min(view.first.index + 1, view.rows.length - 1) : view.rows.length - 1;
  const row = view.rows[Math.max(0, Math.min(view.rows.length - 1, index))];
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

/** @param {number} by */
function turn(by) {
  const names = [...sources.keys()];
  if (names.length > 1) select(names[(names.indexOf(active) + by + names.length) % names.length]);
}

/** @type {Record<string, () => void>} */
const ACTS = {
  next: () => step(1),
  previous: () => step(-1),
  'half-down': () => scroll(0.5),
  'half-up': () => scroll(-0.5),
  'page-down': () => scroll(1),
  'page-up': () => scroll(-1),
  start: () => void view.jump(sources.get(active)?.store.life.from ?? 0, 0).catch(complain),
  end,
  space: () => (view.follow ? view.setFollow(false) : scroll(1)),
  follow: () => view.setFollow(!view.follow),
  wrap: () => view.keepPlace(() => choose({ wrap: !choices.wrap })),
  left: () => el('log').scrollBy({ left: -120 }),
  right: () => el('log').scrollBy({ left: 120 }),
  smaller: () => view.keepPlace(() => choose({ density: density(-1) })),
  larger: () => view.keepPlace(() => choose({ density: density(1) })),
  theme: () => choose({ theme: nextTheme() }),
  'previous-file': () => turn(-1),
  'next-file': () => turn(1),
  help: () => /** @type {HTMLDialogElement} */ (el('sheet')).showModal(),
  close() {
    getSelection()?.removeAllRanges();
    el('log').focus({ preventScroll: true });
  },
};

/** @param {string} name */
function act(name) {
  ACTS[name]?.();
  dress();
  words();
}

/** What follows from the choices and is not CSS. */
function dress() {
  el('wrap').setAttribute('aria-pressed', String(choices.wrap));
  el('theme').title = `Theme: ${choices.theme === 'auto' ? 'automatic' : choices.theme} (D)`;
  const background = isDark() ? '#0e1116' : '#ffffff';
  if (look.background === background) return;
  look.background = background;
  look.text = isDark() ? '#e2e6ec' : '#1b2028';
  view.refill();
}

document.addEventListener('keydown', (event) => {
  if (!el('auth').hidden || document.querySelector('dialog[open]')) return;
  const name = actOf(event);
  if (!name) return;
  event.preventDefault();
  act(name);
});
for (const [id, name] of [['follow', 'follow'], ['pill', 'end'], ['wrap', 'wrap'], ['theme', 'theme'], ['help', 'help'], ['keys', 'help']]) {
  el(id).addEventListener('click', () => act(name));
}
el('retry').addEventListener('click', () => {
  trouble = '';
  stream.open();
  view.schedule();
});
const sheet = /** @type {HTMLDialogElement} */ (el('sheet'));
sheet.addEventListener('click', (event) => {
  const target = /** @type {Element} */ (event.target);
  if (target === sheet || target.closest('[data-close]')) sheet.close();
});
sheet.addEventListener('keydown', (event) => { if (event.key === '?' || event.key === 'q') sheet.close(); });

document.addEventListener('selectionchange', () => {
  const selection = getSelection();
  if (view.follow && selection && !selection.isCollapsed && el('block').contains(selection.anchorNode)) view.setFollow(false, 'selection');
});
el('block').addEventListener('focusin', () => view.setFollow(false, 'user'));

document.addEventListener('visibilitychange', () => {
  hiddenSince = document.hidden ? Date.now() : 0;
  if (document.hidden) return;
  if (phase === 'closed' && stream.cursor) stream.open();
  view.schedule();
  words();
});
window.addEventListener('online', () => stream.hurry());
matchMedia('(prefers-color-scheme: light)').addEventListener('change', dress);
window.addEventListener('error', (event) => { trouble = `The page failed: ${event.message}`; words(); });
setInterval(() => {
  if (hiddenSince && Date.now() - hiddenSince > HIDDEN_MS && phase !== 'closed') stream.close();
  words();
}, 1000);

// ── start ──────────────────────────────────────────────────────────────────────────────────────────────────────────

let asking = false;
async function login() {
  if (asking) return;
  asking = true;
  stream.close();
  await ask(el('auth'));
  asking = false;
  start();
}

/** The stream was refused; EventSource hides why, a plain request does not. */
function probe() {
  api.files().then(({ files }) => meet(files, false), complain);
}

async function start() {
  try {
    meet((await api.files()).files, true);
  } catch (error) {
    if (/** @type {api.Problem} */ (error).status === 401) return void login();
    trouble = `The files could not be listed: ${/** @type {Error} */ (error).message}`;
  }
  stream.open();
  return words();
}

apply();
dress();
fillSheet(el('sheet-body'));
el('zone').textContent = 'times as written';
exchange().then(start);
