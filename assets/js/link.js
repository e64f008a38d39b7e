/**
 * The address bar: a place (file, byte offset, generation) and what is shown (search, filters, levels, range) in the hash.
 * The server keeps nothing for it, and a link into a file that was rotated away says so instead of showing another line.
 * Pure.
 */

import { LEVELS, MOST_TERMS, nothing, whose } from './query.js';

/** @typedef {{file: string, offset: number, generation: string|null, time?: number|null}} Place  `time`: ms, where to look if the line is gone */
/** @typedef {import('./query.js').Query} Query */
/** @typedef {import('./query.js').Term} Term */
/** @typedef {{file: string, place: Place|null, query: Query, find: Term|null}} Shown */

const LETTERS = 'FEWIDTN';

/** @param {Term} term */
function coded({ text, regex, capitals }) {
  return `${regex ? 'r' : ''}${capitals ? 'c' : ''}:${text}`;
}

/** @param {string} code @param {boolean} not @returns {Term|null} */
function termOf(code, not) {
  const found = /^(r?)(c?):([^]+)$/.exec(code.slice(0, 1100));
  return found && { text: found[3], not, regex: found[1] !== '', capitals: found[2] !== '' };
}

/** @param {Shown} shown */
export function hashOf({ file, place, query, find }) {
  const q = new URLSearchParams();
  if (file) q.set('f', file);
  if (place) q.set('o', String(place.offset));
  if (place?.generation) q.set('g', place.generation);
  if (place?.time) q.set('t', String(place.time));
  if (find?.text) q.set('q', coded(find));
  for (const term of query.terms) q.append(term.of ?? (term.not ? 'x' : 'k'), term.of ? term.text : coded(term));
  if (query.levels) q.set('lv', LEVELS.flatMap((level, i) => (query.levels?.includes(level) ? [LETTERS[i]] : [])).join('') || '-');
  if (query.since) q.set('since', query.since);
  if (query.until) q.set('until', query.until);
  const text = q.toString();
  return text ? `#${text}` : '';
}

/** @param {string} hash @returns {Shown} */
export function shownOf(hash) {
  const q = new URLSearchParams(hash.replace(/^#/, ''));
  const file = q.get('f') ?? '';
  const offset = Number(q.get('o') ?? NaN);
  const time = Number(q.get('t') ?? NaN);
  const query = nothing();
  for (const [key, value] of q) {
    const term = key === 'k' || key === 'x' ? termOf(value, key === 'x') : value && (key === 'host' || key === 'origin') ? whose(value.slice(0, 1100), key) : null;
    if (term && query.terms.length < MOST_TERMS) query.terms.push(term);
  }
  const letters = q.get('lv');
  if (letters !== null) query.levels = LEVELS.filter((_, i) => letters.includes(LETTERS[i]));
  query.since = (q.get('since') ?? '').slice(0, 64);
  query.until = (q.get('until') ?? '').slice(0, 64);
  return {
    file,
    place: file && Number.isSafeInteger(offset) && offset >= 0 ? { file, offset, generation: q.get('g'), time: Math.abs(time) < 8e15 ? time : null } : null,
    query,
    find: termOf(q.get('q') ?? '', false),
  };
}
