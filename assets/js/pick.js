/**
 * Selected lines and copying: what is copied comes from the file, not from the rows that happen to be in the document.
 */

/** @typedef {import('./store.js').Item} Item */
/** @typedef {import('./store.js').Store} Store */

const PAGE = 2000; // lines in one answer
const MOST = 64_000_000; // UTF-16 units: more than a clipboard is good for

/** @param {Item} a @param {Item} b */
export function compare(a, b) {
  return a.life - b.life || a.offset - b.offset;
}

/**
 * The lines from one item to another, both included, whole and in order.
 * @param {Store} store @param {Item} first @param {Item} last @returns {Promise<{offset: number, text: string}[]>}
 */
export async function linesBetween(store, first, last) {
  /** @type {{offset: number, text: string}[]} */
  const out = [];
  let units = 0;
  for (let life = first.life; life <= last.life; life += 1) {
    const of = store.lives[life];
    let at = life === first.life ? first.offset : of.from;
    const end = life === last.life ? last.next : of.tip;
    while (at < end) {
      const answer = await store.fetchLines({ file: store.name, at, after: PAGE, generation: of.generation });
      const lines = answer.lines.filter((line) => line.offset >= at && line.offset < end);
      if (!lines.length) break;
      for (const { offset, text } of lines) {
        out.push({ offset, text });
        units += text.length;
      }
      if (units > MOST) throw new RangeError('this is more than a clipboard can take: fetch it with curl');
      at = lines[lines.length - 1].next;
    }
  }
  return out;
}

/** Where the line is that is `by` lines from an item. @param {Store} store @param {Item} item @param {number} by */
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
