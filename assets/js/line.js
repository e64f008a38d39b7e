/**
 * What a line says about itself: its time, its level and where its message begins.
 *
 * Pure: text in, a small object out. Looks at the first bytes of a line only, so a line of a megabyte costs what a
 * short one costs. The text itself is never changed here; `message` is an index into it. What this module guesses is
 * display: it filters nothing and loses nothing.
 */

/** @typedef {'fatal'|'error'|'warn'|'info'|'debug'|'trace'} Level */
/**
 * @typedef {object} Parsed
 * @property {Level|null} level
 * @property {string} clock  the time of day as written, `20:37:09.123`, or ''
 * @property {number|null} ms  milliseconds since the epoch (local zone where none is written), null without a date
 * @property {number} message  index where the message begins, after time and level
 */

/** How far into a line a level or a time is looked for. */
const LOOK = 160;

/** @type {Record<string, Level>} */
const WORDS = {
  fatal: 'fatal', critical: 'fatal', crit: 'fatal', emerg: 'fatal', emergency: 'fatal', alert: 'fatal', panic: 'fatal', ftl: 'fatal',
  error: 'error', err: 'error', eror: 'error', severe: 'error', failure: 'error',
  warning: 'warn', warn: 'warn', wrn: 'warn',
  info: 'info', inf: 'info', notice: 'info', information: 'info',
  debug: 'debug', dbg: 'debug', debu: 'debug', fine: 'debug',
  trace: 'trace', trc: 'trace', verbose: 'trace', finest: 'trace',
};

/** Three letters for each level: the same width in every row, so that the eye reads down. @type {Record<Level, string>} */
export const SHORT = { fatal: 'FTL', error: 'ERR', warn: 'WRN', info: 'INF', debug: 'DBG', trace: 'TRC' };

// A named field wins over a bare word: `level=info msg="an error"` is info.
const FIELD = /(?:^|[\s{,"'])["']?(?:level|lvl|severity|loglevel|log\.level|levelname)["']?\s*[=:]\s*["']?([a-z]{3,11}|[1-6]0)\b/i;
// A bare word counts in capitals, or in brackets, or right before a colon: "no error" in a sentence does not.
const UPPER = /(?:^|[^A-Za-z0-9_.-])(FATAL|CRITICAL|CRIT|EMERG(?:ENCY)?|ALERT|PANIC|FTL|ERROR|ERR|SEVERE|WARNING|WARN|WRN|INFO|INF|NOTICE|DEBUG|DBG|FINE|TRACE|TRC|VERBOSE|FINEST)(?![A-Za-z0-9_])/;
const MARKED = /[[<|(](fatal|critical|crit|emerg|alert|panic|error|err|severe|warning|warn|info|notice|debug|trace|verbose)[\]>|)]|(?:^|\s)(fatal|critical|error|warning|warn|info|debug|trace)(?:\[\S+\])?: /i;
const GLOG = /^([IWEF])\d{4} \d\d:\d\d:\d\d/;
/** @type {Record<string, Level>} */
const GLOG_LEVEL = { I: 'info', W: 'warn', E: 'error', F: 'fatal' };
/** Numbers of bunyan and pino. @type {Record<string, Level>} */
const NUMBERS = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

/** @param {string} text @returns {Level|null} */
function levelOf(text) {
  const field = FIELD.exec(text);
  if (field) {
    const found = WORDS[field[1].toLowerCase()] ?? NUMBERS[field[1]];
    if (found) return found;
  }
  const glog = GLOG.exec(text);
  if (glog) return GLOG_LEVEL[glog[1]];
  const upper = UPPER.exec(text);
  const marked = MARKED.exec(text);
  if (marked && (!upper || marked.index < upper.index)) return WORDS[(marked[1] ?? marked[2]).toLowerCase()] ?? null;
  return upper ? WORDS[upper[1].toLowerCase()] : null;
}

const ZONE = '(?:\\s?(?:Z|UTC|[+-]\\d\\d:?\\d\\d))?';
// ISO and its relatives: 2026-11-24T12:00:00.123Z, 2026/11/24 12:00:00,123
const ISO = new RegExp(`(\\d{4})[-/](\\d\\d)[-/](\\d\\d)[T _](\\d\\d:\\d\\d:\\d\\d)(?:[.,](\\d{1,9}))?(${ZONE})`);
// Apache and nginx access logs: 24/Nov/2026:12:00:00 +0000
const CLF = new RegExp(`(\\d\\d)/([A-Z][a-z]{2})/(\\d{4}):(\\d\\d:\\d\\d:\\d\\d)(${ZONE})`);
// syslog: Nov 24 12:00:00
const SYSLOG = /^(?:<\d+>)?([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?/;
const CLOCK = /^\[?(\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\]?/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
/** What may stand between time and message and says nothing once both are in columns. */
const JOINT = /^[\])}>]?(?:\s+[-|:]\s+|\s*[|]\s*|:?\s+)?/;
const LEAD = /^[[<(|]?(FATAL|CRITICAL|CRIT|EMERG|ALERT|PANIC|ERROR|ERR|SEVERE|WARNING|WARN|WRN|INFO|INF|NOTICE|DEBUG|DBG|TRACE|TRC|VERBOSE)[\]>)|]?(?=\s|:|$)(?:\s*[-|:]\s+|:?\s*)/i;

/** @param {string} year @param {string} month @param {string} day @param {string} clock @param {string} frac @param {string} zone */
function epoch(year, month, day, clock, frac, zone) {
  const z = zone.trim().replace('UTC', 'Z').replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const ms = Date.parse(`${year}-${month}-${day}T${clock}.${frac.padEnd(3, '0').slice(0, 3)}${z}`);
  return Number.isNaN(ms) ? null : ms;
}

/** @param {string} name */
function monthNumber(name) {
  const i = MONTHS.indexOf(name);
  return i < 0 || i % 3 ? '' : String(i / 3 + 1).padStart(2, '0');
}

/**
 * Finds the first time in the head of a line.
 * @param {string} text
 * @returns {{start: number, end: number, clock: string, ms: number|null}|null}
 */
export function timeOf(text) {
  let m = ISO.exec(text);
  if (m) {
    const frac = (m[5] ?? '').slice(0, 3);
    return { start: m.index, end: m.index + m[0].length, clock: frac ? `${m[4]}.${frac.padEnd(3, '0')}` : m[4], ms: epoch(m[1], m[2], m[3], m[4], frac, m[6] ?? '') };
  }
  m = CLF.exec(text);
  if (m && monthNumber(m[2])) {
    return { start: m.index, end: m.index + m[0].length, clock: m[4], ms: epoch(m[3], monthNumber(m[2]), m[1], m[4], '', m[5] ?? '') };
  }
  m = SYSLOG.exec(text);
  if (m && monthNumber(m[1])) {
    const year = new Date().getFullYear();
    const day = m[2].trim().padStart(2, '0');
    let ms = epoch(String(year), monthNumber(m[1]), day, m[3], m[4] ?? '', '');
    // A date without a year is the latest that is not in the future (a day's grace for zones).
    if (ms !== null && ms > Date.now() + 86_400_000) ms = epoch(String(year - 1), monthNumber(m[1]), day, m[3], m[4] ?? '', '');
    return { start: 0, end: m[0].length, clock: m[4] ? `${m[3]}.${m[4].slice(0, 3).padEnd(3, '0')}` : m[3], ms };
  }
  m = CLOCK.exec(text);
  if (m) return { start: 0, end: m[0].length, clock: m[2] ? `${m[1]}.${m[2].slice(0, 3).padEnd(3, '0')}` : m[1], ms: null };
  return null;
}

/** A field of JSON or logfmt that the columns show, with what parts it from the next. */
const TOLD = /"?(@?time(?:stamp)?|ts|level|lvl|severity)"?[=:]\s*("[^"\\]*"|[^\s,"}]+)[,\s]\s*/iy;

/** Where the first field begins that no column shows. @param {string} head @param {ReturnType<typeof timeOf>} time @param {Level|null} level */
function told(head, time, level) {
  const begin = head.startsWith('{') ? 1 : 0;
  let end = begin;
  for (;;) {
    TOLD.lastIndex = end;
    const field = TOLD.exec(head);
    const next = end + (field?.[0].length ?? 0);
    const same = field && (/t/i.test(field[1][0] + field[1][1]) ? time && time.start >= end && time.end <= next : level && WORDS[field[2].replaceAll('"', '').toLowerCase()] === level);
    if (!same) return end > begin ? end : 0;
    end = next;
  }
}

/** @param {string} plain  a line without escape sequences @returns {Parsed} */
export function parse(plain) {
  const head = plain.length > LOOK ? plain.slice(0, LOOK) : plain;
  const level = levelOf(head);
  const time = timeOf(head);
  let message = 0;
  // Only what stands at the very beginning moves into the columns.
  const lead = time ? /^[[(<]?$/.test(head.slice(0, time.start)) : false;
  if (time && lead) {
    message = time.end;
    message += JOINT.exec(head.slice(message))?.[0].length ?? 0;
  }
  if (level && (lead || !time)) {
    const word = LEAD.exec(head.slice(message));
    if (word && WORDS[word[1].toLowerCase()] === level && message + word[0].length < plain.length) message += word[0].length;
  }
  if (!lead && !message) message = told(head, time, level);
  if (message >= plain.length) message = 0;
  return { level, clock: time?.clock ?? '', ms: time?.ms ?? null, message };
}

/** What a text has not: NUL, other controls, and what could not be decoded. TAB, CR and ESC are of terminals. */
const ODD = /[\0-\x08\x0e-\x1a\x1c-\x1f\ufffd]/g;

/** Whether lines are no text: most of them have a NUL, or a tenth of all is no character. @param {string[]} lines */
export function isBinary(lines) {
  let [nuls, odd, all] = [0, 0, 0];
  for (const line of lines) {
    const part = line.slice(0, 8192);
    if (part.includes('\0')) nuls += 1;
    odd += part.match(ODD)?.length ?? 0;
    all += part.length;
  }
  return nuls * 2 > lines.length || odd * 10 > all;
}

/** A continuation of the line above: a frame of a trace, or an indented detail. */
const FOLLOWER = /^(?:\s+at |\s+File "|Caused by\b|Traceback \(most|\s*\.\.\. \d+ more|goroutine \d|\s*\|\s|\s{2,}\S|\t)/;
/** A continuation that only a trace has. */
const FRAME = /^(?:\s+at \S|\s+File "|Caused by\b|Traceback \(most|\s*\.\.\. \d+ more|goroutine \d)/;

/** @param {string} plain */
export function isContinuation(plain) {
  const first = plain.charCodeAt(0);
  // Most lines are told apart by their first character: space, TAB, C, T, g, '.' or '|'.
  if (first > 32 && first !== 67 && first !== 84 && first !== 103 && first !== 46 && first !== 124) return false;
  return FOLLOWER.test(plain.length > LOOK ? plain.slice(0, LOOK) : plain) && !timeOf(plain.slice(0, 40));
}

/** @param {string} plain */
export function isFrame(plain) {
  return FRAME.test(plain);
}

// One pass, first alternative wins: key= / "key": · "string" · number with unit · bare address or path.
const TOKEN = /("(?:[^"\\]|\\.){1,64}")(?=\s*:)|([A-Za-z_][\w.-]{0,40})(?==\S)|("(?:[^"\\]|\\.)*"|'[^'\s][^']{0,200}')|((?<![\w.:/-])\d+(?:\.\d+)*(?:%|[a-zA-Zµ]{1,3}\b)?(?![\w:/-]|\.\w))|(\bhttps?:\/\/[^\s"'<>]+)/g;
const KINDS = ['key', 'key', 'str', 'num', 'url'];

/**
 * Tints for the values in a message; `[start, end, kind]` in order. At most `limit` of them.
 * @param {string} text @param {number} [limit] @returns {[number, number, string][]}
 */
export function tints(text, limit = 60) {
  /** @type {[number, number, string][]} */
  const out = [];
  TOKEN.lastIndex = 0;
  for (let m = TOKEN.exec(text); m && out.length < limit; m = TOKEN.exec(text)) {
    const kind = m.slice(1).findIndex((part) => part !== undefined);
    out.push([m.index, m.index + m[0].length, KINDS[kind]]);
  }
  return out;
}
