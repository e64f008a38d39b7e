/**
 * Several files as one, ordered by time: what the list asks of a store, answered out of the stores of the files
 * (`weave.js` has the order). Knows no DOM.
 */

import { PAGE, Weave, placeAt, timeOf } from './weave.js';

/** @typedef {import('./store.js').Item} Item */
/** @typedef {import('./weave.js').Store} Store */
/** @typedef {import('./weave.js').Step} Step */

const LOOK_BACK = 3000; // items, for where the quiet files are

export class Merged extends Weave {
  /** @param {string} name @param {Store[]} stores @param {() => void} wake  something that was held back may be shown */
  constructor(name, stores, wake) {
    super(stores, wake);
    this.name = name;
    this.label = 'Merged';
    this.partial = '';
  }

  // ── what people are told ───────────────────────────────────────────────────────────────────────────────────────

  get stores() {
    return this.parts.map(({ store }) => store);
  }

  get lives() {
    return [this.life];
  }

  get current() {
    return 0;
  }

  /** The window as a life: what lies beyond it may be read. */
  get life() {
    const some = this.stores.some(({ life, current }) => life.tip > life.from || current > 0);
    return { generation: null, from: this.first, tip: Math.max(this.first + this.items.length, this.first + (some ? 1 : 0)), heard: -1, gone: false, notes: new Map() };
  }

  get size() {
    return sum(this.stores, ({ size }) => size);
  }

  get received() {
    return sum(this.stores, ({ received }) => received);
  }

  get skippedBytes() {
    return sum(this.stores, ({ skippedBytes }) => skippedBytes);
  }

  get receivedBytes() {
    return sum(this.stores, ({ receivedBytes }) => receivedBytes);
  }

  get state() {
    const states = this.stores.map(({ state }) => state);
    return states.includes('following') ? 'following' : states[0] ?? 'waiting';
  }

  /** Where an item is in all the bytes. @param {Item|null} item */
  reach(item) {
    const tip = sum(this.stores, ({ life }) => life.tip - life.from);
    if (!item) return { from: 0, at: tip, tip };
    // Of each file the part up to its last line before the item.
    /** @type {Map<string, Item>} */
    const places = new Map();
    const index = Math.min(item.offset - this.first, this.items.length - 1);
    for (let i = index; i >= 0 && i > index - LOOK_BACK && places.size < this.parts.length; i -= 1) {
      const { file, of } = this.items[i];
      if (!places.has(file)) places.set(file, of);
    }
    const at = sum(this.parts, ({ store, start }) => {
      const { life, offset } = places.get(store.name) ?? start;
      return life === store.current ? Math.max(0, offset - store.life.from) : 0;
    });
    return { from: 0, at: Math.min(at, tip), tip };
  }

  /** The lines from one item to another, both included. @param {Item} first @param {Item} last */
  between(first, last) {
    return this.items.slice(Math.max(0, first.offset - this.first), Math.max(0, last.next - this.first))
      .filter(({ kind }) => kind === 'line').map(({ file, of, text }) => ({ file, offset: of.offset, text }));
  }

  // ── what the list asks for ─────────────────────────────────────────────────────────────────────────────────────

  /** @param {Item} item @param {number} n @returns {Item[]|null} */
  peekAfter(item, n) {
    const index = item.next - this.first;
    if (index < 0 || index > this.items.length) return null;
    /** @type {Step} */
    let step = 'item';
    while (step === 'item' && this.items.length - (item.next - this.first) < n) step = this.down();
    const from = item.next - this.first;
    const found = this.items.slice(from, from + n);
    return found.length || step !== 'read' ? found : null;
  }

  /** @param {Item} item @param {number} n @returns {Item[]|null} */
  peekBefore(item, n) {
    if (item.offset < this.first || item.offset > this.first + this.items.length) return null;
    /** @type {Step} */
    let step = 'item';
    while (step === 'item' && item.offset - this.first < n) step = this.up();
    const to = item.offset - this.first;
    const found = this.items.slice(Math.max(0, to - n), to);
    return found.length || step !== 'read' ? found : null;
  }

  /** The newest lines; null where they have to be read. @param {number} n @returns {Item[]|null} */
  peekTail(n) {
    /** @type {Step} */
    let step = 'item';
    for (let i = 0; step === 'item' && i < 2000; i += 1) step = this.down();
    if (step === 'read' || step === 'item') this.begin(this.parts.map(({ store }) => placeAt(store.current, store.life.tip)));
    step = 'item';
    while (step === 'item' && this.items.length < n) step = this.up();
    return this.items.length ? this.items.slice(-n) : step === 'read' ? null : [];
  }

  /** @param {Item} item @param {number} n @returns {Promise<Item[]>} */
  async after(item, n) {
    for (let i = 0; i < 4 && this.peekAfter(item, n) === null; i += 1) await this.read('down');
    return this.peekAfter(item, n) ?? [];
  }

  /** @param {Item} item @param {number} n @returns {Promise<Item[]>} */
  async before(item, n) {
    for (let i = 0; i < 4 && this.peekBefore(item, n) === null; i += 1) await this.read('up');
    return this.peekBefore(item, n) ?? [];
  }

  /** @param {string|number} where `end`, a number of the window, `time:…`, `50%` @param {number} before @param {number} after @returns {Promise<{items: Item[], at: number}>} */
  async around(where, before, after) {
    const inside = typeof where === 'number' && where >= this.first && where < this.first + this.items.length;
    // Apart, until all is read: meanwhile the window goes on for those who look at it.
    const weave = inside ? this : new Weave(this.stores, this.wake, this.first);
    if (!inside) weave.begin(await this.places(where));
    const middle = inside ? Number(where) : weave.first;
    await weave.grow(middle, before, after);
    if (weave !== this) {
      weave.parts.forEach((part, i) => { part.came = this.parts[i].came; });
      this.items = weave.items;
      this.first = weave.first;
      this.parts = weave.parts;
    }
    const from = Math.max(0, middle - before - this.first);
    return { items: this.items.slice(from, middle - this.first + Math.max(after, 1)), at: middle };
  }

  /** Where each file is entered. @param {string|number} where @returns {Promise<Item[]>} */
  async places(where) {
    if (where === 'end') return Promise.all(this.parts.map(async ({ store }) => {
      if (store.life.tip > store.life.from && store.peekTail(1) === null) await store.around('end', PAGE, 0);
      return placeAt(store.current, store.life.tip);
    }));
    let time = typeof where === 'string' && where.startsWith('time:') ? where : '';
    const share = /^([\d.]+)%$/.exec(String(where));
    if (share) {
      // The largest file tells the time for all.
      const [big] = [...this.stores].sort((a, b) => b.life.tip - a.life.tip);
      const got = await big.around(where, 0, 60);
      const ms = got.items.map((item) => timeOf(item)).find((found) => found !== null) ?? null;
      if (ms === null) return Promise.all(this.parts.map(async ({ store }) => place(store, await store.around(where, 1, 1))));
      time = `time:${new Date(ms).toISOString()}`;
    }
    if (time) return Promise.all(this.parts.map(async ({ store }) => place(store, await store.around(time, 1, PAGE, null))));
    return Promise.all(this.parts.map(async ({ store }) => placeAt(store.current, store.life.from)));
  }
}

/** @param {Store} store @param {{items: Item[], at: number}} got */
function place(store, got) {
  const item = got.items.find(({ offset, kind }) => kind === 'line' && offset >= got.at) ?? got.items[got.items.length - 1];
  return placeAt(item?.life ?? store.current, got.at);
}

/** @template T @param {T[]} all @param {(one: T) => number} of */
function sum(all, of) {
  return all.reduce((total, one) => total + of(one), 0);
}
