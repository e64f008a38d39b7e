/**
 * Health that a person can see: how long a line takes to the screen, how far each file is behind, how fast it grows.
 */

import { dialog, make } from './dom.js';
import { bytes, count, span } from './format.js';
import { Latency } from './latency.js';
import { el } from './status.js';

const LATE_MS = 1000;
const MOST = 200; // files in the table

const STATES = /** @type {Record<string, string>} */ ({ following: 'followed', waiting: 'not there', refused: 'not readable', ended: 'ended' });

/**
 * @param {import('./app.js').App} app @param {{facts: import('./status.js').Facts}} page
 */
export function health({ bus, sources, view }, { facts }) {
  const latency = new Latency();
  let painting = false;
  /** @type {Map<string, import('./api.js').FileInfo>} what the last tick said */
  let told = new Map();

  const box = dialog('health', 'Health', (body) => {
    const rows = [...sources.all].slice(0, MOST).map(([name, { store, rate, lastLine }]) => {
      const info = told.get(name);
      const heard = store.life.heard;
      const late = info && heard >= 0 ? Math.max(0, info.tip - heard) : 0;
      const unread = info ? Math.max(0, info.size - info.tip) : 0;
      return make('tr', {}, make('th', { scope: 'row', title: name }, store.label), make('td', {}, STATES[store.state] ?? store.state),
        make('td', { class: 'n' }, count(Math.round(rate.at(Date.now())))), make('td', { class: 'n' }, late + unread > 0 ? bytes(late + unread) : 'none'),
        make('td', { class: 'n' }, bytes(store.size)), make('td', { class: 'n' }, lastLine ? `${span(Date.now() - lastLine)} ago` : 'none since the page opened'));
    });
    const head = ['File', 'State', 'Lines/s', 'Behind', 'Size', 'Last line'].map((words, i) => make('th', { scope: 'col', class: i > 1 ? 'n' : '' }, words));
    body.replaceChildren(
      make('p', { class: 'lead' }, facts.phase === 'open' ? 'The stream is open.' : 'The stream is not open.', ' ',
        facts.latency === null ? 'No line was painted yet.' : `A line takes ${ms(facts.latency)} from the file to the screen.`),
      make('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Files' }, make('table', { class: 'grid' }, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows))),
      make('p', { class: 'quiet' }, `One stream serves all tabs of this browser. logcast ${sources.version || '?'}${sources.all.size > MOST ? ` · ${count(sources.all.size - MOST)} more files` : ''}`),
    );
  });

  bus.on('event', ({ event, data }) => {
    const now = Date.now();
    if (event === 'tick' || event === 'hello' || event === 'list') {
      if (data.at) latency.tick(Date.parse(data.at), now);
      told = new Map(data.files.map((/** @type {import('./api.js').FileInfo} */ info) => [info.name, info]));
      box.fill();
    } else if (event === 'batch') {
      latency.batch(data.at, now);
    }
    facts.behind = latency.behind > LATE_MS ? latency.behind : 0;
  });
  let marked = false;
  bus.on('drawn', () => {
    if (!marked && view.block.length) {
      marked = true;
      performance.mark('rows'); // how long the first ones took, for who measures
    }
    if (painting || !latency.waiting) return;
    if (!view.follow || document.hidden) {
      latency.skip();
      return;
    }
    painting = true;
    // The task after the frame: what was drawn is on its way to the screen.
    setTimeout(() => {
      painting = false;
      latency.painted(Date.now());
      facts.latency = latency.usual;
    });
  });
  el('state').addEventListener('click', () => box.open());
  return { health: () => box.open() };
}

/** @param {number} n */
export function ms(n) {
  return n < 1000 ? `${Math.round(n)} ms` : `${(n / 1000).toFixed(1)} s`;
}
