/**
 * The lives of one file: its generations as the page knows them, each with a number that never changes.
 *
 * Greater numbers are newer lives. Which one stands next to which is said by `up` and `down`, not by the numbers: a link may
 * lead into a generation whose neighbours nobody has seen yet, and there is room between the numbers for them. Pure.
 */

/**
 * @typedef {object} Life  one generation
 * @property {string|null} generation
 * @property {number} from
 * @property {number} tip
 * @property {number} heard      where the last batch ended, -1 before the first
 * @property {boolean} gone      its file is not there any more
 * @property {Map<number, string>} notes  words that stand before the line at an offset
 * @property {number|null|undefined} up    the life after it; undefined while nobody asked
 * @property {number|null|undefined} down  the life before it; null: there is none
 * @property {string} previous   cursor of the end of the life before, '' while unknown
 * @property {string} next       cursor of the beginning of the life after, '' while unknown
 * @property {Map<number, number>} numbers  line numbers that the server told, by offset
 */

/** Numbers kept free between a life that a link names and the ones that are known. */
const ROOM = 100_000;
/** Line numbers remembered for each life: a few for each answer. */
const NUMBERS = 2000;

/** What a name gets whose first line a newer life has too: none is called so, until the server was asked. */
const NAMELESS = '~AAAAAAAA';

/** @param {string|null} generation @param {number} tip @param {number} heard @returns {Life} */
function life(generation, tip, heard) {
  return { generation, from: 0, tip, heard, gone: false, notes: new Map(), up: undefined, down: undefined, previous: '', next: '', numbers: new Map() };
}

export class Lives {
  constructor() {
    /** @type {Record<number, Life>} */
    this.all = { 0: life(null, 0, -1) };
    this.all[0].up = null;
    this.current = 0;
    this.oldest = 0;
  }

  get newest() {
    return this.all[this.current];
  }

  /** Newest first. @returns {number[]} */
  get ids() {
    return Object.keys(this.all).map(Number).sort((a, b) => b - a);
  }

  /** @param {string|null} generation @returns {number|undefined} */
  known(generation) {
    return this.ids.find((id) => this.all[id].generation === generation);
  }

  /** A new life after the current one, behind a note that says why. @param {string|null} generation @param {string} words */
  begin(generation, words) {
    const id = this.current + 1;
    this.all[id] = life(null, 0, 0);
    this.name(id, generation);
    this.all[id].notes.set(0, words);
    this.all[id].up = null;
    this.join(this.current, id);
    this.current = id;
    return id;
  }

  /** Names a newest life. A name is that of the first line: an older life with the same one has lost it. @param {number} id @param {string|null} generation */
  name(id, generation) {
    const older = this.known(generation);
    if (generation !== null && older !== undefined && older !== id) this.all[older].generation = generation + NAMELESS;
    this.all[id].generation = generation;
  }

  /** @param {number} id */
  isNameless(id) {
    return this.all[id].generation?.endsWith(NAMELESS) ?? false;
  }

  /** @param {number} older @param {number} newer */
  join(older, newer) {
    this.all[older].up = newer;
    this.all[newer].down = older;
  }

  /** @param {number} id @param {string} generation */
  add(id, generation) {
    this.all[id] = life(generation, 0, -1);
    this.oldest = Math.min(this.oldest, id);
    return id;
  }

  /** A life far below all that are known. @param {string} generation */
  addBelow(generation) {
    return this.add(this.oldest - ROOM, generation);
  }

  /** The life right before one. @param {number} id @param {string} generation @param {string} words of the divider between them */
  addBefore(id, generation, words) {
    const older = this.known(generation) ?? this.add(id - 1, generation);
    this.join(older, id);
    this.divide(id, words);
    return older;
  }

  /** The life right after one. @param {number} id @param {string|null} generation @param {string} words */
  addAfter(id, generation, words) {
    const newer = this.known(generation) ?? (generation === null ? this.current : this.add(id + 1, generation));
    this.join(id, newer);
    this.divide(newer, words);
    return newer;
  }

  /** @param {number} id @param {string} words */
  divide(id, words) {
    const { notes, from } = this.all[id];
    if (!notes.has(from)) notes.set(from, words);
  }

  /** What an answer tells about a life. @param {number} id @param {import('./api.js').LinesAnswer} answer */
  learn(id, answer) {
    const of = this.all[id];
    if (answer.begin !== undefined && of.from !== answer.begin) {
      const words = of.notes.get(of.from);
      if (words !== undefined) of.notes.delete(of.from);
      of.from = answer.begin;
      if (words !== undefined) of.notes.set(of.from, words);
    }
    of.tip = Math.max(of.tip, answer.size);
    if (answer.from <= of.from) {
      of.previous = answer.previous ?? '';
      if (!of.previous && of.down === undefined) of.down = null;
    }
    if (answer.next) of.next = answer.next;
    if (answer.line) this.number(id, answer.from, answer.line);
  }

  /** @param {number} id @param {number} offset @param {number} line  number of the line that begins there, 1 for the first */
  number(id, offset, line) {
    const { numbers } = this.all[id];
    numbers.delete(offset);
    numbers.set(offset, line);
    if (numbers.size > NUMBERS) numbers.delete(/** @type {number} */ (numbers.keys().next().value));
  }
}

/** A generation whose file is not there any more is no failure. @param {{status?: number}} error @returns {null} */
export function isGone(error) {
  if (error.status !== 410 && error.status !== 404) throw error;
  return null;
}
