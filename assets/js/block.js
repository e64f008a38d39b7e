/**
 * The rows in the document and the items they show, side by side. Nodes are recycled: what one end lets go, the other
 * end gets. Invariant: `rows[i]` shows `items[i]`, and the children of the node are the rows in order, then, where the
 * last line is unfinished, one row for it.
 */

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

  /** @param {Item[]} items */
  set(items) {
    while (this.rows.length > items.length) this.release(/** @type {HTMLElement} */ (this.rows.pop()));
    items.forEach((item, i) => {
      if (i < this.rows.length) this.note(this.rows[i], item);
      else this.node.insertBefore(this.note(this.rows[i] = make(), item), this.partial);
    });
    this.items = items.slice();
  }

  /** @param {Item[]} items @param {number} drop how many rows at the top give their nodes */
  append(items, drop) {
    this.dropPartial();
    const spare = this.rows.splice(0, drop);
    this.items.splice(0, drop);
    for (const item of items) {
      const row = this.note(spare.shift() ?? make(), item);
      this.node.append(row);
      this.rows.push(row);
    }
    this.items.push(...items);
    for (const row of spare) this.release(row);
  }

  /** @param {Item[]} items @param {HTMLElement[]} [spare] */
  insert(items, spare = []) {
    const head = items.map((item) => this.note(spare.pop() ?? make(), item));
    this.node.prepend(...head);
    this.rows = [...head, ...this.rows];
    this.items = [...items, ...this.items];
    for (const row of spare) this.release(row);
  }

  /** @param {HTMLElement} row @param {Item} item */
  note(row, item) {
    if (row === document.activeElement) this.log.focus({ preventScroll: true });
    const { clock, level } = fill(row, item);
    if (clock) this.log.classList.add(clock.length > 8 ? 'has-ms' : 'has-clock');
    if (level) this.log.classList.add('has-level');
    return row;
  }

  /** @param {HTMLElement} row */
  release(row) {
    if (row === document.activeElement) this.log.focus({ preventScroll: true });
    row.remove();
  }

  /** Fills all rows again, after the look changed. */
  refill() {
    this.rows.forEach((row, i) => this.note(row, this.items[i]));
  }
}
