/**
 * One file as the page knows it: its lives, a bounded cache of its lines, and how to get the rest.
 *
 * The file is the buffer; this is a lens. Invariant: what `after`, `before` and `tail` give is contiguous: each item
 * begins where the one before ended, or a note stands between them. A batch with a hole therefore starts a new chunk,
 * and the hole is read by range when somebody looks there. Knows no DOM.
 *
 * Order of items: lines of a life, a note, lines of the next life … A life is one generation; the older ones, from rotated
 * files, are met when somebody scrolls back to them.
 */

import { Cache, lowerBound } from './cache.js';
import { Lives } from './lives.js';
import { learnName, newer, older } from './neighbours.js';

const STEP = 40; // lines of an answer from one whose number is kept to the next

/** @typedef {import('./api.js').LinesAnswer} LinesAnswer */
/** @typedef {import('./api.js').LinesQuery} LinesQuery */
/**
 * @typedef {object} Item
 * @property {'line'|'note'|'partial'} kind
 * @property {number} life    number of its life
 * @property {number} offset
 * @property {number} next    where the next item begins
 * @property {string} text
 * @property {boolean} [loose] lines before it were left out by a filter: it belongs to nothing above
 * @property {boolean} [cut]  longer than the server's limit: only its head is here
 * @property {Item[]} [under]  lines folded into this one (`group.js`); `next` is then the end of the last
 * @property {number} [spread] lines that belong to this one and are shown
 * @property {'trace'|'repeat'} [why]
 * @property {number} [own]    where this line itself ends
 * @property {string} [origin] in a stream of many hosts and files: `HOST:PATH` of the line
 * @property {string} [file]   in the merged view: whose line it is
 * @property {Item} [of]       in the merged view: the line in its file
 */
export class Store {
  /** @param {string} name @param {(query: LinesQuery) => Promise<LinesAnswer>} fetchLines */
  constructor(name, fetchLines) {
    this.name = name;
    this.label = name; // as people are told; shorter where that is clear
    this.fetchLines = fetchLines;
    this.ages = new Lives();
    this.lives = this.ages.all;
    this.cache = new Cache();
    this.size = 0;
    /** How far the server's index has come, and how many lines there are once it is through. */
    this.indexed = 0;
    /** @type {number|null} */
    this.lines = null;
    this.state = 'following';
    this.partial = '';
    /** Words for a file that came back after it was gone: if it is another one, they stand above its lines. */
    this.back = '';
    /** Lines received, and bytes that came without being sent as lines: the pill counts with them. */
    this.received = 0;
    this.skippedBytes = 0;
    this.receivedBytes = 0;
  }

  get life() {
    return this.ages.newest;
  }

  get current() {
    return this.ages.current;
  }

  /** What `hello`, `tick` and `api/files` say. @param {import('./api.js').FileInfo} info @param {boolean} first */
  meet(info, first) {
    this.state = info.state;
    const life = this.life;
    if (first) life.from = info.from ?? 0;
    if (life.generation === null) this.ages.name(this.current, info.generation); // it is known once the first line is whole
    if (life.generation !== info.generation && info.generation !== null) return; // a notice will tell
    life.tip = Math.max(life.tip, info.tip);
    this.indexed = info.indexed ?? 0;
    this.lines = info.lines ?? null;
    if (this.lines !== null) this.ages.number(this.current, info.tip, this.lines + 1);
    this.size = Math.max(info.size, life.tip);
  }

  /** Goes on at the end of a file that nothing was heard of for a while. @param {import('./api.js').FileInfo} info */
  async skipTo({ generation, tip }) {
    const { life } = this;
    if (life.generation === null || generation === null || generation === life.generation) {
      this.skippedBytes += Math.max(0, tip - life.tip);
      life.heard = Math.max(life.heard, tip);
      return;
    }
    // How far the old one went, for as long as the server has it.
    const { size } = await this.fetchLines({ file: this.name, at: 'end', before: 1, generation: life.generation }).catch(() => ({ size: life.tip }));
    life.tip = Math.max(life.tip, size);
    if (this.life === life) this.begin(generation, this.back || `${this.label} was rotated`);
  }

  /** @param {{generation?: string|null, from: number, to: number, skip: number, offsets: number[], lines: string[], origins?: [number, string][]}} batch @param {boolean} keep false while nobody looks */
  batch(batch, keep) {
    let life = batch.generation === undefined ? this.lifeAt(batch.from) : this.lifeOf(batch.generation);
    if (life === this.current) {
      // From the start once more, after it was away: another file with the same first line.
      const { heard, tip, generation } = this.life;
      if (this.back && batch.from === 0 && (heard < 0 ? tip : heard) > 0) life = this.begin(generation, this.back);
      this.back = '';
    }
    const of = this.lives[life];
    of.heard = batch.to;
    const sentFrom = batch.from + batch.skip;
    of.tip = Math.max(of.tip, batch.to);
    if (life === this.current) this.size = Math.max(this.size, of.tip);
    this.partial = '';
    this.received += batch.lines.length;
    this.skippedBytes += batch.skip;
    this.receivedBytes += batch.to - sentFrom;
    if (!keep || batch.lines.length === 0) return;
    /** @type {Item[]} */
    const items = batch.lines.map((text, i) => ({ kind: 'line', life, offset: batch.offsets[i], next: batch.offsets[i + 1] ?? batch.to, text, origin: batch.origins?.findLast(([first]) => first <= i)?.[1] || undefined }));
    this.cache.keep(life, sentFrom, batch.to, items, true);
  }

  /** The life a generation belongs to; an unknown one begins a new life. @param {string|null} generation */
  lifeOf(generation) {
    if (this.life.generation === null && generation !== null && this.life.tip <= this.life.from) this.ages.name(this.current, generation);
    return this.ages.known(generation) ?? this.begin(generation, this.back || `${this.label} is another file now`);
  }

  /** The life that a batch without a generation goes on with: late lines of an old one begin where it was left. @param {number} from */
  lifeAt(from) {
    const id = this.ages.ids.find((life) => this.lives[life].heard === from);
    if (id !== undefined) return id;
    return this.back ? this.begin(null, this.back) : this.current;
  }

  /** Begins a new life, behind a note that says why. @param {string|null} generation @param {string} words */
  begin(generation, words) {
    this.ages.begin(generation, words);
    this.size = 0;
    this.lines = null;
    this.partial = '';
    this.back = '';
    return this.current;
  }

  get divider() {
    return `${this.label} was rotated here`;
  }

  /** A note where the stream stands now. @param {string} words */
  note(words) {
    const { notes, tip, heard } = this.life;
    const at = heard >= 0 ? heard : tip; // the tip may be known further on than lines were received
    const there = notes.get(at);
    notes.set(at, there ? `${there} · ${words}` : words);
  }

  /** Puts the notes of a life between its lines. @param {Item[]} items */
  weave(items) {
    const notes = items.length ? this.lives[items[0].life].notes : null;
    if (!notes || notes.size === 0) return items;
    return items.flatMap((item, i) => (i > 0 && notes.has(item.offset) ? [this.noteItem(item.life, item.offset), item] : [item]));
  }

  /** @param {number} life @param {number} offset @returns {Item} */
  noteItem(life, offset) {
    return { kind: 'note', life, offset, next: offset, text: this.lives[life].notes.get(offset) ?? '' };
  }

  /**
   * What follows an item, from the cache: `[]` at the end, null when it has to be read.
   * @param {Item} item @param {number} n @returns {Item[]|null}
   */
  peekAfter(item, n) {
    const life = this.lives[item.life];
    if (item.kind === 'line' && life.notes.has(item.next) && item.next > life.from) return [this.noteItem(item.life, item.next)];
    if (item.next >= life.tip) {
      if (item.life === this.current) return [];
      return typeof life.up === 'number' ? [this.noteItem(life.up, this.lives[life.up].from)] : null;
    }
    const chunk = this.cache.find((c) => c.life === item.life && c.from <= item.next && item.next < c.to);
    if (!chunk) return null;
    const i = lowerBound(chunk.items, item.next);
    if (i >= chunk.items.length || chunk.items[i].offset !== item.next) return null;
    return this.weave(chunk.items.slice(i, i + n));
  }

  /** What stands before an item: `[]` at the start, null when it has to be read. @param {Item} item @param {number} n @returns {Item[]|null} */
  peekBefore(item, n) {
    const life = this.lives[item.life];
    if (item.kind !== 'note' && life.notes.has(item.offset)) return [this.noteItem(item.life, item.offset)];
    if (item.offset <= life.from) {
      if (typeof life.down !== 'number') return life.down === null ? [] : null;
      const before = this.lives[life.down];
      if (before.gone || before.tip <= before.from) return before.down === null ? [] : [this.noteItem(life.down, before.from)];
      return this.peekBefore({ kind: 'note', life: life.down, offset: before.tip, next: before.tip, text: '' }, n);
    }
    if (life.gone) return [];
    const chunk = this.cache.find((c) => c.life === item.life && c.from < item.offset && item.offset <= c.to);
    if (!chunk) return null;
    const i = lowerBound(chunk.items, item.offset);
    if (i === 0 || chunk.items[i - 1].next !== item.offset) return null;
    return this.weave(chunk.items.slice(Math.max(0, i - n), i));
  }

  /** The newest lines without a hole, from the cache; null when the cache does not reach the tip. @param {number} n @returns {Item[]|null} */
  peekTail(n) {
    const { tip } = this.life;
    const chunk = this.cache.find((c) => c.life === this.current && c.to === tip && c.items.length > 0);
    if (!chunk) return null;
    let items = chunk.items.slice(-n);
    while (items.length < n) {
      const more = this.peekBefore(items[0], n - items.length);
      if (!more || more.length === 0) break;
      items = [...more, ...items];
    }
    return items;
  }

  /** @param {Item} item @param {number} n @returns {Promise<Item[]>} */
  async after(item, n) {
    await learnName(this, item.life);
    const life = this.lives[item.life];
    const got = await this.read({ file: this.name, at: item.next, after: n, generation: life.generation }, item.life);
    if (got.length === 0 && item.next < life.tip) life.tip = item.next; // the server knows the true end
    if (got.length === 0 && item.life !== this.current && life.up === undefined) await newer(this, item.life, n);
    return this.weave(got);
  }

  /** @param {Item} item @param {number} n @returns {Promise<Item[]>} */
  async before(item, n) {
    let { life, offset } = item;
    if (offset <= this.lives[life].from) {
      const { down } = this.lives[life];
      if (typeof down !== 'number') return older(this, life, n);
      life = down;
      offset = this.lives[life].tip;
    }
    await learnName(this, life);
    const got = await this.read({ file: this.name, at: offset, before: n, generation: this.lives[life].generation }, life);
    if (got.length === 0) this.lives[life].from = offset;
    return this.weave(got);
  }

  /** Lines around a place, of the current life unless another is named. @param {string|number} at @param {number} before @param {number} after @param {string|null} [generation] */
  async around(at, before, after, generation = this.life.generation) {
    const life = this.current;
    // A time is looked for in all generations.
    const any = typeof at === 'string' && at.startsWith('time:');
    const query = { file: this.name, at, before, after, generation: any ? null : generation };
    const answer = await this.fetchLines(query).catch((error) => {
      // The generation may have turned since: what is there now is the better answer for the end.
      if (error.status === 410 && at === 'end') return this.fetchLines({ ...query, generation: null });
      throw error;
    });
    const got = answer.generation || null;
    if (got !== null && (any || got === generation) && this.life.generation !== null && this.ages.known(got) === undefined) this.ages.addBelow(got);
    const of = this.lifeOf(got);
    return { items: this.weave(this.took(answer, got === null ? life : of)), at: answer.at };
  }

  /** @param {LinesQuery} query @param {number} life */
  async read(query, life) {
    try {
      return this.took(await this.fetchLines(query), life);
    } catch (error) {
      if (/** @type {{status?: number}} */ (error).status !== 410) throw error;
      this.lives[life].gone = true;
      return [];
    }
  }

  /** @param {LinesAnswer} answer @param {number} life */
  took(answer, life) {
    /** @type {Item[]} */
    const items = answer.lines.map((line) => ({ kind: 'line', life, offset: line.offset, next: line.next, text: line.text, origin: line.origin, ...(line.cut ? { cut: true } : {}) }));
    const of = this.lives[life];
    this.ages.learn(life, answer);
    // Whatever part of them is drawn, one of its lines has a number, and with it all have.
    if (answer.line) for (let i = STEP; i < items.length; i += STEP) this.ages.number(life, items[i].offset, answer.line + i);
    if (life === this.current) {
      this.size = Math.max(this.size, of.tip);
      this.partial = answer.partial ?? (answer.to >= of.tip ? '' : this.partial);
    }
    if (items.length) this.cache.keep(life, items[0].offset, items[items.length - 1].next, items, false);
    return items;
  }
}
