/**
 * Selected lines and copying: what is copied comes from the file, not from the rows that happen to be in the document.
 */

import { raw } from './api.js';

/** @typedef {import('./store.js').Item} Item */
/** @typedef {import('./store.js').Store | import('./kept.js').Kept} Store */

const PAGE = 2000; // lines in one answer
const MOST = 64_000_000; // UTF-16 units: more than a clipboard is good for

/** @param {Item} a @param {Item} b */
export function compare(a, b) {
  return a.life - b.life || a.offset - b.offset;
}

/**
 * The lives from one item to another: whole lives between them.
 * @param {Store} store @param {Item} first @param {Item} last @returns {{from: number, to: number, generation: string|null}[]}
 */
function parts(store, first, last) {
  const out = [];
  for (let id = first.life; ;) {
    const of = store.lives[id];
    out.push({ from: id === first.life ? first.offset : of.from, to: id === last.life ? last.next : of.tip, generation: of.generation });
    if (id === last.life || typeof of.up !== 'number') return out;
    id = of.up;
  }
}

/**
 * The bytes from one line to another, both included, as they are in the file; with a filter those of the lines it keeps.
 * @param {Store} store @param {Item} first @param {Item} last
 */
export async function bytesBetween(store, first, last) {
  let text = '';
  for (const { from, to, generation } of parts(store, first, last)) {
    /** @type {[string, string][]} */
    const query = [['from', String(from)], ['to', String(to)]];
    if (generation) query.push(['generation', generation]);
    if ('filters' in store) query.push(...store.filters);
    text += await raw(store.name, query, MOST - text.length);
  }
  return text;
}

/**
 * The lines from one item to another, both included, whole and in order.
 * @param {Store} store @param {Item} first @param {Item} last @returns {Promise<{offset: number, text: string}[]>}
 */
export async function linesBetween(store, first, last) {
  /** @type {{offset: number, text: string}[]} */
  const out = [];
  let units = 0;
  for (const { from, to: end, generation } of parts(store, first, last)) {
    let at = from;
    while (at < end) {
      const answer = await store.fetchLines({ file: store.name, at, after: PAGE, generation });
      const lines = answer.lines.filter((line) => line.offset >= at && line.offset < end);
      if (!lines.length && (!answer.more || answer.to <= at)) break;
      for (const { offset, text } of lines) {
        out.push({ offset, text });
        units += text.length;
      }
      if (units > MOST) throw new RangeError('this is more than a clipboard can take: fetch it with curl');
      at = answer.more || !lines.length ? answer.to : lines[lines.length - 1].next;
    }
  }
  return out;
}

/** Where the line is that is `by` lines from an item. @param {import('./store.js').Store} store @param {Item} item @param {number} by */
export async function offsetFrom(store, item, by) {
  const count = Math.min(PAGE, Math.abs(by) + (by < 0 ? 0 : 1));
  const items = await store.read({ file: store.name, at: item.offset, [by < 0 ? 'before' : 'after']: count, generation: store.lives[item.life].generation }, item.life);
  return items[by < 0 ? 0 : items.length - 1]?.offset ?? item.offset;
}

/** @param {string} text @returns {Promise<void>} */
export async function toClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without HTTPS, on another host than localhost, there is only the old way.
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'away';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('the browser does not let this page write to the clipboard');
  return undefined;
}

/** The lines that a native selection covers, as they were written; null if it is within one line. @param {Selection} selection @param {HTMLElement[]} rows */
export function selectedText(selection, rows) {
  if (selection.rangeCount === 0) return null;
  const range = selection.getRangeAt(0);
  const cells = rows.filter((row) => !row.classList.contains('note') && range.intersectsNode(row)).map((row) => /** @type {HTMLElement} */ (row.querySelector('.text')));
  if (cells.length < 2) return null;
  return cells.map((cell) => {
    const part = document.createRange();
    part.selectNodeContents(cell);
    if (range.compareBoundaryPoints(Range.START_TO_START, part) > 0 && cell.contains(range.startContainer)) part.setStart(range.startContainer, range.startOffset);
    if (range.compareBoundaryPoints(Range.END_TO_END, part) < 0 && cell.contains(range.endContainer)) part.setEnd(range.endContainer, range.endOffset);
    return part.toString();
  }).join('\n');
}

/** A span of lines, from where it began to where the cursor is. */
export class Pick {
  constructor() {
    /** @type {Item|null} */
    this.anchor = null;
    /** @type {Item|null} */
    this.head = null;
  }

  /** @param {Item} item */
  begin(item) {
    this.anchor = item;
    this.head = item;
  }

  drop() {
    this.anchor = null;
    this.head = null;
  }

  /** @returns {[Item, Item]|null} */
  get span() {
    if (!this.anchor || !this.head) return null;
    return compare(this.anchor, this.head) <= 0 ? [this.anchor, this.head] : [this.head, this.anchor];
  }

  /** @param {Item} item */
  has(item) {
    const { span } = this;
    return span !== null && compare(span[0], item) <= 0 && compare(item, span[1]) <= 0;
  }
}
