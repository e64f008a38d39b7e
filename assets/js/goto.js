/**
 * What somebody types after `:` → a place in the file, or a range of time. Pure.
 *
 * Times in words become what the server reads: RFC 3339 without a zone, or a span that ended now (`90m`). Days are those of
 * the server's zone.
 */

/**
 * @typedef {{kind: 'at', at: string|number} | {kind: 'lines', by: number} | {kind: 'range', since: string, until: string} | {kind: 'end'} | {kind: 'wrong', words: string}} Goal
 */

const UNITS = /** @type {Record<string, string>} */ ({ ms: 'ms', s: 's', sec: 's', second: 's', m: 'm', min: 'm', minute: 'm', h: 'h', hour: 'h', d: 'd', day: 'd', w: 'w', week: 'w' });
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const HELP = 'Not understood. Try 42000, 50%, +200, 14:03, 2h ago, yesterday 9:30, 11:02..11:09, @1000000 or end.';

/** @param {string} typed @param {{now?: number, zone?: string}} [when] @returns {Goal} */
export function goal(typed, when = {}) {
  const text = typed.trim().replace(/^:/, '').trim();
  if (text === '') return { kind: 'wrong', words: '' };
  if (/^(end|\$|G)$/.test(text)) return { kind: 'end' };
  if (/^(start|begin|0|g)$/.test(text)) return { kind: 'at', at: 0 };
  const share = /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(text);
  if (share && Number(share[1]) <= 100) return Number(share[1]) === 100 ? { kind: 'end' } : { kind: 'at', at: `${share[1]}%` };
  const byte = /^@\s*([\d,_]{1,20})$/.exec(text);
  if (byte) return { kind: 'at', at: Number(byte[1].replace(/[,_]/g, '')) };
  const by = /^([+-])\s*(\d{1,4})$/.exec(text);
  if (by) return { kind: 'lines', by: Number(by[2]) * (by[1] === '-' ? -1 : 1) };
  const line = /^[\d,_]{1,15}$/.exec(text);
  if (line) return { kind: 'at', at: `line:${text.replace(/[,_]/g, '')}` };
  const range = /^(.*?)\s*\.\.\s*(.*)$/.exec(text);
  if (range) {
    const [since, until] = [range[1], range[2]].map((part) => (part ? timeWords(part, when) : ''));
    return since === null || until === null || (!since && !until) ? { kind: 'wrong', words: HELP } : { kind: 'range', since, until };
  }
  const time = timeWords(text, when);
  return time ? { kind: 'at', at: `time:${time}` } : { kind: 'wrong', words: HELP };
}

/** A clock time in words, as `HH:MM:SS`; null if it is none. @param {string} text */
function clockOf(text) {
  if (text === 'noon') return '12:00:00';
  if (text === 'midnight') return '00:00:00';
  const m = /^(\d{1,2})(?::(\d\d))?(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(am|pm)?$/.exec(text);
  if (!m || (!m[2] && !m[5])) return null;
  let hour = Number(m[1]);
  if (m[5] && (hour < 1 || hour > 12)) return null;
  if (m[5]) hour = (hour % 12) + (m[5] === 'pm' ? 12 : 0);
  if (hour > 23 || Number(m[2] ?? 0) > 59) return null;
  return `${String(hour).padStart(2, '0')}:${m[2] ?? '00'}:${m[3] ?? '00'}${m[4] ? `.${m[4]}` : ''}`;
}

/** A day in words, as `YYYY-MM-DD`; null if it is none. A weekday is the latest one, today's included. @param {string} text @param {{now?: number, zone?: string}} when */
function dayOf(text, { now = Date.now(), zone }) {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return text;
  const today = day(now, zone);
  const date = new Date(`${today}T12:00:00Z`);
  const weekday = DAYS.findIndex((name) => text.length >= 3 && name.startsWith(text));
  const back = text === 'today' ? 0 : text === 'yesterday' ? 1 : weekday >= 0 ? (date.getUTCDay() - weekday + 7) % 7 : -1;
  return back < 0 ? null : new Date(date.getTime() - back * 86_400_000).toISOString().slice(0, 10);
}

/** @param {number} now @param {string} [zone] */
function day(now, zone) {
  try {
    return new Date(now).toLocaleDateString('sv-SE', zone ? { timeZone: zone } : {});
  } catch {
    return new Date(now).toLocaleDateString('sv-SE'); // a zone that this browser does not know
  }
}

/** @param {string} typed @param {{now?: number, zone?: string}} when @returns {string|null} */
export function timeWords(typed, when) {
  const text = typed.trim().toLowerCase().replace(/\s+/g, ' ');
  if (/^\d{4}-\d\d-\d\dt?\s?\d\d:\d\d(:\d\d([.,]\d+)?)?(z|[+-]\d\d:?\d\d)?$/.test(text)) return typed.trim().replace(/\s+/, 'T').toUpperCase();
  const span = /^-?\s*(\d{1,6})\s*([a-z]+)(?:\s+ago)?$/.exec(text);
  const unit = span && UNITS[span[2].replace(/(?<=...)s$/, '')];
  if (span && unit) return unit === 'w' ? `${Number(span[1]) * 7}d` : `${span[1]}${unit}`;
  const clock = clockOf(text.replace(/^at /, ''));
  if (clock) return `${day(when.now ?? Date.now(), when.zone)}T${clock}`;
  for (const [head, tail] of [[text, ''], ...splits(text)]) {
    for (const [a, b] of [[head, tail], [tail, head]]) {
      const date = dayOf(a.replace(/^(on|last) /, ''), when);
      const time = b === '' ? '00:00:00' : clockOf(b.replace(/^at /, ''));
      if (date && time) return `${date}T${time}`;
    }
  }
  return null;
}

/** @param {string} text @returns {[string, string][]} */
function splits(text) {
  /** @type {[string, string][]} */
  const out = [];
  for (let i = text.indexOf(' '); i > 0; i = text.indexOf(' ', i + 1)) out.push([text.slice(0, i), text.slice(i + 1)]);
  return out;
}
