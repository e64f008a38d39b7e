/**
 * What a screen reader hears of the flow: nothing, or, where somebody asked for it, one sentence at most every five seconds.
 * A log that speaks each row cannot be used. Also keeps the screen awake while following, where that was asked for.
 */

import { count } from './format.js';
import { parse } from './line.js';
import { choices } from './settings.js';
import { el, put } from './status.js';

const EVERY_MS = 5000;

/** @param {import('./app.js').App} app */
export function announce({ bus, sources, view }) {
  let lines = 0;
  let errors = 0;
  let last = 0;
  /** @type {WakeLockSentinel|null} */
  let lock = null;
  let asking = false;

  bus.on('event', ({ event, data }) => {
    if (event === 'batch' && choices.announce && (data.file === sources.active || sources.shown?.store.name === data.file)) {
      lines += data.lines.length;
      for (const line of data.lines) if (/^(error|fatal)$/.test(parse(line).level ?? '')) errors += 1;
    }
    if (event === 'tick') speak();
  });

  function speak() {
    void wake();
    const now = Date.now();
    if (!choices.announce || !lines || !view.follow || document.hidden || now - last < EVERY_MS) return;
    last = now;
    put(el('said'), `${count(lines)} new ${lines === 1 ? 'line' : 'lines'}${errors ? `, ${count(errors)} ${errors === 1 ? 'error' : 'errors'}` : ''}`);
    lines = 0;
    errors = 0;
  }

  async function wake() {
    const want = choices.awake && view.follow && !document.hidden && 'wakeLock' in navigator;
    if (asking || want === Boolean(lock && !lock.released)) return;
    asking = true;
    try {
      if (want) lock = await navigator.wakeLock.request('screen');
      else {
        await lock?.release();
        lock = null;
      }
    } catch {
      lock = null; // the system refuses when the battery is low; asked again with the next tick
    }
    asking = false;
  }
}
