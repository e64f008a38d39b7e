/**
 * Marks what `logcast serve --highlight` names, on every line of the screen. Nothing in the document changes: the browser paints
 * over the text, in the colours of labels, of which one that the reader sets comes before.
 */

import { paints, ranges, texts } from './highlight.js';
import { matcher } from './query.js';

const COLOURS = 6;
const NEAR_PX = 400;
const SHOWN = 8192; // characters of a row that are looked at

/** @param {import('./app.js').App} app */
export function wished({ bus, view }) {
  /** @type {RegExp[]} */
  let patterns = [];
  /** @type {Highlight[]} */
  const sets = [];

  bus.on('drawn', () => {
    if (!patterns.length) return;
    paints();
    sets.forEach((set) => set.clear());
    const { top, bottom } = view.log.getBoundingClientRect();
    for (const row of view.block.rows) {
      const box = row.getBoundingClientRect();
      const cell = row.querySelector('.text');
      if (!cell || row.classList.contains('note') || box.bottom < top - NEAR_PX || box.top > bottom + NEAR_PX) continue;
      const nodes = texts(cell);
      const text = nodes.map((node) => node.data).join('').slice(0, SHOWN);
      patterns.forEach((pattern, i) => ranges(nodes, text, pattern).forEach((range) => sets[i % COLOURS].add(range)));
    }
  });

  return {
    /** @param {string[]} wanted what the server was told to mark; what this browser's syntax does not know stays plain */
    wish(wanted) {
      if (typeof Highlight !== 'function' || !('highlights' in CSS)) return;
      const found = wanted.map((text) => matcher({ text, not: false, regex: true, capitals: false }));
      patterns = found.filter((pattern) => pattern !== null);
      for (let i = 0; i < Math.min(COLOURS, patterns.length); i += 1) {
        sets[i] = new Highlight();
        CSS.highlights.set(`wished${i}`, sets[i]);
      }
      view.schedule();
    },
  };
}
