/**
 * Escape sequences and control characters of a line → plain runs with a style.
 *
 * Pure: knows no DOM. What comes out holds no control character but TAB: CSI other than colours, titles, and every
 * other sequence are dropped without residue; direction overrides become visible words (a Trojan-source line must
 * not read differently from what it is); of a progress line (`\r`) the last segment is shown. A link is kept for http and
 * https only. Computed colours are lifted to a contrast of 4.5 against the page.
 */

/**
 * @typedef {object} Run
 * @property {string} text
 * @property {string} cls   classes, '' for none: `a1` … `a15`, `bg1` …, `bold`, `dim`, `ital`, `under`, `strike`, `bidi`
 * @property {string} fg    a computed colour (256 or true colour), '' for none
 * @property {string} bg
 * @property {string} href  '' or an http(s) link
 */

/** Lines without any of these are their own only run. */
const SPECIAL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/;
/** @type {Record<string, string>} */
const BIDI = {
  '\u202a': 'LRE', '\u202b': 'RLE', '\u202c': 'PDF', '\u202d': 'LRO', '\u202e': 'RLO',
  '\u2066': 'LRI', '\u2067': 'RLI', '\u2068': 'FSI', '\u2069': 'PDI', '\u200e': 'LRM', '\u200f': 'RLM', '\u061c': 'ALM',
};
const ESC = '\u001b';

/** @param {string} text */
export function isPlain(text) {
  return !SPECIAL.test(text);
}

/** Of `a\rb\rc` the last segment that has text. @param {string} text */
function lastSegment(text) {
  if (!text.includes('\r')) return text;
  const parts = text.split('\r').filter((part) => part !== '');
  return parts[parts.length - 1] ?? '';
}

class Style {
  fg = '';
  bg = '';
  fgClass = '';
  bgClass = '';
  href = '';
  inverse = false;
  /** @type {Set<string>} */
  flags = new Set();

  reset() {
    this.fgClass = '';
    this.bgClass = '';
    this.fg = '';
    this.bg = '';
    this.flags.clear();
    this.inverse = false;
  }

  /** @param {number[]} p */
  sgr(p) {
    for (let i = 0; i < p.length; i += 1) {
      const n = p[i];
      if (n === 0) this.reset();
      else if (n === 1) this.flags.add('bold');
      else if (n === 2) this.flags.add('dim');
      else if (n === 3) this.flags.add('ital');
      else if (n === 4) this.flags.add('under');
      else if (n === 7) this.inverse = true;
      else if (n === 9) this.flags.add('strike');
      else if (n === 22) { this.flags.delete('bold'); this.flags.delete('dim'); }
      else if (n === 23) this.flags.delete('ital');
      else if (n === 24) this.flags.delete('under');
      else if (n === 27) this.inverse = false;
      else if (n === 29) this.flags.delete('strike');
      else if ((n >= 30 && n <= 37) || (n >= 90 && n <= 97)) { this.fgClass = `a${n >= 90 ? n - 82 : n - 30}`; this.fg = ''; }
      else if ((n >= 40 && n <= 47) || (n >= 100 && n <= 107)) { this.bgClass = `bg${n >= 100 ? n - 92 : n - 40}`; this.bg = ''; }
      else if (n === 39) { this.fgClass = ''; this.fg = ''; }
      else if (n === 49) { this.bgClass = ''; this.bg = ''; }
      else if (n === 38 || n === 48) i = this.extended(p, i, n === 38);
    }
  }

  /** @param {number[]} p @param {number} i @param {boolean} front @returns {number} the last index used */
  extended(p, i, front) {
    let colour = '';
    let cls = '';
    let end = i + 1;
    if (p[i + 1] === 5) {
      end = i + 2;
      const n = p[end];
      if (n < 16) cls = `${front ? 'a' : 'bg'}${n}`;
      else if (n < 256) colour = indexed(n);
    } else if (p[i + 1] === 2) {
      end = i + 4;
      colour = rgb(p[i + 2], p[i + 3], p[i + 4]);
    }
    if (front) { this.fg = colour; this.fgClass = cls; } else { this.bg = colour; this.bgClass = cls; }
    return end;
  }

  /** @param {string} text @returns {Run} */
  run(text) {
    const cls = [...this.flags];
    let { fg, bg } = this;
    if (this.inverse) {
      cls.push('inv');
      [fg, bg] = [bg, fg];
      if (this.fgClass) cls.push(this.fgClass.replace('a', 'bg'));
      if (this.bgClass) cls.push(this.bgClass.replace('bg', 'a'));
    } else {
      if (this.fgClass) cls.push(this.fgClass);
      if (this.bgClass) cls.push(this.bgClass);
    }
    return { text, cls: cls.join(' '), fg, bg, href: this.href };
  }
}

/** @param {...number} parts */
function rgb(...parts) {
  return `rgb(${parts.map((v) => Math.max(0, Math.min(255, v | 0))).join(',')})`;
}

/** Colour 16–255 of the xterm palette. @param {number} n */
function indexed(n) {
  if (n >= 232) return rgb(8 + (n - 232) * 10, 8 + (n - 232) * 10, 8 + (n - 232) * 10);
  const step = (/** @type {number} */ v) => (v ? 55 + v * 40 : 0);
  const c = n - 16;
  return rgb(step(Math.floor(c / 36)), step(Math.floor(c / 6) % 6), step(c % 6));
}

/** Index after the sequence that begins at `i` (an ESC, or an 8-bit CSI/OSC). @param {string} s @param {number} i @param {Style} style */
function sequence(s, i, style) {
  const short = s[i] !== ESC;
  const kind = short ? (s[i] === '\u009b' ? '[' : s[i] === '\u009d' ? ']' : '') : s[i + 1] ?? '';
  const body = short ? i + 1 : i + 2;
  if (kind === '[') {
    let j = body;
    while (j < s.length && s[j] >= '\u0020' && s[j] <= '\u003f') j += 1;
    if (s[j] === 'm') style.sgr(s.slice(body, j).split(/[;:]/).map((part) => (part === '' ? 0 : Number.parseInt(part, 10) || 0)));
    return j + 1;
  }
  if (kind === ']' || (!short && (kind === 'P' || kind === '_' || kind === '^' || kind === 'X'))) {
    let j = body;
    while (j < s.length && s[j] !== '\u0007' && s[j] !== '\u009c' && !(s[j] === ESC && s[j + 1] === '\\')) j += 1;
    if (kind === ']' && s.startsWith('8;', body)) {
      const url = s.slice(body + 2, j).replace(/^[^;]*;/, '');
      style.href = /^https?:\/\/[^\s]+$/i.test(url) ? url : '';
    }
    return s[j] === ESC ? j + 2 : j + 1;
  }
  if (short) return i + 1;
  // ESC, intermediates, one final byte: `ESC ( B` and friends.
  let j = i + 1;
  while (j < s.length && s[j] >= ' ' && s[j] <= '/') j += 1;
  return j + 1;
}

/** @param {string} line @returns {Run[]} */
export function runs(line) {
  if (isPlain(line)) return [{ text: line, cls: '', fg: '', bg: '', href: '' }];
  const s = lastSegment(line);
  const style = new Style();
  /** @type {Run[]} */
  const out = [];
  let text = '';
  const flush = () => {
    if (text) out.push(style.run(text));
    text = '';
  };
  for (let i = 0; i < s.length; ) {
    const c = s[i];
    if (!SPECIAL.test(c)) {
      text += c;
      i += 1;
    } else if (c === ESC || c === '\u009b' || c === '\u009d') {
      flush();
      i = sequence(s, i, style);
    } else {
      if (BIDI[c]) {
        flush();
        out.push({ text: `⟨${BIDI[c]}⟩`, cls: 'bidi', fg: '', bg: '', href: '' });
      }
      i += 1;
    }
  }
  flush();
  return out;
}

/** Relative luminance (WCAG 2). @param {number[]} c */
function luminance(c) {
  const [r, g, b] = c.map((v) => (v <= 10.31475 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {string} colour `rgb(r,g,b)` or `#rrggbb` @returns {number[]} */
function parts(colour) {
  if (colour[0] === '#') return [1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16));
  return (colour.match(/\d+/g) ?? ['0', '0', '0']).slice(0, 3).map(Number);
}

/** @param {string} a @param {string} b */
export function contrast(a, b) {
  const [x, y] = [luminance(parts(a)), luminance(parts(b))];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** @type {Map<string, string>} */
const fitted = new Map();

/** The colour nearest to `fg`, towards white or black, that reads on `bg` with 4.5:1. @param {string} fg @param {string} bg */
export function fit(fg, bg) {
  const key = `${fg}|${bg}`;
  const known = fitted.get(key);
  if (known) return known;
  const goal = luminance(parts(bg)) < 0.18 ? 255 : 0;
  const from = parts(fg);
  let colour = fg;
  for (let t = 0; t <= 20 && contrast(colour, bg) < 4.5; t += 1) colour = rgb(...from.map((v) => Math.round(v + ((goal - v) * t) / 20)));
  if (fitted.size > 2000) fitted.clear(); // a line may bring any number of colours
  fitted.set(key, colour);
  return colour;
}
