/**
 * Fields as columns: which fields of a file are pinned, in which order, and which are hidden. Kept in the browser for each
 * file. A line is parsed only where a choice was made. Display only: copying and filters see the line as it was written.
 */

import { fieldsOf } from './fields.js';
import { plain } from './group.js';

/** @typedef {{pinned: string[], hidden: string[]}} Choice */

const KEY = 'logcast-columns';
const FILES = 100; // remembered; the oldest goes
const FIELDS = 40; // pinned or hidden of one file
const WIDEST = 28; // ch
const MESSAGE = new Set(['msg', 'message', 'text', 'event']);
const KNOWN = new Set(['time', 'ts', 'timestamp', '@timestamp', 'level', 'lvl', 'severity']); // what the own columns show

/** @returns {[string, Choice][]} */
function stored() {
  try {
    const all = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(all) ? all : [];
  } catch {
    return [];
  }
}

export class Columns {
  constructor() {
    this.all = new Map(stored());
    /** False shows lines as they were written. */
    this.on = true;
    /** @type {Map<string, number>} the widest value seen of a pinned field, ch */
    this.widths = new Map();
    this.wider = false;
  }

  /** @param {string} file @returns {Choice} */
  of(file) {
    const { pinned = [], hidden = [] } = this.all.get(file) ?? {};
    return { pinned, hidden };
  }

  /** @param {string} file */
  has(file) {
    const choice = this.all.get(file);
    return this.on && choice !== undefined && choice.pinned.length + choice.hidden.length > 0;
  }

  /** @param {string} file @param {Choice} choice */
  set(file, { pinned, hidden }) {
    this.all.delete(file);
    if (pinned.length + hidden.length) this.all.set(file, { pinned: pinned.slice(0, FIELDS), hidden: hidden.slice(0, FIELDS) });
    while (this.all.size > FILES) this.all.delete(/** @type {string} */ (this.all.keys().next().value));
    this.widths.clear();
    try {
      localStorage.setItem(KEY, JSON.stringify([...this.all]));
    } catch {
      // Refused by the browser: the choice lasts as long as the page.
    }
  }

  /** @param {string} file @param {string} field @param {'pinned'|'hidden'} as @returns {boolean} whether it is now */
  toggle(file, field, as) {
    const choice = this.of(file);
    const other = as === 'pinned' ? 'hidden' : 'pinned';
    const was = choice[as].includes(field);
    choice[as] = was ? choice[as].filter((name) => name !== field) : [...choice[as], field];
    choice[other] = choice[other].filter((name) => name !== field);
    this.set(file, choice);
    return !was;
  }

  /** Moves a pinned field. @param {string} file @param {string} field @param {number} by */
  move(file, field, by) {
    const { pinned, hidden } = this.of(file);
    const from = pinned.indexOf(field);
    const to = from + by;
    if (from < 0 || to < 0 || to >= pinned.length) return;
    pinned.splice(to, 0, ...pinned.splice(from, 1));
    this.set(file, { pinned, hidden });
  }

  /** Puts the fields of a line in columns. @param {string} file @param {HTMLElement} row @param {string} line */
  dress(file, row, line) {
    if (!this.has(file)) return;
    const found = line.length < 20_000 ? fieldsOf(plain(line)) : null;
    if (!found) return;
    const { pinned, hidden } = this.of(file);
    const fields = new Map(found.fields);
    /** @type {Node[]} */
    const out = pinned.map((name) => this.cell(name, fields.get(name)));
    for (const [name, value] of found.fields) if (MESSAGE.has(name) && !pinned.includes(name) && !hidden.includes(name)) out.push(span('message', value), text(' '));
    for (const [name, value] of found.fields) {
      if (MESSAGE.has(name) || KNOWN.has(name) || pinned.includes(name) || hidden.includes(name)) continue;
      out.push(span('v-key', name), text('='), text(`${value} `));
    }
    row.querySelector('.text')?.replaceChildren(...out);
  }

  /** @param {string} name @param {string|undefined} value */
  cell(name, value) {
    const cell = span('column', value ?? '');
    cell.title = `${name}: ${value ?? 'not in this line'}`;
    const width = Math.min(WIDEST, (value ?? '').length);
    if (width > (this.widths.get(name) ?? 4)) {
      this.widths.set(name, width);
      this.wider = true;
    }
    cell.style.width = `${(this.widths.get(name) ?? 4) + 2}ch`;
    return cell;
  }

  /** Whether a column grew since the last look: the rows above it have to follow. */
  grew() {
    const { wider } = this;
    this.wider = false;
    return wider;
  }
}

/** @param {string} words */
function text(words) {
  return document.createTextNode(words);
}

/** @param {string} cls @param {string} words */
function span(cls, words) {
  const node = document.createElement('span');
  node.className = cls;
  node.textContent = words;
  return node;
}
