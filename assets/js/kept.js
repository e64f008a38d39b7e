/**
 * The lines of a file that a filter keeps: the same face as `Store`, so that the view need not know the difference.
 *
 * The server filters; what is remembered are spans (`spans.js`). The lives are the file's own. The newest span is the tail:
 * it grows by itself while the file grows, in steps, so that a filter that keeps one line in a million scans no byte twice.
 * Knows no DOM.
 */

import { lowerBound } from './cache.js';
import { learnName, newer, older } from './neighbours.js';
import { params } from './query.js';
import { Spans, near } from './spans.js';

/** @typedef {import('./store.js').Item} Item */
/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./api.js').LinesAnswer} LinesAnswer */
/** @typedef {import('./spans.js').Span} Span */

const TAIL_LINES = 1000; // in one step of the tail
const TAIL_MS = 150; // between two steps
const UNSEEN = 5000; // new lines that are counted while somebody reads; then the count says "or more"
const FAR = 64; // scans of 256 MiB each, at most, for one place; then the user is asked to go on

export class Kept {
  /** @param {Store} base @param {import('./query.js').Query} query @param {{grew: () => void, follows: () => boolean, failed: (error: unknown) => void}} hooks */
  constructor(base, query, hooks) {
    this.base = base;
    this.query = query;
    this.hooks = hooks;
    this.filters = params(query);
    this.name = base.name;
    this.lives = base.lives;
    this.partial = ''; // whether an unfinished line will be kept, nobody knows yet
    this.spans = new Spans();
    /** Kept lines that came since the tail began. */
    this.came = 0;
    this.seen = 0;
    /** How far the scan for a first line has come, and whether it is under way. */
    this.scanned = 0;
    this.scanning = false;
    this.closed = false;
    this.busy = false;
    this.hungry = false;
    this.timer = 0;
  }

  /** The newest span, that grows by itself. */
  get tail() { return this.spans.tail; }
  get label() { return this.base.label; }
  get life() { return this.base.life; }
  get current() { return this.base.current; }
  get size() { return this.base.size; }
  get state() { return this.base.state; }
  get received() { return this.came; }
  get skippedBytes() { return 0; }
  get receivedBytes() { return this.base.receivedBytes; }

  /** Nobody looks at it any more. */
  close() {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** @param {import('./api.js').LinesQuery} query */
  fetchLines(query) {
    return this.base.fetchLines({ ...query, filters: this.filters });
  }

  /** Lines that came since the user stopped following. */
  get fresh() {
    return { lines: this.came - this.seen, about: this.came - this.seen >= UNSEEN };
  }

  // ── from memory ────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {Item} item @param {number} n @returns {Item[]|null} */
  peekAfter(item, n) {
    const of = this.lives[item.life];
    const at = item.kind === 'note' ? item.offset : item.next;
    const span = this.spans.at(item.life, item.kind === 'note' ? at : item.offset) ?? this.spans.at(item.life, at);
    const i = span ? lowerBound(span.items, at) : 0;
    if (span && i < span.items.length) return this.weave(span.items.slice(i, i + n), item);
    if (span && span === this.tail) {
      if (span.to < of.tip) this.grow(true);
      return [];
    }
    if ((span ? span.to : at) < of.tip) return null;
    if (item.life === this.current) return [];
    return typeof of.up === 'number' ? [this.base.noteItem(of.up, this.lives[of.up].from)] : null;
  }

  /** @param {Item} item @param {number} n @returns {Item[]|null} */
  peekBefore(item, n) {
    const of = this.lives[item.life];
    if (item.kind !== 'note' && item.offset <= of.from && of.notes.has(item.offset)) return [this.base.noteItem(item.life, item.offset)];
    if (item.offset <= of.from) return this.peekOlder(item.life, n);
    const span = this.spans.at(item.life, item.offset, true);
    if (!span) return null;
    const i = lowerBound(span.items, item.offset);
    if (i > 0) return this.weave(span.items.slice(Math.max(0, i - n), i), null);
    if (span.from > of.from) return of.gone ? [] : null;
    if (of.notes.has(of.from) && item.kind !== 'note') return [this.base.noteItem(item.life, of.from)];
    return this.peekOlder(item.life, n);
  }

  /** @param {number} life @param {number} n @returns {Item[]|null} */
  peekOlder(life, n) {
    const { down } = this.lives[life];
    if (typeof down !== 'number') return down === null ? [] : null;
    const { tip, from, gone } = this.lives[down];
    if (gone) return [];
    if (tip <= from) return this.peekOlder(down, n);
    return this.peekBefore({ kind: 'note', life: down, offset: tip, next: tip, text: '' }, n);
  }

  /** @param {number} n @returns {Item[]|null} */
  peekTail(n) {
    const { tail } = this;
    if (!tail || tail.life !== this.current) return null;
    let items = this.weave(tail.items.slice(-n), null);
    while (items.length < n) {
      const first = items[0] ?? { kind: 'note', life: tail.life, offset: tail.to, next: tail.to, text: '' };
      const more = this.peekBefore(first, n - items.length);
      if (!more?.length) break;
      items = [...more, ...items];
    }
    return items;
  }

  /** Puts the notes of a life between its lines. @param {Item[]} items @param {Item|null} before */
  weave(items, before) {
    if (!items.length) return items;
    const { notes } = this.lives[items[0].life];
    if (notes.size === 0) return items;
    /** @type {Item[]} */
    const out = [];
    let last = before?.life === items[0].life ? before : null;
    for (const item of items) {
      for (const at of notes.keys()) if (last && at > last.offset && at <= item.offset) out.push(this.base.noteItem(item.life, at));
      out.push(item);
      last = item;
    }
    return out;
  }

  // ── from the server ────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {LinesAnswer} answer @param {number} life @param {'down'|'up'} side  where it grew */
  took(answer, life, side) {
    this.base.ages.learn(life, answer);
    /** @type {Item[]} */
    const items = answer.lines.map((line) => ({ kind: 'line', life, offset: line.offset, next: line.next, text: line.text, origin: line.origin, loose: true, ...(line.cut ? { cut: true } : {}) }));
    return this.spans.add({ life, from: answer.from, to: Math.max(answer.from, answer.to), items }, side);
  }

  /** @param {Item} item @param {number} n @returns {Promise<Span|null>} */
  async after(item, n) {
    await learnName(this.base, item.life);
    const life = this.lives[item.life];
    const span = this.spans.at(item.life, item.offset) ?? this.spans.at(item.life, item.next);
    const at = span ? span.to : item.next;
    if (at >= life.tip && item.life !== this.current && life.up === undefined) {
      await newer(this.base, item.life, 1);
      return null;
    }
    const answer = await this.ask({ at, after: n, generation: life.generation }, item.life);
    if (!answer) return null;
    if (answer.to <= at && !answer.more && at < life.tip) life.tip = at; // the server knows the true end
    return this.took(answer, item.life, 'down');
  }

  /** @param {Item} item @param {number} n @returns {Promise<Span|null>} */
  async before(item, n) {
    let { life, offset } = item;
    for (;;) {
      const of = this.lives[life];
      const span = this.spans.at(life, offset, true);
      const at = Math.max(of.from, span ? span.from : offset);
      if (at > of.from) {
        await learnName(this.base, life);
        const answer = await this.ask({ at, before: n, generation: of.generation }, life);
        return answer && this.took(answer, life, 'up');
      }
      if (typeof of.down !== 'number') {
        await older(this.base, life, 1);
        if (typeof of.down !== 'number') return null;
      }
      life = of.down;
      offset = this.lives[life].tip;
      if (this.lives[life].gone) return null;
    }
  }

  /** @param {{at: number|string, before?: number, after?: number, generation: string|null}} query @param {number} life @returns {Promise<LinesAnswer|null>} */
  async ask(query, life) {
    try {
      return await this.fetchLines({ file: this.name, ...query });
    } catch (error) {
      if (/** @type {{status?: number}} */ (error).status !== 410) throw error;
      this.lives[life].gone = true;
      return null;
    }
  }

  /** Kept lines around a place, or the nearest ones there are. @param {string|number} at @param {number} before @param {number} after @param {string|null} [generation] */
  async around(at, before, after, generation = this.life.generation) {
    this.scanning = true;
    try {
      const end = at === 'end';
      const any = typeof at === 'string' && at.startsWith('time:');
      const answer = await this.fetchLines({ file: this.name, at, before, after, generation: any || end ? null : generation });
      const { ages } = this.base;
      const got = answer.generation || null;
      if (got !== null && ages.known(got) === undefined && this.life.generation !== null && !end) ages.addBelow(got);
      const life = got === null ? this.current : this.base.lifeOf(got);
      let span = this.took(answer, life, 'up');
      if (end && life === this.current && span.to >= Math.min(answer.size, answer.at)) this.spans.tail = span;
      for (let i = 0; i < FAR && !span.items.length && !this.closed; i += 1) {
        this.scanned = span.to - span.from;
        this.hooks.grew();
        const last = { kind: /** @type {const} */ ('note'), life: span.life, offset: span.from, next: span.to, text: '' };
        const was = span;
        const grown = span.to < this.lives[span.life].tip && span !== this.tail ? await this.after(last, after || before) : await this.before(last, before || after);
        if (!grown) break;
        span = grown;
        if (span.life === was.life && span.to - span.from <= was.to - was.from) break;
      }
      this.scanned = span.to - span.from;
      const items = span.items.length ? this.weave(near(span.items, span.life === life ? answer.at : Infinity, before, after), null) : [];
      return { items, at: answer.at };
    } finally {
      this.scanning = false;
    }
  }

  // ── the tail ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The file may have grown: reads on where the tail ends. @param {boolean} [wanted]  somebody stands at its end */
  grow(wanted = false) {
    this.hungry ||= wanted;
    if (this.busy || this.closed || !this.tail) return;
    if (this.hooks.follows()) this.seen = this.came;
    else if (!this.hungry && this.fresh.about) return;
    const of = this.lives[this.tail.life];
    if (this.tail.to >= of.tip && (this.tail.life === this.current || typeof of.up !== 'number')) return;
    this.busy = true;
    this.hungry = false;
    this.step().catch(this.hooks.failed).finally(() => {
      this.timer = window.setTimeout(() => {
        this.busy = false;
        this.grow();
      }, TAIL_MS);
    });
  }

  async step() {
    const tail = /** @type {Span} */ (this.tail);
    const of = this.lives[tail.life];
    const before = tail.items.length;
    if (tail.to < of.tip && !of.gone) {
      const answer = await this.ask({ at: tail.to, after: TAIL_LINES, generation: of.generation }, tail.life);
      if (answer && !this.closed) {
        const { from } = tail;
        const span = this.took(answer, tail.life, 'down');
        const came = answer.lines.length;
        this.came += came;
        // More comes than is read: the newest is what somebody follows, the rest is read when somebody looks there.
        if (came >= TAIL_LINES && this.hooks.follows() && span.to < of.tip - 4_000_000) this.spans.tail = null;
        if (came || from !== span.from || before !== span.items.length) this.hooks.grew();
        return;
      }
    }
    if (typeof of.up === 'number') {
      const { from } = this.lives[of.up];
      this.spans.tail = this.spans.add({ life: of.up, from, to: from, items: [] }, 'down');
      this.hooks.grew();
    }
  }
}
