/**
 * The state of the page in words, then colour, then shape. Pure: facts in, words out.
 */

import { short, span } from './format.js';

/**
 * @typedef {object} Facts
 * @property {'connecting'|'open'|'lost'|'closed'} phase  of the stream
 * @property {number} tries
 * @property {number} retryAt   when the next try begins, 0 for none
 * @property {boolean} online
 * @property {string} file      state of the shown file: following, waiting, refused, ended
 * @property {boolean} follow
 * @property {string} why       why it is paused
 * @property {number} rate      lines a second
 * @property {boolean} flood    more comes than is sent
 * @property {number} lastLine  when the last line came, 0 for never
 * @property {number|null} latency  ms from the file to the screen
 * @property {number} behind  ms that this page is late, 0 while it keeps up
 * @property {number} now
 */
/** @typedef {{state: string, words: string, tone: 'good'|'calm'|'amber'|'red'}} Said */

const QUIET_MS = 10_000;

/** @param {Facts} f @returns {Said} */
export function describe(f) {
  if (!f.online && f.phase !== 'open') return { state: 'offline', words: 'Offline', tone: 'red' };
  if (f.phase === 'lost') {
    const wait = f.tries > 3 && f.retryAt > f.now ? ` next try in ${Math.ceil((f.retryAt - f.now) / 1000)} s` : '';
    return { state: 'reconnecting', words: `Reconnecting…${f.tries > 1 ? ` (${f.tries})` : ''}${wait}`, tone: 'red' };
  }
  if (f.phase === 'connecting') return { state: 'connecting', words: 'Connecting…', tone: 'calm' };
  if (f.phase === 'closed' && f.file !== 'ended') return { state: 'resting', words: 'Resting while hidden', tone: 'calm' };
  if (f.file === 'waiting') return { state: 'waiting', words: 'Waiting for the file', tone: 'amber' };
  if (f.file === 'refused') return { state: 'refused', words: 'Not readable', tone: 'red' };
  if (!f.follow) return { state: 'paused', words: f.why === 'selection' ? 'Paused: text selected' : 'Paused', tone: 'amber' };
  if (f.file === 'ended') return { state: 'ended', words: 'Ended', tone: 'calm' };
  if (f.behind > 0) return { state: 'lagging', words: `Behind by ${(f.behind / 1000).toFixed(1)} s`, tone: 'amber' };
  if (f.flood) return { state: 'flood', words: `Live · ${short(f.rate)}/s, showing newest`, tone: 'amber' };
  if (f.rate > 0) return { state: 'live', words: ['Live', f.rate < 10 && f.latency !== null ? '' : `${short(f.rate)}/s`, delay(f)].filter(Boolean).join(' · '), tone: 'good' };
  if (f.lastLine && f.now - f.lastLine > QUIET_MS) return { state: 'live', words: `Live · last line ${span(f.now - f.lastLine)} ago`, tone: 'good' };
  return { state: 'live', words: ['Live', delay(f)].filter(Boolean).join(' · '), tone: 'good' };
}

/** @param {Facts} f */
function delay({ latency }) {
  if (latency === null) return '';
  return latency < 1000 ? `${Math.max(1, Math.round(latency))} ms` : `${(latency / 1000).toFixed(1)} s`;
}

/** Lines a second over the last two whole seconds. */
export class Rate {
  constructor() {
    /** @type {[number, number][]} second, lines */
    this.seconds = [];
  }

  /** @param {number} lines @param {number} now ms */
  add(lines, now) {
    const second = Math.floor(now / 1000);
    const last = this.seconds[this.seconds.length - 1];
    if (last && last[0] === second) last[1] += lines;
    else this.seconds.push([second, lines]);
    if (this.seconds.length > 4) this.seconds.shift();
  }

  /** @param {number} now ms */
  at(now) {
    const second = Math.floor(now / 1000);
    const lines = this.seconds.filter(([s]) => s === second - 1 || s === second - 2).reduce((sum, [, n]) => sum + n, 0);
    // In the first second there is no whole one yet.
    if (lines === 0) return this.seconds.find(([s]) => s === second)?.[1] ?? 0;
    return lines / (this.seconds.some(([s]) => s === second - 2) ? 2 : 1);
  }
}
