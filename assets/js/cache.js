/**
 * The lines of one file that the page remembers: chunks of lines without a hole, the least recently used goes first. Pure.
 */

/** @typedef {import('./store.js').Item} Item */
/** @typedef {{life: number, from: number, to: number, items: Item[], size: number, live: boolean}} Chunk */

const CHUNKS = 64; // about 32,000 lines: enough to scroll a while without a request
const CHUNK_UNITS = 16_000_000; // UTF-16 units of text in all: 32 MB
const CHUNK_LINES = 500; // a live chunk is closed at this length, so that old ones can be let go

export class Cache {
  constructor() {
    /** @type {Chunk[]} least recently used first */
    this.chunks = [];
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

  /** @param {(chunk: Chunk) => boolean} test */
  find(test) {
    const i = this.chunks.findLastIndex(test);
    if (i < 0) return null;
    const [chunk] = this.chunks.splice(i, 1);
    this.chunks.push(chunk);
    return chunk;
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
