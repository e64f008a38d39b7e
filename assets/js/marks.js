/**
 * Marked lines, kept in the browser for each file: generation and offset, so that they survive a reload and do not
 * point into another file after a rotation.
 */

/** @typedef {{generation: string, offset: number}} Mark */

const KEY = 'logcast-marks';
const MOST = 500; // of one file; the oldest goes

/** @returns {Record<string, Mark[]>} */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') ?? {};
  } catch {
    return {};
  }
}

export class Marks {
  constructor() {
    this.all = stored();
  }

  /** @param {string} file */
  of(file) {
    return this.all[file] ?? [];
  }

  /** @param {string} file @param {string|null} generation @param {number} offset */
  has(file, generation, offset) {
    return this.of(file).some((mark) => mark.offset === offset && mark.generation === generation);
  }

  /** @param {string} file @param {string|null} generation @param {number} offset @returns {boolean} whether it is marked now */
  toggle(file, generation, offset) {
    if (!generation) return false;
    const without = this.of(file).filter((mark) => mark.offset !== offset || mark.generation !== generation);
    const on = without.length === this.of(file).length;
    this.all[file] = on ? [...without, { generation, offset }].slice(-MOST) : without;
    try {
      localStorage.setItem(KEY, JSON.stringify(this.all));
    } catch {
      // Refused by the browser: the marks last as long as the page.
    }
    return on;
  }

  /** Offsets in this generation, in order. @param {string} file @param {string|null} generation */
  offsets(file, generation) {
    return this.of(file).filter((mark) => mark.generation === generation).map((mark) => mark.offset).sort((a, b) => a - b);
  }
}
