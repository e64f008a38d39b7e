/**
 * Line numbers, where the index has passed. They are an attribute of the row that CSS shows: selection and copying never see
 * them. The rows are lines without a hole, so one number that the server told gives all of them.
 */

import { count } from './format.js';
import { choices } from './settings.js';
import { put } from './status.js';

/** @typedef {import('./store.js').Item} Item */

const ASK_MS = 300; // after this without a number on the screen the server is asked

/** How many lines a row stands for. @param {Item} item */
const weight = (item) => (item.kind === 'line' ? 1 + (item.under?.length ?? 0) : 0);

/** @param {import('./app.js').App} app */
export function numbers(app) {
  const { view, sources, bus } = app;
  let timer = 0;
  let digits = 0;
  /** What the room is for. @type {import('./store.js').Store|undefined} */
  let shown;
  let kept = false;
  /** The place that was asked for in vain, while the index was not there. */
  let vain = '';

  /** Numbers of the block's rows, null where none is known. @param {Item[]} items @returns {(number|null)[]} */
  function known(items) {
    const store = sources.file;
    /** @type {(number|null)[]} */
    const out = items.map(() => null);
    if (!store) return out;
    for (let start = 0; start < items.length;) {
      const { life } = items[start];
      let end = start;
      while (end < items.length && items[end].life === life) end += 1;
      const told = store.lives[life]?.numbers;
      const at = told?.size ? items.findIndex((item, i) => i >= start && i < end && item.kind === 'line' && told.has(item.offset)) : -1;
      const beyond = items[end - 1];
      let n = at >= 0 ? /** @type {number} */ (told.get(items[at].offset)) : told?.has(beyond.next) ? /** @type {number} */ (told.get(beyond.next)) : 0;
      if (n) {
        const from = at >= 0 ? at : end;
        for (let i = from, m = n; i < end; m += weight(items[i]), i += 1) if (items[i].kind === 'line') out[i] = m;
        for (let i = from - 1; i >= start; i -= 1) {
          n -= weight(items[i]);
          if (items[i].kind === 'line') out[i] = n;
        }
      }
      start = end;
    }
    return out;
  }

  function draw() {
    const { block, store } = view;
    if (!store) return;
    const filtered = 'base' in store;
    // Between the lines that a filter keeps nobody counted the others.
    const all = filtered ? [] : known(block.items);
    let most = 0;
    block.rows.forEach((row, i) => {
      const n = all[i] ?? null;
      const text = n === null ? '' : count(n);
      if ((row.dataset.line ?? '') !== text) {
        if (text) row.dataset.line = text;
        else delete row.dataset.line;
      }
      if (row.classList.contains('open')) put(row.querySelector('.nth'), text && `line ${text} · `);
      if (text.length > most) most = text.length;
    });
    // Once a file has numbers their room stays: what somebody reads must not move.
    if (shown !== sources.file || filtered !== kept) digits = 0;
    shown = sources.file;
    kept = filtered;
    const wide = Math.max(most && count(sources.file?.lines ?? 0).length, most, digits);
    const on = choices.numbers && wide > 0;
    if (on !== view.log.classList.contains('has-numbers') || wide !== digits) {
      digits = wide;
      const dress = () => {
        view.log.classList.toggle('has-numbers', on);
        view.log.style.setProperty('--digits', `${wide}ch`);
      };
      if (choices.wrap) view.keepPlace(dress);
      else dress();
    }
    const first = view.top;
    if (!filtered && first?.kind === 'line' && all[view.first.index] === null) later(first);
  }

  /** @param {Item} item */
  function later(item) {
    const store = sources.file;
    if (timer || !store) return;
    const key = `${store.name} ${item.life} ${item.offset} ${store.indexed}`;
    if (key === vain) return;
    timer = window.setTimeout(async () => {
      timer = 0;
      vain = key;
      const of = store.lives[item.life];
      if (!of || of.gone || view.top !== item) return;
      const answer = await store.fetchLines({ file: store.name, at: item.offset, after: 1, generation: of.generation }).catch(() => null);
      if (!answer) return;
      store.ages.learn(item.life, answer);
      if (answer.line) view.schedule();
    }, ASK_MS);
  }

  bus.on('drawn', draw);
  return {
    /** The number of the first line on the screen. @returns {number} 0 while it is not known */
    top() {
      const text = view.block.rows[view.first.index]?.dataset.line;
      return text ? Number(text.replaceAll(',', '')) : 0;
    },
    draw,
  };
}
