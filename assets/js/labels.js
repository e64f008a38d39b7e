/**
 * Colour labels: each chosen term has one of six colours wherever it stands on the screen, in every file. Nothing in the document
 * changes: the browser paints over the text (CSS Custom Highlight API). Where it cannot, there are no labels.
 */

import { paints } from './highlight.js';

const KEY = 'logcast-labels';
export const COLOURS = 6;
const LONGEST = 200;
const RANGES = 2000; // painted at once

/** @returns {(string|null)[]} */
function stored() {
  try {
    const all = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.from({ length: COLOURS }, (_, i) => (typeof all[i] === 'string' ? all[i] : null));
  } catch {
    return Array(COLOURS).fill(null);
  }
}

/** The word at a place in a text, as identifiers go. @param {string} text @param {number} at */
export function wordAt(text, at) {
  const part = /[\w.@:/-]/;
  let from = at;
  let to = at;
  while (from > 0 && part.test(text[from - 1])) from -= 1;
  while (to < text.length && part.test(text[to])) to += 1;
  return text.slice(from, to).replace(/^[.:/-]+|[.:/-]+$/g, '');
}

/** @param {import('./app.js').App} app */
export function labels({ bus, view, toast }) {
  const terms = stored();
  const can = typeof Highlight === 'function' && 'highlights' in CSS;
  let next = Math.max(0, terms.findLastIndex((term) => term !== null) + 1) % COLOURS;

  function paint() {
    if (!can) return;
    paints();
    const sets = terms.map(() => new Highlight());
    let left = RANGES;
    const { top, bottom } = view.log.getBoundingClientRect();
    for (const row of terms.some(Boolean) ? view.block.rows : []) {
      const box = row.getBoundingClientRect();
      if (box.bottom < top - 200 || box.top > bottom + 200) continue;
      const walk = document.createTreeWalker(/** @type {Node} */ (row.querySelector('.text')), NodeFilter.SHOW_TEXT);
      for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const text = node.nodeValue ?? '';
        terms.forEach((term, i) => {
          for (let at = term ? text.indexOf(term) : -1; term && at >= 0 && left > 0; at = text.indexOf(term, at + term.length)) {
            const range = new Range();
            range.setStart(node, at);
            range.setEnd(node, at + term.length);
            sets[i].add(range);
            left -= 1;
          }
        });
      }
    }
    sets.forEach((set, i) => (set.size ? CSS.highlights.set(`label${i}`, set) : CSS.highlights.delete(`label${i}`)));
  }

  function keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify(terms));
    } catch {
      // Refused by the browser: the labels last as long as the page.
    }
    paint();
  }

  bus.on('drawn', () => { if (terms.some(Boolean)) paint(); });

  return {
    label() {
      const selection = getSelection();
      const inside = selection && !selection.isCollapsed && view.block.node.contains(selection.anchorNode);
      const term = inside ? String(selection).trim().slice(0, LONGEST) : '';
      if (!term || term.includes('\n')) {
        toast('Select a word first, then H colours it everywhere');
        return;
      }
      if (!can) {
        toast('This browser cannot paint labels');
        return;
      }
      const had = terms.indexOf(term);
      if (had >= 0) terms[had] = null;
      else {
        const free = terms.indexOf(null);
        const at = free >= 0 ? free : next;
        terms[at] = term;
        next = (at + 1) % COLOURS;
      }
      selection?.removeAllRanges();
      keep();
      toast(had >= 0 ? `${term} has no colour any more` : `${term} has a colour now; H again takes it off`);
    },
    'labels-off'() {
      terms.fill(null);
      keep();
      toast('No term has a colour');
    },
  };
}
