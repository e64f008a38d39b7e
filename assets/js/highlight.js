/**
 * Marks what was searched for in the rows that are near the screen. The browser paints the marks over the text: no element
 * is made and no row is filled again. Where it cannot, the matches become `<mark>` elements in the row.
 */

import { matcher, reach } from './query.js';

const MOST = 200; // marks in one row
const NEAR_PX = 600;
const SHOWN = 8192; // characters of a row that are looked at

/** @param {import('./app.js').App} app @param {ReturnType<typeof import('./filter.js').filter>} filter @param {import('./find.js').Find} find */
export function highlight(app, filter, find) {
  const { view, bus } = app;
  const can = typeof Highlight === 'function' && 'highlights' in CSS;
  /** @type {{found: RegExp|null, kept: RegExp[]}} */
  let matchers = { found: null, kept: [] };
  let key = '';
  /** @type {WeakMap<HTMLElement, {first: Node|null, offset: string, key: string, found: Range[], kept: Range[]}>} */
  const known = new WeakMap();
  const found = can ? new Highlight() : null;
  const current = can ? new Highlight() : null;
  const kept = can ? new Highlight() : null;
  if (found && current && kept) {
    current.priority = 2;
    found.priority = 1;
    CSS.highlights.set('found', found);
    CSS.highlights.set('current', current);
    CSS.highlights.set('kept', kept);
  }

  function changed() {
    const term = find.result?.term ?? find.term;
    const terms = filter.query.terms.filter(({ not }) => !not);
    const now = JSON.stringify([term, terms]);
    if (now === key) return;
    key = now;
    for (const cell of view.node.querySelectorAll('.bare')) cell.classList.remove('bare');
    matchers = { found: term && matcher(term), kept: terms.map(matcher).filter((one) => one !== null) };
    draw();
  }

  function draw() {
    if (!found || !current || !kept) return wrap();
    const active = matchers.found !== null || matchers.kept.length > 0;
    if (!active && !found.size && !kept.size && !current.size) return;
    found.clear();
    current.clear();
    kept.clear();
    if (!active) return;
    paints();
    const { rows } = view.block;
    const top = view.log.scrollTop - view.node.offsetTop;
    const focused = document.activeElement?.closest('#block .row');
    for (let i = view.block.indexAt(top - NEAR_PX); i < rows.length; i += 1) {
      const row = rows[i];
      if (row.offsetTop > top + view.log.clientHeight + NEAR_PX) break;
      const ranges = of(row);
      for (const range of ranges.found) (row === focused ? current : found).add(range);
      for (const range of ranges.kept) kept.add(range);
    }
  }

  /** What was wrapped in which row. @type {WeakMap<HTMLElement, {first: Node|null, offset: string, key: string}>} */
  const wrapped = new WeakMap();

  /** Puts `<mark>` round the matches of the rows that have other ones than before. */
  function wrap() {
    for (const row of view.block.rows) {
      const cell = row.querySelector('.text');
      const was = wrapped.get(row);
      const offset = row.dataset.offset ?? '';
      if (!cell || (was ? was.key === key && was.offset === offset && was.first === cell.firstChild : !matchers.found && !matchers.kept.length)) continue;
      for (const mark of cell.querySelectorAll('mark')) mark.replaceWith(...mark.childNodes);
      cell.normalize();
      known.delete(row);
      const { found: hits, kept: kepts } = of(row);
      for (const [ranges, cls] of /** @type {[Range[], string][]} */ ([[kepts, 'kept'], [hits, 'found']])) {
        // From the end: what is cut off a text node leaves the ranges before it whole.
        for (const range of ranges.toReversed()) {
          for (const node of texts(cell).toReversed().filter((text) => range.intersectsNode(text))) {
            const from = node === range.startContainer ? range.startOffset : 0;
            const to = node === range.endContainer ? range.endOffset : node.data.length;
            if (from >= to) continue;
            const mark = document.createElement('mark');
            mark.className = cls;
            const middle = node.splitText(from);
            middle.splitText(to - from);
            middle.replaceWith(mark);
            mark.append(middle);
          }
        }
      }
      wrapped.set(row, { first: cell.firstChild, offset, key });
    }
  }

  /** @param {HTMLElement} row */
  function of(row) {
    const cell = row.querySelector('.text');
    const first = cell?.firstChild ?? null;
    const was = known.get(row);
    if (was && was.first === first && was.offset === row.dataset.offset && was.key === key) return was;
    const now = { first, offset: row.dataset.offset ?? '', key, found: /** @type {Range[]} */ ([]), kept: /** @type {Range[]} */ ([]) };
    if (cell && !row.classList.contains('note')) {
      const nodes = texts(cell);
      const text = nodes.map((node) => node.data).join('').slice(0, SHOWN);
      if (matchers.found) now.found = ranges(nodes, text, matchers.found);
      // What was found is seen, also in what the columns tell already.
      cell.classList.toggle('bare', now.found.some(({ startContainer }) => startContainer.parentElement?.className === 'pre'));
      for (const one of matchers.kept) now.kept.push(...ranges(nodes, text, one));
    }
    known.set(row, now);
    return now;
  }

  bus.on('drawn', draw);
  bus.on('found', changed);
  bus.on('query', changed);
  document.addEventListener('focusin', draw);
}

/** From now on the style sheet looks for what is painted over the text. */
export function paints() {
  document.documentElement.dataset.paints = '';
}

/** @param {Element} cell @returns {Text[]} */
export function texts(cell) {
  const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  /** @type {Text[]} */
  const out = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) out.push(/** @type {Text} */ (node));
  return out;
}

/** @param {Text[]} nodes @param {string} text @param {RegExp} regex */
export function ranges(nodes, text, regex) {
  /** @type {Range[]} */
  const out = [];
  let node = 0;
  let start = 0; // of this node in the text
  /** @param {number} at @param {boolean} end */
  const place = (at, end) => {
    while (node < nodes.length - 1 && (end ? at > start + nodes[node].length : at >= start + nodes[node].length)) {
      start += nodes[node].length;
      node += 1;
    }
    return { node: nodes[node], at: at - start };
  };
  for (const found of text.slice(0, reach(regex.source)).matchAll(regex)) {
    if (!found[0] || out.length >= MOST) continue;
    const from = place(found.index, false);
    const to = place(found.index + found[0].length, true);
    const range = document.createRange();
    range.setStart(from.node, from.at);
    range.setEnd(to.node, to.at);
    out.push(range);
  }
  return out;
}
