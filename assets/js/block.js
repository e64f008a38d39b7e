/**
 * The rows in the document and the items they show, side by side. Nodes are recycled: what one end lets go, the other
 * end gets. Invariant: `rows[i]` shows `items[i]`, and the children of the node are the rows in order, then, where the
 * last line is unfinished, one row for it.
 */

import { detail } from './detail.js';
import { group, headEnd, keyOf, shape, tailStart, ungroup } from './group.js';
import { fill, make } from './row.js';

/** @typedef {import('./store.js').Item} Item */

export class Block {
  /** @param {HTMLElement} node @param {HTMLElement} log  gets the focus of rows that go, and the classes of the columns */
  constructor(node, log) {
    this.node = node;
    this.log = log;
    /** @type {Item[]} */
    this.items = [];
    /** @type {HTMLElement[]} */
    this.rows = [];
    /** @type {HTMLElement|null} */
    this.partial = null;
    /** What is folded and opened; the view changes it with the file. */
    this.shape = shape();
    /** Further classes of a row: marked, selected. @type {(item: Item) => string} */
    this.classes = () => '';
    /** What dresses a row after it was filled. @type {((row: HTMLElement, item: Item) => void)[]} */
    this.dressers = [];
  }

  get length() {
    return this.rows.length;
  }

  get first() {
    return this.items[0];
  }

  get last() {
    return this.items[this.items.length - 1];
  }

  dropPartial() {
    this.partial?.remove();
    this.partial = null;
  }

  /** Shows the unfinished last line, or none. @param {Item|null} item */
  setPartial(item) {
    if (!item) {
      this.dropPartial();
      return;
    }
    this.partial ??= make();
    this.note(this.partial, item);
    if (this.node.lastElementChild !== this.partial) this.node.append(this.partial);
  }

  /** Takes rows off the end, for `insert` to use. @param {number} end @returns {HTMLElement[]} */
  cut(end) {
    this.items.length = end;
    return this.rows.splice(end);
  }

  /** Index of the row at `px` below the block's top. @param {number} px */
  indexAt(px) {
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.rows[middle].offsetTop <= px) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {Item[]} raw */
  set(raw) {
    const items = group(raw, this.shape);
    while (this.rows.length > items.length) this.release(/** @type {HTMLElement} */ (this.rows.pop()));
    items.forEach((item, i) => {
      if (i < this.rows.length) this.note(this.rows[i], item);
      else this.node.insertBefore(this.note(this.rows[i] = make(), item), this.partial);
    });
    this.items = items;
  }

  /** @param {Item[]} raw @param {number} drop  how many rows at the top give their nodes @param {boolean} join  the last rows may fold together with the new ones */
  append(raw, drop, join) {
    this.dropPartial();
    const spare = this.rows.splice(0, drop);
    this.items.splice(0, drop);
    let items = raw;
    if (join && headEnd(raw.slice(0, 1), this.last, this.shape)) {
      const start = tailStart(this.items, this.shape);
      items = [...ungroup(this.items.splice(start)), ...raw];
      spare.push(...this.rows.splice(start));
    }
    items = group(items, this.shape);
    for (const item of items) {
      const row = this.note(spare.shift() ?? make(), item);
      this.node.append(row);
      this.rows.push(row);
    }
    this.items.push(...items);
    for (const row of spare) this.release(row);
  }

  /** @param {Item[]} raw @param {HTMLElement[]} [spare] @param {number} [above]  how many rows of the block may fold into the new ones */
  insert(raw, spare = [], above = 0) {
    const lead = Math.min(above, headEnd(this.items.slice(0, above), raw[raw.length - 1], this.shape));
    const items = group([...raw, ...ungroup(this.items.splice(0, lead))], this.shape);
    spare.push(...this.rows.splice(0, lead));
    const head = items.map((item) => this.note(spare.pop() ?? make(), item));
    this.node.prepend(...head);
    this.rows = [...head, ...this.rows];
    this.items = [...items, ...this.items];
    for (const row of spare) this.release(row);
  }

  /** Folds or unfolds the group of a row. @param {number} index @returns {boolean} whether there was one */
  toggleFold(index) {
    while (index > 0 && !this.items[index].why && headEnd([this.items[index]], this.items[index - 1], this.shape)) index -= 1;
    const item = this.items[index];
    if (!item?.why) return false;
    const count = 1 + (item.spread ?? 0);
    if (item.under) this.shape.open.add(keyOf(item));
    else this.shape.open.delete(keyOf(item));
    const raw = ungroup(this.items.slice(index, index + count));
    const items = group(raw, this.shape);
    const rows = items.map((_, i) => this.rows[index + i] ?? make()).map((row, i) => (i < count ? row : make()));
    this.rows.splice(index, count).slice(items.length).forEach((row) => this.release(row));
    const before = this.rows[index] ?? this.partial;
    items.forEach((it, i) => this.node.insertBefore(this.note(rows[i], it), before));
    this.rows.splice(index, 0, ...rows);
    this.items.splice(index, count, ...items);
    return true;
  }

  /** Groups all rows anew, after what is folded changed. */
  regroup() {
    this.set(ungroup(this.items));
  }

  /** @param {HTMLElement} row @param {Item} item */
  note(row, item) {
    const same = row.dataset.offset === String(item.offset) && row.dataset.life === String(item.life);
    if (!same && row === document.activeElement) this.log.focus({ preventScroll: true });
    const { clock, level } = fill(row, item);
    if (clock) this.log.classList.add(clock.length > 8 ? 'has-ms' : 'has-clock');
    if (level) this.log.classList.add('has-level');
    if (item.kind === 'line') for (const dress of this.dressers) dress(row, item);
    if (this.shape.details.size && this.shape.details.has(keyOf(item)) && item.kind === 'line') {
      row.classList.add('open');
      row.append(detail(item));
    }
    const extra = this.classes(item);
    if (extra) row.classList.add(...extra.split(' '));
    return row;
  }

  /** @param {HTMLElement} row */
  release(row) {
    if (row === document.activeElement) this.log.focus({ preventScroll: true });
    row.remove();
  }

  /** Puts the further classes on all rows anew. */
  decorate() {
    this.rows.forEach((row, i) => {
      const has = this.classes(this.items[i]).split(' ');
      for (const name of ['sel', 'marked', 'found']) row.classList.toggle(name, has.includes(name));
    });
  }

  /** Fills all rows again, after the look changed. */
  refill() {
    this.rows.forEach((row, i) => this.note(row, this.items[i]));
  }
}
