/**
 * Links to a line: file, byte offset and generation in the hash. The server keeps nothing for it, and a link into a
 * file that was rotated away says so instead of showing another line.
 */

/** @typedef {{file: string, offset: number, generation: string|null}} Place */

/** @param {Place} place */
export function hashOf({ file, offset, generation }) {
  const q = new URLSearchParams({ f: file, o: String(offset) });
  if (generation) q.set('g', generation);
  return `#${q}`;
}

/** @param {string} hash @returns {Place|null} */
export function placeOf(hash) {
  const q = new URLSearchParams(hash.replace(/^#/, ''));
  const file = q.get('f');
  const offset = Number(q.get('o'));
  if (!file || !q.has('o') || !Number.isSafeInteger(offset) || offset < 0) return null;
  return { file, offset, generation: q.get('g') };
}
