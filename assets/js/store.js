/**
 * One file as the page knows it: its lives, a bounded cache of its lines, and how to get the rest.
 *
 * The file is the buffer; this is a lens. Invariant: what `after`, `before` and `tail` give is contiguous: each item
 * begins where the one before ended, or a note stands between them. A batch with a hole therefore starts a new chunk,
 * and the hole is read by range when somebody looks there. Knows no DOM.
 *
 * Order of items: lines of the first life, a note, lines of the next life … A life is one generation.
 */

/** @typedef {import('./api.js').LinesAnswer} LinesAnswer */
/** @typedef {import('./api.js').LinesQuery} LinesQuery */
/**
 * @typedef {object} Item
 * @property {'line'|'note'|'partial'} kind
 * @property {number} life    index into `lives`
 * @property {number} offset
 * @property {number} next    where the next item begins
 * @property {string} text
 * @property {boolean} [cut]  longer than the server's limit: only its head is here
 * @property {Item[]} [under]  lines folded into this one (`group.js`); `next` is then the end of the last
 * @property {number} [spread] lines that belong to this one and are shown
 * @property {'trace'|'repeat'} [why]
 * @property {number} [own]    where this line itself ends
 * @property {string} [file]   in the merged view: whose line it is
 * @property {Item} [of]       in the merged view: the line in its file
 */
/** @typedef {{life: number, from: number, to: number, items: Item[], size: number, live: boolean}} Chunk */
/** @typedef {{generation: string|null, from: number, tip: number, heard: number, gone: boolean, notes: Map<number, string>}} Life  `heard`: where the last batch ended */

export const CHUNKS = 64; // about 32,000 lines: enough to scroll a while without a request
const CHUNK_UNITS = 16_000_000; // UTF-16 units of text in all: 32 MB
const CHUNK_LINES = 500; // a live chunk is closed at this length, so that old ones can be let go

export class Store {
  /** @param {string} name @param {(query: LinesQuery) => Promise<LinesAnswer>} fetchLines */
  constructor(name, fetchLines) {
    this.name = name;
    this.label = name; // as people are told; shorter where that is clear
    this.fetchLines = fetchLines;
    /** @type {Life[]} */
    this.lives = [{ generation: null, from: 0, tip: 0, heard: -1, gone: false, notes: new Map() }];
    /** @type {Chunk[]} least recently used first */
    this.chunks = [];
    this.size = 0;
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
    return this.lives[this.lives.length - 1];
  }

  get current() {
    return this.lives.length - 1;
  }

  /** What `hello`, `tick` and `api/files` say. @param {import('./api.js').FileInfo} info @param {boolean} first */
  meet(info, first) {
    this.state = info.state;
    const life = this.life;
    if (first) life.from = info.from ?? 0;
    life.generation ??= info.generation; // it is known once the first line is whole
    if (life.generation !== info.generation && info.generation !== null) return; // a notice will tell
    life.tip = Math.max(life.tip, info.tip);
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

  /** @param {{generation?: string|null, from: number, to: number, skip: number, offsets: number[], lines: string[]}} batch @param {boolean} keep false while nobody looks */
  batch(batch, keep) {
    const life = batch.generation === undefined ? this.lifeAt(batch.from) : this.lifeOf(batch.generation);
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
    const items = batch.lines.map((text, i) => ({ kind: 'line', life, offset: batch.offsets[i], next: batch.offsets[i + 1] ?? batch.to, text }));
    this.keep(life, sentFrom, batch.to, items, true);
  }

  /** The life a generation belongs to; an unknown one begins a new life. @param {string|null} generation */
  lifeOf(generation) {
    if (this.life.generation === null && generation !== null && this.life.tip <= this.life.from) this.life.generation = generation;
    for (let i = this.current; i >= 0; i -= 1) if (this.lives[i].generation === generation) return i;
    return this.begin(generation, this.back || `${this.label} is another file now`);
  }

  /** The life that a batch without a generation goes on with: late lines of an old one begin where it was left. @param {number} from */
  lifeAt(from) {
    const i = this.lives.findLastIndex((life) => life.heard === from);
    if (i >= 0) return i;
    return this.back ? this.begin(null, this.back) : this.current;
  }

  /** Begins a new life, behind a note that says why. @param {string|null} generation @param {string} words */
  begin(generation, words) {
    this.lives.push({ generation, from: 0, tip: 0, heard: 0, gone: false, notes: new Map([[0, words]]) });
    this.size = 0;
    this.partial = '';
    this.back = '';
    return this.current;
  }

  /**
   * Puts an older generation, which a link names, before the ones that are known. Its end is where its file ends.
   * @param {string} generation @param {number} tip
   */
  adopt(generation, tip) {
    this.lives.unshift({ generation, from: 0, tip, heard: -1, gone: false, notes: new Map() });
    const { notes, from } = this.lives[1];
    if (!notes.has(from)) notes.set(from, `${this.label} begins anew here`);
    for (const chunk of this.chunks) {
      chunk.life += 1;
      for (const item of chunk.items) item.life += 1;
    }
  }

  /** A note where the stream stands now. @param {string} words */
  note(words) {
    const { notes, tip, heard } = this.life;
    const at = heard >= 0 ? heard : tip; // the tip may be known further on than lines were received
    const there = notes.get(at);
    notes.set(at, there ? `${there} · ${words}` : words);
  }

  /** @param {number} life @param {number} from @param {number} to @param {Item[]} items @param {boolean} live */
  keep(life, from, to, items, live) {
    const size = items.reduce((sum, item) => sum + item.text.length, 0);
    const last = this.chunks[this.chunks.length - 1];
    const open = live ? this.chunks.findLast((chunk) => chunk.live && chunk.life === life) ?? last : undefined;
    if (open && open.live && open.life === life && open.to === from && open.items.length + items.length <= CHUNK_LINES) {
      open.items.push(...items);
      open.to = to;
      open.size += size;
    } else {
      this.chunks.push({ life, from, to, items, size, live });
    }
    let all = this.chunks.reduce((sum, chunk) => sum + chunk.size, 0);
    while (this.chunks.length > 1 && (this.chunks.length > CHUNKS || all > CHUNK_UNITS)) all -= this.chunks.shift()?.size ?? 0;
  }

  /** Forgets all cached lines, not the lives. */
  forget() {
    this.chunks = [];
  }

  /** @param {(chunk: Chunk) => boolean} test */
  find(test) {
    const i = this.chunks.findLastIndex(test);
    if (i < 0) return null;
    const [chunk] = this.chunks.splice(i, 1);
    this.chunks.push(chunk);
    return chunk;
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
      const next = this.lives[item.life + 1];
      return next ? [this.noteItem(item.life + 1, next.from)] : [];
    }
    const chunk = this.find((c) => c.life === item.life && c.from <= item.next && item.next < c.to);
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
      if (item.life === 0) return [];
      const older = item.life - 1;
      const before = this.lives[older];
      if (before.gone || before.tip <= before.from) return older === 0 ? [] : [this.noteItem(older, before.from)];
      return this.peekBefore({ kind: 'note', life: older, offset: before.tip, next: before.tip, text: '' }, n);
    }
    if (life.gone) return [];
    const chunk = this.find((c) => c.life === item.life && c.from < item.offset && item.offset <= c.to);
    if (!chunk) return null;
    const i = lowerBound(chunk.items, item.offset);
    if (i === 0 || chunk.items[i - 1].next !== item.offset) return null;
    return this.weave(chunk.items.slice(Math.max(0, i - n), i));
  }

  /** The newest lines without a hole, from the cache; null when the cache does not reach the tip. @param {number} n @returns {Item[]|null} */
  peekTail(n) {
    const { tip } = this.life;
    const chunk = this.find((c) => c.life === this.current && c.to === tip && c.items.length > 0);
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
    const life = this.lives[item.life];
    const got = await this.read({ file: this.name, at: item.next, after: n, generation: life.generation }, item.life);
    if (got.length === 0 && item.next < life.tip) life.tip = item.next; // the server knows the true end
    return this.weave(got);
  }

  /** @param {Item} item @param {number} n @returns {Promise<Item[]>} */
  async before(item, n) {
    let { life, offset } = item;
    if (offset <= this.lives[life].from && life > 0) {
      life -= 1;
      offset = this.lives[life].tip;
    }
    const got = await this.read({ file: this.name, at: offset, before: n, generation: this.lives[life].generation }, life);
    if (got.length === 0) this.lives[life].from = offset;
    return this.weave(got);
  }

  /** Lines around a place, of the current life unless another is named. @param {string|number} at @param {number} before @param {number} after @param {string|null} [generation] */
  async around(at, before, after, generation = this.life.generation) {
    const life = this.current;
    const query = { file: this.name, at, before, after, generation };
    const answer = await this.fetchLines(query).catch((error) => {
      // The generation may have turned since: what is there now is the better answer for the end.
      if (error.status === 410 && at === 'end') return this.fetchLines({ ...query, generation: null });
      throw error;
    });
    if (generation !== null && !this.lives.some((known) => known.generation === generation) && answer.generation === generation) this.adopt(generation, answer.size);
    const of = this.lifeOf(answer.generation);
    return { items: this.weave(this.took(answer, answer.generation === null ? life : of)), at: answer.at };
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
    const items = answer.lines.map((line) => ({ kind: 'line', life, offset: line.offset, next: line.next, text: line.text, ...(line.cut ? { cut: true } : {}) }));
    const of = this.lives[life];
    of.tip = Math.max(of.tip, answer.size);
    if (life === this.current) {
      this.size = Math.max(this.size, of.tip);
      this.partial = answer.partial ?? (answer.to >= of.tip ? '' : this.partial);
    }
    if (items.length) this.keep(life, items[0].offset, items[items.length - 1].next, items, false);
    return items;
  }
}

/** Index of the first item at or after `offset`. @param {Item[]} items @param {number} offset */
export function lowerBound(items, offset) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
