/**
 * The column of times: as written, in another zone, as an age, or as the distance from the line above.
 */

import { choices } from './settings.js';

/** @type {WeakMap<HTMLElement, {clock: string, ms: number|null}>} what each row's line says */
const times = new WeakMap();

export const MODE_WORDS = { clock: 'times', ago: 'age of each line', delta: 'distance from the line above', off: 'times hidden' };

/** @param {HTMLElement} row @param {{clock: string, ms: number|null}} time */
export function setTime(row, time) {
  times.set(row, { clock: time.clock, ms: time.ms });
  const cell = /** @type {HTMLElement} */ (row.firstElementChild);
  const text = words(time, null);
  if (cell.textContent !== text) cell.textContent = text;
}

/** @param {HTMLElement} row */
export function timeOfRow(row) {
  return times.get(row) ?? null;
}

/** Writes the column anew where it depends on the hour or on the row above. @param {HTMLElement[]} rows */
export function retime(rows) {
  /** @type {number|null} */
  let above = null;
  for (const row of rows) {
    const time = times.get(row);
    if (!time) continue;
    const cell = /** @type {HTMLElement} */ (row.firstElementChild);
    const text = words(time, above);
    if (cell.textContent !== text) cell.textContent = text;
    cell.classList.toggle('slow', choices.time === 'delta' && time.ms !== null && above !== null && time.ms - above >= 1000);
    if (time.ms !== null) above = time.ms;
  }
}

/** @param {{clock: string, ms: number|null}} time @param {number|null} above */
function words({ clock, ms }, above) {
  if (ms === null || choices.time === 'off') return clock;
  if (choices.time === 'ago') return age(Date.now() - ms);
  if (choices.time === 'delta') return above === null ? '' : distance(ms - above);
  if (choices.zone === 'written') return clock;
  const date = new Date(choices.zone === 'utc' ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(11, clock.length > 8 ? 23 : 19);
}

/** @param {number} ms */
function age(ms) {
  if (ms < 0) return 'ahead';
  const s = ms / 1000;
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

/** @param {number} ms */
function distance(ms) {
  const sign = ms < 0 ? '−' : '+';
  const n = Math.abs(ms);
  if (n < 1000) return `${sign}${n} ms`;
  if (n < 60_000) return `${sign}${(n / 1000).toFixed(1)} s`;
  if (n < 3_600_000) return `${sign}${Math.round(n / 60_000)} min`;
  return `${sign}${Math.round(n / 3_600_000)} h`;
}

/** The zone that the column is in, for the foot line. @param {number|null} ms  of the first visible line */
export function zoneWords(ms) {
  const date = ms === null ? '' : new Date(ms).toLocaleDateString('sv-SE', choices.zone === 'utc' ? { timeZone: 'UTC' } : {});
  const minutes = -new Date(ms ?? Date.now()).getTimezoneOffset();
  const offset = `UTC${minutes < 0 ? '−' : '+'}${String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')}:${String(Math.abs(minutes) % 60).padStart(2, '0')}`;
  const zone = choices.zone === 'utc' ? 'UTC' : choices.zone === 'local' ? offset : 'times as written';
  const mode = choices.time === 'clock' ? zone : MODE_WORDS[choices.time];
  return date && choices.time !== 'off' ? `${date} · ${mode}` : mode;
}
