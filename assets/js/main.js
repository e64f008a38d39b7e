/**
 * Connects the parts: stream → sources → view, keys → acts, facts → words. The only module that knows all the others.
 */

import { acts as makeActs } from './acts.js';
import { files as askFiles, lines as askLines, Problem, streamUrl } from './api.js';
import { ask, exchange } from './auth.js';
import { Bus } from './bus.js';
import { retime, timeOfRow, zoneWords } from './clock.js';
import { finding } from './finding.js';
import { actOf, fillSheet } from './keys.js';
import { goBox, palette as makePalette } from './palette.js';
import { rail as makeRail } from './rail.js';
import { look } from './row.js';
import { rowActs } from './rows.js';
import { comfort } from './comfort.js';
import { apply, choices, firstVisit, isDark } from './settings.js';
import { MERGED, Sources } from './sources.js';
import { el, put, status as makeStatus } from './status.js';
import { Shared } from './share.js';
import { tabs as makeTabs } from './tabs.js';
import { View } from './view.js';

const HIDDEN_MS = 60_000; // then the stream is let go: a browser gives one server six connections

/** @type {import('./status.js').Facts} */
const facts = { phase: 'connecting', tries: 0, why: '', trouble: '', note: '', title: '', latency: null, behind: 0, unread: 0, alert: false };
let hiddenSince = 0;
const bus = new Bus();

const sources = new Sources(async (query) => {
  const answer = await askLines(query);
  facts.trouble = '';
  return answer;
});
const view = new View(el('log'), el('track'), el('block'), {
  follow(on, why) {
    const source = sources.shown;
    facts.why = why;
    // The cursor row goes with reading; following has none.
    if (on && el('block').contains(document.activeElement)) el('log').focus({ preventScroll: true });
    if (source) source.paused = on ? null : (source.paused ?? sources.mark(source));
    status.words(true);
  },
  drawn() {
    const store = sources.active === MERGED ? null : sources.shown?.store;
    const span = store ? Math.max(1, store.life.tip - store.life.from) : 1;
    rail.ticks(store ? rows.marks.offsets(store.name, store.life.generation).map((offset) => (offset - store.life.from) / span) : []);
    if (choices.time !== 'clock') retime(view.block.rows);
    bus.emit('drawn');
    status.place();
  },
  failed: complain,
});
const rail = makeRail(el('rail'), el('thumb'), {
  async jump(part) {
    const store = sources.shown?.store;
    if (part >= 1 && (view.follow || (view.top?.life ?? 0) >= (store && 'current' in store ? store.current : 0))) view.setFollow(true);
    else if (store && 'reach' in store) await view.jump(part > 0 ? `${(part * 100).toFixed(3)}%` : 'start', 0).catch(complain);
    else if (store) {
      const life = store.lives[view.follow ? store.current : view.top?.life ?? store.current];
      await view.jump(Math.floor(life.from + part * (life.tip - life.from)), 0, life.generation).catch(complain);
    }
  },
  key: act,
});
const tabs = makeTabs(el('tabs'), select, () => act('files'));
const stream = new Shared(`logcast ${location.pathname}`, {
  url: streamUrl,
  files: askFiles,
  event: received,
  phase(phase, tries) {
    Object.assign(facts, { phase, tries });
    status.words();
  },
  // EventSource hides why it was refused; a plain request does not.
  refused: () => void askFiles().then(({ files }) => sources.meet(files), complain),
});
const status = makeStatus({ sources, view, facts, retryAt: () => stream.retryAt, rail, tabs, line: () => found.numbers.top(), filter: () => found.filter });
const rows = rowActs({ sources, view, toast, complain, url: (place) => found.link(place) });
/** @type {import('./app.js').App} */
const app = {
  bus, sources, view, toast, complain, act, select, say: () => status.words(),
  point: rows.point, pointed: rows.pointed, goTo: rows.goTo, cursor: rows.cursor, offsetBy: rows.offsetBy,
};
const found = finding(app, { span: rows.span, note: (words) => { facts.note = words; } });
/** @type {Record<string, () => unknown>} */
const acts = {
  ...makeActs({ sources, view, select, complain }),
  ...rows.acts,
  ...found.acts,
  goto: goBox(found.go),
  palette: makePalette(act, () => sources.tabs.slice(0, 5000).map((name) => ({ name: `open ${name === MERGED ? 'merged' : name}`, run: () => select(name) }))),
  files() {
    acts.palette();
    const field = /** @type {HTMLInputElement} */ (document.querySelector('#palette input'));
    field.value = 'open ';
    field.dispatchEvent(new Event('input'));
  },
  close() {
    const chosen = getSelection();
    const had = chosen !== null && !chosen.isCollapsed;
    chosen?.removeAllRanges();
    if (!rows.drop() && !had && !found.close()) el('log').focus({ preventScroll: true });
  },
};

const comforts = comfort(app, { facts, stream });
Object.assign(acts, comforts.acts, { dress: () => {} }); // `act` dresses after each act

let toastTimer = 0;
/** @param {string} words @param {number} [ms] */
function toast(words, ms = 2500) {
  put(el('toast'), words);
  el('toast').hidden = !words;
  window.clearTimeout(toastTimer);
  toastTimer = window.setTimeout(() => { el('toast').hidden = true; }, ms);
}

/** @param {string} name */
function select(name) {
  const source = name === MERGED ? comforts.merged() : sources.all.get(name);
  if (!source || name === sources.active) return;
  const left = sources.shown;
  if (left) left.place = view.follow ? null : view.top;
  sources.active = name;
  facts.why = '';
  view.follow = true;
  el('log').classList.remove('has-ms', 'has-clock', 'has-level');
  view.show(found.storeOf(source));
  if (source.place) view.jump(source.place.offset, 0, 'lives' in source.store ? source.store.lives[source.place.life].generation : null).catch(complain);
  bus.emit('show');
  status.words();
}

/** @param {string} event @param {any} data */
function received(event, data) {
  sources.received(event, data, { keep: !document.hidden, now: Date.now() });
  if (event === 'hello' || event === 'list') facts.trouble = '';
  if (!sources.active && sources.all.size) select(sources.names[0]);
  if (event === 'tick') unfinished(data.files);
  bus.emit('event', { event, data });
  if (event === 'batch') bus.emit('grew', data.file);
  if (!data.file || data.file === sources.active || sources.active === MERGED) view.schedule();
  stream.want(comforts.shown(), sources.all.size);
}

let unfinishedSize = 0;
/** Reads the unfinished last line of the shown file when it grew. @param {import('./api.js').FileInfo[]} files */
function unfinished(files) {
  const info = files.find(({ name }) => name === sources.active);
  const store = info && sources.all.get(info.name)?.store;
  if (!info || !store || !view.follow || document.hidden || info.size <= info.tip || info.size === unfinishedSize) return;
  unfinishedSize = info.size;
  store.around('end', 0, 0).then(() => view.schedule(), complain);
}

/** @param {unknown} error */
function complain(error) {
  const { message, status: code } = /** @type {Problem} */ (error);
  if (code === 401) void login();
  if (!code && !(error instanceof Problem)) throw error;
  if (code > 0 && code !== 401) facts.trouble = `The server said: ${message}`; // without an answer the stream's state says it
  status.words();
}

/** @param {string} name */
function act(name) {
  acts[name]?.();
  dress();
  status.words();
}

/** What follows from the choices, beside CSS. */
function dress() {
  el('wrap').setAttribute('aria-pressed', String(choices.wrap));
  el('theme').title = `Theme: ${choices.theme === 'auto' ? 'automatic' : choices.theme} (D)`;
  retime(view.block.rows);
  const top = view.block.rows[view.follow ? view.block.length - 1 : view.first.index];
  put(el('zone'), zoneWords((top && timeOfRow(top)?.ms) ?? null));
  bus.emit('dress');
  const background = isDark() ? '#0e1116' : '#ffffff';
  if (look.background === background) return;
  look.background = background;
  look.text = isDark() ? '#e2e6ec' : '#1b2028';
  view.block.refill();
}

// ── what the user does ─────────────────────────────────────────────────────────────────────────────────────────────

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
  if (!facts.trouble && status.unveil()) return status.words(true);
  if (facts.trouble) stream.open();
  facts.trouble = '';
  facts.note = '';
  view.schedule();
  status.words(true);
});
const sheet = /** @type {HTMLDialogElement} */ (el('sheet'));
sheet.addEventListener('click', ({ target }) => {
  if (target === sheet || /** @type {Element} */ (target).closest('[data-close]')) sheet.close();
});
sheet.addEventListener('keydown', ({ key }) => { if (key === '?' || key === 'q') sheet.close(); });
document.addEventListener('selectionchange', () => {
  const selection = getSelection();
  if (view.follow && selection && !selection.isCollapsed && el('block').contains(selection.anchorNode)) view.setFollow(false, 'selection');
});
el('block').addEventListener('focusin', () => view.setFollow(false, 'user'));
document.addEventListener('visibilitychange', () => {
  hiddenSince = document.hidden ? Date.now() : 0;
  if (document.hidden) return;
  if (facts.phase === 'closed' && el('auth').hidden) stream.open();
  view.schedule();
  status.words();
});
window.addEventListener('online', () => stream.hurry());
window.addEventListener('pagehide', () => stream.leave());
window.addEventListener('pageshow', ({ persisted }) => { if (persisted) stream.open(); });
matchMedia('(prefers-color-scheme: light)').addEventListener('change', dress);
window.addEventListener('error', ({ message }) => {
  facts.trouble = `The page failed: ${message}`;
  status.words();
});
setInterval(() => {
  if (hiddenSince && Date.now() - hiddenSince > HIDDEN_MS && facts.phase !== 'closed' && !comforts.waits()) stream.close();
  if (!document.hidden) dress();
  status.words();
}, 1000);
window.addEventListener('hashchange', () => { if (!found.own()) void found.open(location.hash); });

// ── start ──────────────────────────────────────────────────────────────────────────────────────────────────────────

let asking = false;
async function login() {
  if (asking) return;
  asking = true;
  stream.close();
  await ask(el('auth'));
  asking = false;
  await start();
}

async function start() {
  try {
    const { files, title, zone, highlight = [] } = await askFiles();
    sources.zone = zone ?? '';
    facts.title = title ?? '';
    comforts.wish(highlight);
    sources.meet(files);
    if (!sources.active && sources.all.size) select(sources.names[0]);
  } catch (error) {
    if (/** @type {Problem} */ (error).status === 401) return void login();
    complain(error);
  }
  stream.open();
  return found.open(location.hash);
}

apply();
dress();
fillSheet(el('sheet-body'));
exchange().then(start);
if (firstVisit()) toast('/ searches · Space pauses · ? shows all keys', 8000);
